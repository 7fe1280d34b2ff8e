package diagnosis

import (
	"fmt"
	"strconv"
	"strings"
)

// Thresholds of transports, in milliseconds.
const (
	unreachedAfter = 7000 // without a check: browsers try for 15 to 30 s, and a relay takes a second or two
	answeredWithin = 4000 // a check that is answered is followed by a nomination within some round trips
	keysWithin     = 4000 // a handshake, with two flights sent again
	quietAfter     = 6500 // of a websocket: stock clients ping every 5 s
	manyChecks     = 5    // on one path: browsers repeat what is not answered
)

// unreached says that no check has come for so long that none will. A client that is gone explains it; one that is silent
// may be of those that do not ping.
func (v *View) unreached(e *Endpoint) bool {
	f := &e.Facts
	return f.State != "connected" && e.Connected == 0 && f.Consent < 0 && f.Age >= unreachedAfter && v.Socket.Lost == 0
}

// cutOff says that an endpoint that was connected hears nothing any more.
func (e *Endpoint) cutOff() bool { return e.Connected != 0 && e.silent() }

func dtlsFingerprint(_ *View, e *Endpoint) *Finding {
	if !e.Facts.Fingerprint {
		return nil
	}
	return &Finding{Code: DTLSFingerprint, Evidence: []string{
		fmt.Sprintf("The certificate of the handshake of %s is not the one that a=fingerprint announced.", e.Name),
	}}
}

func iceCredentialsWrong(_ *View, e *Endpoint) *Finding {
	f := &e.Facts
	if f.Consent >= 0 || e.Connected != 0 || f.Age < 1500 || f.WrongPassword+f.WrongFragment < 3 {
		return nil
	}
	evidence := fmt.Sprintf("%d checks named %s and did not verify, none did, in %s.", f.WrongPassword+f.WrongFragment, e.Name, seconds(f.Age))
	if f.WrongFragment > 0 {
		evidence += " They have our password, and another username fragment than the client's description."
	}
	return &Finding{Code: ICECredentialsWrong, Evidence: []string{evidence}}
}

func clientNetworkLost(v *View, e *Endpoint) *Finding {
	if !e.cutOff() {
		return nil
	}
	for _, other := range v.Endpoints {
		if other.Connected != 0 && !other.silent() {
			return nil
		}
	}
	var socket string
	switch {
	case v.Socket.Lost == 0 && v.Socket.Silent >= quietAfter:
		socket = fmt.Sprintf("its websocket has been silent for %s", seconds(v.Socket.Silent))
	case v.Socket.Lost != 0 && v.Socket.Quiet:
		socket = fmt.Sprintf("its websocket ended %s ago, after a silence", seconds(v.since(v.Socket.Lost)))
	default:
		return nil
	}
	return &Finding{Code: ClientNetworkLost, Evidence: []string{
		fmt.Sprintf("No packet on any path for %s, and %s.", seconds(least(e.Facts.Consent, e.Facts.Heard)), socket),
	}}
}

// least is the smaller of two ages, of which -1 is never.
func least(a, b int64) int64 {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}

// returnPathBlocked: a browser that gets an answer nominates; one that gets none asks again. Firefox nominates with every
// check, so of one that was nominated the number of checks must tell: answered, it asks once in some seconds.
func returnPathBlocked(v *View, e *Endpoint) *Finding {
	f := &e.Facts
	if f.State == "connected" || e.Connected != 0 || f.Hellos > 0 || e.Checked == 0 || v.since(e.Checked) < answeredWithin {
		return nil
	}
	best := busiestOf(f.Paths)
	if best == nil || best.Checks < manyChecks || best.Heard > 4000 {
		return nil
	}
	said := v.Clues.ice(e)
	if nominated := e.Nominated != 0; nominated && (said == "connected" || said == "completed" || best.Checks < 2*manyChecks-1) {
		return nil // then it is DTLS that is blocked
	}
	found := &Finding{Code: ReturnPathBlocked, Evidence: []string{
		fmt.Sprintf("%d verified checks came from %s over %s in %s; no answer of ours was made use of, and no DTLS has come.",
			best.Checks, best.Remote, best.Protocol, seconds(v.since(e.Checked))),
	}}
	if said != "" {
		found.Evidence = append(found.Evidence, fmt.Sprintf("The client says that ICE is %q.", said))
	}
	return found
}

func dtlsBlocked(v *View, e *Endpoint) *Finding {
	f := &e.Facts
	if f.State == "connected" || e.Connected != 0 || f.Cipher != "" || v.since(e.Nominated) < keysWithin && v.since(e.Checked) < keysWithin+answeredWithin {
		return nil
	}
	if e.Checked == 0 || older(f.Consent, 8000) || e.Nominated == 0 && f.Hellos == 0 {
		return nil
	}
	what := "no DTLS record has come"
	if f.Hellos > 0 {
		what = fmt.Sprintf("%d DTLS records have come, and no handshake has ended", f.Hellos)
	}
	if f.Handshake != "" {
		what += " (" + f.Handshake + ")"
	}
	return &Finding{Code: DTLSBlocked, Evidence: []string{
		fmt.Sprintf("Checks have been answered and used for %s, the latest %s ago; %s.", seconds(v.since(e.Checked)), seconds(f.Consent), what),
	}}
}

func externalAddressWrong(v *View, e *Endpoint) *Finding {
	if !v.unreached(e) || !v.misled() {
		return nil
	}
	return v.wrongAddress(fmt.Sprintf("No check has come in %s.", seconds(e.Facts.Age)))
}

func (v *View) wrongAddress(outcome string) *Finding {
	right, seen := "the address others see this machine by", "not known to this machine"
	if len(v.Host.Verified) > 0 {
		right = v.Host.Verified[0].String()
		seen = right
	}
	return &Finding{
		Code: ExternalAddressWrong,
		Evidence: []string{
			fmt.Sprintf("DOMAIN_OR_PUBLIC_IP=%s leads to %s, which is no address of this machine; its public address is %s; the client reached us by %s.",
				v.Host.Configured, list(v.Host.Resolved), seen, orUnknown(v.Reached)),
			outcome,
		},
		Fill: map[string]string{"verified": right},
	}
}

func turnSecretWrong(v *View, e *Endpoint) *Finding { return v.turn(e, TURNSecretWrong) }
func turnClockSkewed(v *View, e *Endpoint) *Finding { return v.turn(e, TURNClockSkewed) }

// turn blames a TURN server that refuses us for a participant that got no relay from it and reached us in no other way.
func (v *View) turn(e *Endpoint, code Code) *Finding {
	cut := e.cutOff() && v.Socket.Lost == 0
	if !v.unreached(e) && !cut || len(signalled(e, "relay")) > 0 {
		return nil
	}
	outcome := fmt.Sprintf("no check has come in %s.", seconds(e.Facts.Age))
	if cut {
		outcome = fmt.Sprintf("no packet has come for %s.", seconds(least(e.Facts.Consent, e.Facts.Heard)))
	}
	for _, t := range v.Host.TURN {
		if t.Code == code {
			return &Finding{Code: code, Severity: Error, Fill: map[string]string{"turn": t.URL}, Evidence: []string{
				fmt.Sprintf("%s: %s", t.URL, t.Text),
				"The client announced no relayed candidate, and " + outcome,
			}}
		}
	}
	return nil
}

func symmetricNAT(v *View, e *Endpoint) *Finding {
	if !v.unreached(e) || len(signalled(e, "relay")) > 0 {
		return nil
	}
	ports := mappedTwice(e)
	if ports == nil {
		return nil
	}
	return &Finding{Code: SymmetricNATNoRelay, Evidence: []string{
		fmt.Sprintf("One socket of the client has the outside addresses %s, no relayed candidate was announced, and no check has come in %s.",
			strings.Join(ports, " and "), seconds(e.Facts.Age)),
	}}
}

// mappedTwice returns the outside addresses of a socket that has two, one per STUN server it asked.
func mappedTwice(e *Endpoint) []string {
	byBase, hosts := map[string][]string{}, 0
	for _, c := range signalled(e, "host") {
		if c.udp && !strings.Contains(c.address, ":") {
			hosts++
		}
	}
	for _, c := range signalled(e, "srflx") {
		if !c.udp {
			continue
		}
		mapped := c.address + " port " + strconv.Itoa(c.port)
		if list := byBase[c.base]; len(list) == 0 || list[len(list)-1] != mapped {
			byBase[c.base] = append(list, mapped)
		}
	}
	for base, mapped := range byBase {
		// Browsers that hide their addresses hide the base as well; each of their sockets has a host candidate then.
		if len(mapped) >= 2 && (base != hiddenBase || len(mapped) > hosts) {
			return mapped
		}
	}
	return nil
}

func netUnreachable(v *View, e *Endpoint) *Finding {
	var evidence string
	switch {
	case v.unreached(e):
		evidence = fmt.Sprintf("No verified check has come in %s; the client announced %d candidates, we %d.",
			seconds(e.Facts.Age), len(e.Facts.Signalled), len(e.Facts.Offered))
	case e.cutOff() && v.Socket.Lost == 0:
		evidence = fmt.Sprintf("It was connected; nothing has come for %s, while its websocket is in order.",
			seconds(least(e.Facts.Consent, e.Facts.Heard)))
	default:
		return nil
	}
	return &Finding{Code: NetUnreachable, Evidence: append([]string{evidence}, v.company()...)}
}

// company says how others fare.
func (v *View) company() []string {
	if v.Others.UDP+v.Others.Other > 0 {
		return []string{fmt.Sprintf("Others do connect: %d networks over UDP, %d over TCP or a relay.", v.Others.UDP, v.Others.Other)}
	}
	return nil
}
