package doctor

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"tertulia/internal/diagnosis"
)

// checkDNS asks the name servers themselves: this machine's hosts file is nothing that browsers see.
func checkDNS(ctx context.Context, h *host) Check {
	domain := h.Config.Domain
	if domain == "" {
		return unchecked("DOMAIN_OR_PUBLIC_IP is not set")
	}
	if _, err := netip.ParseAddr(domain); err == nil {
		return fine(domain + " is an address, not a name")
	}
	found, err := h.records(ctx)
	if err != nil {
		return unchecked(fmt.Sprintf("%s: %v", domain, err))
	}
	own := h.own(ctx)
	if len(found) == 0 && len(h.system(ctx)) > 0 {
		return unchecked(domain + " is known to this machine alone (its hosts file, say), not to DNS")
	}
	foreign := slices.DeleteFunc(slices.Clone(found), own.has)
	if len(found) > 0 && len(foreign) == 0 {
		return fine(domain + " resolves to " + join(found))
	}
	if len(found) > 0 && !h.certain(own, foreign) {
		return unchecked(fmt.Sprintf("%s resolves to %s, which no interface has; behind NAT that may be right, and nobody outside answers", domain, join(found)))
	}
	shown := "nothing"
	if len(found) > 0 {
		shown = join(found)
	}
	return faulty(diagnosis.DNSMismatch, values{"domain": domain, "found": shown, "verified": join(own.public())})
}

// records are the domain's addresses in DNS; none if it does not exist there.
func (h *host) records(ctx context.Context) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	servers := nameServers(h.root)
	if len(servers) == 0 {
		return nil, errors.New("there is no name server in /etc/resolv.conf")
	}
	var list []netip.Addr
	for _, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
		found, err := askAny(ctx, servers, h.Config.Domain, kind)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// nameServers reads resolv.conf(5). systemd-resolved's stub knows the hosts file too, so its upstream is taken.
func nameServers(root fs.FS) []string {
	read := func(name string) (list []string) {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return nil
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) == 2 && f[0] == "nameserver" && len(list) < 3 {
				list = append(list, f[1])
			}
		}
		return list
	}
	servers := read("etc/resolv.conf")
	if slices.Contains(servers, "127.0.0.53") {
		if upstream := read("run/systemd/resolve/resolv.conf"); len(upstream) > 0 {
			return upstream
		}
	}
	return servers
}

// askAny asks one server after the other until one answers.
func askAny(ctx context.Context, servers []string, domain string, kind dnsmessage.Type) ([]netip.Addr, error) {
	var failed error
	for i, server := range servers {
		part, cancel := context.WithTimeout(ctx, time.Second/time.Duration(len(servers)-i))
		found, err := ask(part, net.JoinHostPort(server, "53"), domain, kind)
		cancel()
		if err == nil {
			return found, nil
		}
		failed = err
	}
	return nil, failed
}

// ask sends one question over UDP (RFC 1035 §4); a recursive server follows aliases itself.
func ask(ctx context.Context, server, domain string, kind dnsmessage.Type) ([]netip.Addr, error) {
	question, id, err := ourQuestion(domain, kind)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if _, err := conn.Write(question); err != nil {
		return nil, err
	}
	answer := make([]byte, 4096)
	n, err := conn.Read(answer)
	if err != nil {
		return nil, err
	}
	return addressesIn(answer[:n], id)
}

func ourQuestion(domain string, kind dnsmessage.Type) (packed []byte, id uint16, err error) {
	name, err := dnsmessage.NewName(strings.TrimSuffix(domain, ".") + ".")
	if err != nil {
		return nil, 0, err
	}
	var random [2]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, 0, err
	}
	id = binary.BigEndian.Uint16(random[:])
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: kind, Class: dnsmessage.ClassINET}},
	}
	packed, err = m.Pack()
	return packed, id, err
}

// addressesIn reads the A and AAAA records of an answer.
func addressesIn(answer []byte, id uint16) ([]netip.Addr, error) {
	var m dnsmessage.Message
	if err := m.Unpack(answer); err != nil || m.ID != id || !m.Response {
		return nil, errors.New("the name server sends something else than an answer")
	}
	switch m.RCode {
	case dnsmessage.RCodeSuccess:
	case dnsmessage.RCodeNameError:
		return nil, nil
	default:
		return nil, fmt.Errorf("the name server answers %s", strings.TrimPrefix(m.RCode.String(), "RCode"))
	}
	var list []netip.Addr
	for _, record := range m.Answers {
		switch body := record.Body.(type) {
		case *dnsmessage.AResource:
			list = append(list, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			list = append(list, netip.AddrFrom16(body.AAAA))
		}
	}
	return list, nil
}
