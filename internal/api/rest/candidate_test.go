package rest

import (
	"testing"

	"tertulia/internal/wire/openvidu"
)

func TestSelectedIsACandidate(t *testing.T) {
	announced := []openvidu.RESTCandidate{
		{Candidate: "candidate:7 1 tcp 9 192.0.2.1 4443 typ host tcptype passive"},
		{Candidate: "candidate:8 1 UDP 99 192.0.2.1 4443 typ host"},
		{Candidate: "candidate:9"},
	}
	for path, want := range map[string]string{
		"":                              "",
		"udp unknown port 4443":         "",
		"udp 192.0.2.1":                 "",
		"udp 192.0.2.1 port 4443":       announced[1].Candidate,
		"tcp 192.0.2.1:4443":            announced[0].Candidate,
		"udp [::ffff:192.0.2.1]:4443":   announced[1].Candidate,
		"udp 192.0.2.9:5000":            "candidate:0 1 udp 1862270975 192.0.2.9 5000 typ prflx",
		"udp [2001:db8::1]:5000":        "candidate:0 1 udp 1862270975 2001:db8::1 5000 typ prflx",
		"relay 192.0.2.9:5000":          "candidate:0 1 udp 1862270975 192.0.2.9 5000 typ relay",
		"udp 192.0.2.9 port 70000":      "",
		"udp 2001:db8::1 port 4443":     "candidate:0 1 udp 1862270975 2001:db8::1 4443 typ prflx",
		"udp fe80::1%eth0 port 4443":    "candidate:0 1 udp 1862270975 fe80::1%eth0 4443 typ prflx",
		"udp 192.0.2.1 port 4443 extra": "",
	} {
		if got := selected(path, announced); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}
