package diagnosis

import (
	"net/netip"
	"strconv"
	"strings"

	"tertulia/internal/wire/mediactl"
)

// candidate is what the detectors read in a line of the client (RFC 8839 §5.1).
type candidate struct {
	udp     bool
	address string // "" for what is no candidate
	port    int
	kind    string // "host", "srflx", "prflx", "relay"
	base    string // related address and port
}

// hiddenBase is the related address of a browser that tells none.
const hiddenBase = "0.0.0.0 0"

// signalled returns the client's candidates of a kind.
func signalled(e *Endpoint, kind string) []candidate {
	var found []candidate
	for _, line := range e.Facts.Signalled {
		if c := parseCandidate(line); c.kind == kind {
			found = append(found, c)
		}
	}
	return found
}

func parseCandidate(line string) candidate {
	fields := strings.Fields(strings.TrimPrefix(line, "a="))
	if len(fields) < 8 || fields[6] != "typ" {
		return candidate{}
	}
	port, err := strconv.Atoi(fields[5])
	if err != nil {
		return candidate{}
	}
	c := candidate{udp: strings.EqualFold(fields[2], "udp"), address: fields[4], port: port, kind: fields[7]}
	address, related := "0.0.0.0", "0"
	for i := 8; i+1 < len(fields); i += 2 {
		switch fields[i] {
		case "raddr":
			address = fields[i+1]
		case "rport":
			related = fields[i+1]
		}
	}
	if address == "::" {
		address = "0.0.0.0"
	}
	if address == "0.0.0.0" || related == "0" || related == "9" {
		c.base = hiddenBase
	} else {
		c.base = address + " " + related
	}
	return c
}

// offersUDP says whether the client has a UDP candidate of its own: one that did not is not blocked, it does not want to.
func offersUDP(e *Endpoint) bool {
	for _, line := range e.Facts.Signalled {
		if c := parseCandidate(line); c.udp && (c.kind == "host" || c.kind == "srflx") {
			return true
		}
	}
	return false
}

// relayed says whether a path goes through a TURN server, ours or another.
func relayed(e *Endpoint, p *mediactl.Path) bool {
	if p.Protocol == "relay" {
		return true
	}
	remote, err := netip.ParseAddrPort(p.Remote)
	if err != nil {
		return false
	}
	for _, c := range signalled(e, "relay") {
		if a, err := netip.ParseAddr(c.address); err == nil && a.Unmap() == remote.Addr().Unmap() && c.port == int(remote.Port()) {
			return true
		}
	}
	return false
}

// busiestOf returns the path with the most checks, nil if there is none.
func busiestOf(paths []mediactl.Path) *mediactl.Path {
	var best *mediactl.Path
	for i := range paths {
		if best == nil || paths[i].Checks > best.Checks {
			best = &paths[i]
		}
	}
	return best
}

func list(addresses []netip.Addr) string {
	words := make([]string, len(addresses))
	for i, a := range addresses {
		words[i] = a.String()
	}
	return strings.Join(words, ", ")
}

func orUnknown(s string) string {
	if s == "" {
		return "(unknown)"
	}
	return s
}

// samePlace says whether two addresses of [mediactl.Move] ("udp 192.0.2.1:5000") differ in the port alone.
func samePlace(from, to string) bool {
	a, okA := strings.CutPrefix(from, "udp ")
	b, okB := strings.CutPrefix(to, "udp ")
	x, errX := netip.ParseAddrPort(a)
	y, errY := netip.ParseAddrPort(b)
	return okA && okB && errX == nil && errY == nil && x.Addr() == y.Addr() && x.Port() != y.Port()
}
