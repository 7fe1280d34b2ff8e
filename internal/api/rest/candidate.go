package rest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"tertulia/internal/wire/openvidu"
)

// prflx is the priority of an address that only a check made known (RFC 8445 §5.1.2).
const prflx = 110<<24 | 65535<<8 | 255

// selected writes an end of the selected path, which the media node tells as "udp 192.0.2.1:5000" or
// "udp 192.0.2.1 port 4443", the way Kurento does: OpenVidu's clients take the candidate apart. It is one of those that were
// announced, or an address that was learnt. "" stays so, as does what is not known.
func selected(path string, announced []openvidu.RESTCandidate) string {
	protocol, rest, _ := strings.Cut(path, " ")
	at, err := netip.ParseAddrPort(rest)
	if err != nil {
		host, port, _ := strings.Cut(rest, " port ")
		addr, bad := netip.ParseAddr(host)
		number, worse := strconv.ParseUint(port, 10, 16)
		if bad != nil || worse != nil {
			return ""
		}
		at = netip.AddrPortFrom(addr, uint16(number))
	}
	kind := "prflx"
	if protocol == "relay" {
		protocol, kind = "udp", "relay"
	}
	ip, port := at.Addr().Unmap().String(), strconv.Itoa(int(at.Port()))
	for _, c := range announced {
		words := strings.Fields(c.Candidate)
		if len(words) >= 8 && strings.EqualFold(words[2], protocol) && words[4] == ip && words[5] == port {
			return c.Candidate
		}
	}
	return fmt.Sprintf("candidate:0 1 %s %d %s %s typ %s", protocol, prflx, ip, port, kind)
}
