package diagnosis

import (
	"fmt"
	"strconv"
)

// settled is how long a connection may take to find its best path, in milliseconds.
const settled = 4000

// detour returns the words for the way of an endpoint that uses no UDP although its client would, "" for any other.
func (v *View) detour(e *Endpoint) string {
	p := e.selected()
	if p == nil || v.connected(e) < settled || !offersUDP(e) {
		return ""
	}
	for _, other := range e.Facts.Paths {
		if other.Protocol == "udp" && !relayed(e, &other) && !older(other.Heard, 15_000) {
			return "" // UDP does reach us
		}
	}
	switch {
	case relayed(e, p):
		return "a relay"
	case p.Protocol == "tcp":
		return "TCP"
	}
	return ""
}

// externalAddressDetour: who comes around a wrong address does have media; it is bad all the same.
func externalAddressDetour(v *View, e *Endpoint) *Finding {
	way := v.detour(e)
	if way == "" || !v.misled() {
		return nil
	}
	f := v.wrongAddress(fmt.Sprintf("Media goes over %s, although the client would use UDP.", way))
	f.Severity = Warning
	return f
}

// everybody says whether nobody from outside uses UDP. One participant alone cannot tell; then what was lately counts.
func (v *View) everybody() bool {
	return v.Others.UDP == 0 && (v.Others.Other >= 2 || v.Others.Lately == 0)
}

func serverUDPBlocked(v *View, e *Endpoint) *Finding {
	way := v.detour(e)
	if way == "" || v.misled() || !v.everybody() {
		return nil
	}
	return &Finding{Code: ServerUDPBlocked, Evidence: []string{
		fmt.Sprintf("Media goes over %s, although the client offered UDP; so it does for %d networks, and for none from outside over UDP.",
			way, max(1, v.Others.Other)),
	}}
}

func clientUDPBlocked(v *View, e *Endpoint) *Finding {
	way := v.detour(e)
	if way == "" || v.misled() || v.everybody() {
		return nil
	}
	return &Finding{Code: ClientUDPBlocked, Evidence: []string{
		fmt.Sprintf("Media goes over %s, although the client offered UDP; %d other networks use UDP now, %d did in the last 10 minutes.",
			way, v.Others.UDP, v.Others.Lately),
	}}
}

func natIdleTimeout(_ *View, e *Endpoint) *Finding {
	if e.NAT.Times < 2 {
		return nil
	}
	return &Finding{
		Code: NATIdleTimeout, Fill: map[string]string{"seconds": strconv.FormatInt(e.NAT.Seconds, 10)},
		Evidence: []string{fmt.Sprintf("The packets of clients of this network came from another port %s, each time after a silence of %d s or a little more.",
			times(e.NAT.Times), e.NAT.Seconds)},
	}
}

func proxyIdleTimeout(v *View) *Finding {
	if v.Idle.Times == 0 {
		return nil
	}
	evidence := []string{fmt.Sprintf("Websockets ended %s at %d s ± 1 s, this one %s ago.", times(v.Idle.Times), v.Idle.Seconds, seconds(v.since(v.Idle.At)))}
	for _, e := range v.Endpoints {
		if e.Facts.State == "connected" && !e.silent() {
			evidence = append(evidence, "Media flows on.")
			break
		}
	}
	return &Finding{
		Code: ProxyIdleTimeout, Evidence: evidence, Fill: map[string]string{"seconds": strconv.FormatInt(v.Idle.Seconds, 10)},
	}
}
