package frontdoor

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
)

// TestRedirectPort: everything is sent on, nothing is served, whoever is one too many is turned away.
func TestRedirectPort(t *testing.T) {
	for port, want := range map[int]map[string]string{
		443: {
			"GET / HTTP/1.1\r\nHost: meet.example\r\n\r\n":                                               "301 https://meet.example/",
			"GET /a?b HTTP/1.1\r\nHost: meet.example:80\r\n\r\n":                                         "301 https://meet.example/a?b",
			"POST /openvidu/api/sessions HTTP/1.1\r\nHost: [2001:db8::1]\r\nContent-Length: 2\r\n\r\n{}": "308 https://[2001:db8::1]/openvidu/api/sessions",
			"GET / HTTP/1.0\r\n\r\n": "400",
			"GET /" + strings.Repeat("x", 20<<10) + " HTTP/1.1\r\nHost: meet.example\r\n\r\n": "431",
			"\x16\x03\x01\x02\x00\r\n\r\n": "400",
		},
		8443: {"GET /x HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n": "301 https://[2001:db8::1]:8443/x"},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		door := NewRedirect(listener, port, nil, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- door.Run(ctx) }()
		for says, answer := range want {
			stream, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(stream, says)
			text, _ := io.ReadAll(stream) // until it is closed
			_ = stream.Close()
			_, got, _ := strings.Cut(string(text), " ")
			got = got[:min(3, len(got))]
			if _, location, ok := strings.Cut(string(text), "Location: "); ok {
				location, _, _ = strings.Cut(location, "\r\n")
				got += " " + location
			}
			if got != answer {
				t.Errorf("port %d: %.60q is answered with %s, want %s", port, says, got, answer)
			}
		}
		door.places.mu.Lock()
		door.places.total = door.places.most
		door.places.mu.Unlock()
		stream, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		isClosed(t, "one too many", stream)
		_ = stream.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
