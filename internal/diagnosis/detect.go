package diagnosis

import (
	"fmt"
	"slices"
	"strings"
)

// Finding is what a detector says of a connection now.
type Finding struct {
	Code     Code
	Stream   string   // "": of the connection, whatever it publishes or receives
	Severity Severity // "": the catalogue's
	Evidence []string
	Fill     map[string]string // for the braces of the catalogue's fix
}

// detector looks for one fault at one endpoint; nil says it is not there.
type detector func(v *View, e *Endpoint) *Finding

// The detectors, in groups. Of a group with an order the first that finds something is right: what stands before explains
// what follows.
var (
	// descriptions tell what was wrong with SDP, whatever became of it; all of them are asked.
	descriptions = []detector{sdpPlusMangled, sdpMangled, codecLeftOut}
	// transports say why there are no keys, or no packets any more.
	transports = []detector{
		dtlsFingerprint, iceCredentialsWrong, clientNetworkLost, returnPathBlocked, dtlsBlocked,
		externalAddressWrong, turnClockSkewed, turnSecretWrong, symmetricNAT, netUnreachable,
	}
	// detours say why packets take a longer way, or a new one; all of them are asked.
	detours = []detector{externalAddressDetour, serverUDPBlocked, clientUDPBlocked, natIdleTimeout}
	// flows say why media does not come through a transport in order.
	flows = []detector{mtuBlackHole, audioOneWay, noMediaSent, sourceSilent, lossUplink, lossDownlink, autoplayBlocked}
	// people are of the connection, with or without an endpoint.
	people = []func(*View) *Finding{cameraBusy, proxyIdleTimeout, codecRefused, sdpRefused}
)

// Detect returns what is wrong with a connection, each code once per stream.
func Detect(v *View) (found []Finding) {
	add := func(f *Finding) bool {
		if f == nil {
			return false
		}
		for i := range found {
			if found[i].Code == f.Code && found[i].Stream == f.Stream {
				return true
			}
		}
		found = append(found, *f)
		return true
	}
	for _, find := range people {
		add(find(v))
	}
	defer func() { found = withoutExplained(found) }()
	for _, e := range v.Endpoints {
		for _, find := range descriptions {
			add(find(v, e))
		}
		if firstOf(transports, v, e, add) || e.Facts.State != "connected" {
			continue
		}
		for _, find := range detours {
			add(find(v, e))
		}
		firstOf(flows, v, e, add)
	}
	return found
}

// withoutExplained drops the general cause where another endpoint of the same client tells the particular one.
func withoutExplained(found []Finding) []Finding {
	particular := slices.ContainsFunc(found, func(f Finding) bool { return slices.Contains(particulars, f.Code) })
	if !particular {
		return found
	}
	noWayBack := slices.ContainsFunc(found, func(f Finding) bool { return f.Code == ReturnPathBlocked })
	return slices.DeleteFunc(found, func(f Finding) bool { return f.Code == NetUnreachable || noWayBack && f.Code == AudioOneWay })
}

var particulars = []Code{
	ClientNetworkLost, ReturnPathBlocked, DTLSBlocked, ExternalAddressWrong, TURNClockSkewed, TURNSecretWrong, SymmetricNATNoRelay,
}

func firstOf(list []detector, v *View, e *Endpoint, add func(*Finding) bool) bool {
	for _, find := range list {
		if add(find(v, e)) {
			return true
		}
	}
	return false
}

// record makes a record of a finding.
func (f *Finding) record(v *View) *Record {
	row, _ := Of(f.Code)
	severity := f.Severity
	if severity == "" {
		severity = row.Severity
	}
	values := map[string]string{
		"port": fmt.Sprint(v.Host.Port), "address": v.Host.address(v.Reached), "rule": v.Host.rule(), "connection": v.Connection,
	}
	for k, val := range f.Fill {
		values[k] = val
	}
	r := &Record{
		At: v.Now, Code: f.Code, Severity: severity, Side: row.Side, Session: v.Session, Connection: v.Connection, Stream: f.Stream,
		Title: clean(fill(row.Title, values), maxText), Fix: clean(fill(row.Fix, values), maxText),
	}
	for _, e := range f.Evidence {
		r.Evidence = append(r.Evidence, clean(e, maxText))
	}
	return r
}

func (h *Host) rule() string {
	if h.Rule != "" {
		return h.Rule
	}
	return fmt.Sprintf("nft add rule inet filter input udp dport %d accept; nft add rule inet filter input tcp dport %d accept", h.Port, h.Port)
}

// fill puts values into the braces of a text of the catalogue; braces without a value stand for nothing known.
func fill(text string, values map[string]string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			b.WriteString(rest)
			return b.String()
		}
		if value := values[name]; value != "" {
			b.WriteString(value)
		} else {
			b.WriteString("(unknown " + name + ")")
		}
		text = after
	}
}

// times says how often, in words.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
