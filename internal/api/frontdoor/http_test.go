package frontdoor

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestPlainHTTPIsForLoopbackHosts(t *testing.T) {
	door := open(t, Config{HTTP: report})
	for _, c := range []struct{ method, host, path, want string }{
		{"GET", "localhost:4443", "/", "200"},
		{"GET", "LOCALHOST", "/", "200"},
		{"GET", "127.0.0.1:4443", "/", "200"},
		{"GET", "127.8.8.8", "/", "200"},
		{"GET", "[::1]:4443", "/", "200"},
		{"GET", "[::1]", "/", "200"},
		{"GET", "meet.example.org:4443", "/a/b?c=d&e=%2F", "301 https://meet.example.org:4443/a/b?c=d&e=%2F"},
		{"HEAD", "192.0.2.1", "/", "301 https://192.0.2.1/"},
		{"POST", "[2001:db8::1]:8443", "/openvidu/api/sessions", "308 https://[2001:db8::1]:8443/openvidu/api/sessions"},
		{"GET", "localhost.example.org", "/", "301 https://localhost.example.org/"},
		{"GET", "example.org", "//evil.example/", "301 https://example.org//evil.example/"},
		{"GET", "", "/", "400"},
	} {
		stream := door.dial()
		if _, err := io.WriteString(stream, c.method+" "+c.path+" HTTP/1.1\r\nHost: "+c.host+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(stream), &http.Request{Method: c.method})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.TrimSpace(response.Status[:3] + " " + response.Header.Get("Location"))
		if got != c.want {
			t.Errorf("%s %s at %q: %s, want %s", c.method, c.path, c.host, got, c.want)
		}
		if !response.Close && !strings.HasPrefix(c.want, "200") {
			t.Errorf("%s at %q: the connection stays open", c.method, c.host)
		}
	}
	if now := door.Stats(); now.Redirects != 6 {
		t.Errorf("counted %d redirects, want 6", now.Redirects)
	}
}

func TestWhichHostsArePlainCanBeSet(t *testing.T) {
	door := open(t, Config{HTTP: report, ServePlain: func(host string) bool { return host == "inside.example.org" }})
	for host, want := range map[string]string{"inside.example.org:80": "HTTP/1.1 200", "localhost": "HTTP/1.1 301"} {
		if got := say(t, door.dial(), "GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n", len(want)); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func TestHeadersHaveALimit(t *testing.T) {
	door := open(t, Config{HTTP: report, Limits: Limits{HeaderBytes: 1 << 10}})
	request := func(size int) string {
		return "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", size) + "\r\n\r\n"
	}
	if got := say(t, door.dial(), request(500), 12); got != "HTTP/1.1 200" {
		t.Errorf("500 bytes: %q", got)
	}
	if got := say(t, door.dial(), request(16<<10), 12); got != "HTTP/1.1 431" {
		t.Errorf("16 KiB: %q", got)
	}
}

func TestAQueueThatIsClosed(t *testing.T) {
	q := newQueue(&net.TCPAddr{})
	_, _ = q.Close(), q.Close()
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	if q.deliver(ours) {
		t.Error("a closed queue took a connection")
	}
	if _, err := q.Accept(); err == nil {
		t.Error("a closed queue gave one")
	}
}
