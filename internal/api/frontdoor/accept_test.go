package frontdoor

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// hiccup is a listener that fails a few times, as one without file descriptors does.
type hiccup struct {
	net.Listener
	left int
}

func (h *hiccup) Accept() (net.Conn, error) {
	if h.left > 0 {
		h.left--
		return nil, errors.New("too many open files")
	}
	return h.Listener.Accept()
}

// TestAcceptGoesOn behind errors that pass, and counts them.
func TestAcceptGoesOn(t *testing.T) {
	o := prepare(t, Config{})
	o.config.Listener = &hiccup{o.config.Listener, 3}
	o.run()
	stream := o.dial()
	if got := say(t, stream, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 12); got != "HTTP/1.1 404" {
		t.Errorf("answered %q", got)
	}
	if got := o.Stats().AcceptErrors; got != 3 {
		t.Errorf("%d errors counted, want 3", got)
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(o.log.String(), "too many open files") {
		t.Error("the log does not say why")
	}
}

// TestABodyThatNeverEnds is given up, and the client told.
func TestABodyThatNeverEnds(t *testing.T) {
	read := make(chan error, 1)
	o := open(t, Config{
		Limits: Limits{Body: 50 * time.Millisecond},
		HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			read <- err
		}),
	})
	stream := o.dial()
	if _, err := io.WriteString(stream, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err == nil {
		t.Error("half a body was taken for the whole")
	}
}

// TestWhoeverComesTooLate: a connection that is recognized when the servers are gone is closed, not forgotten.
func TestWhoeverComesTooLate(t *testing.T) {
	o := prepare(t, Config{})
	o.secure, o.plain = newQueue(o.Addr()), newQueue(o.Addr())
	_ = o.plain.Close()
	near, far := net.Pipe()
	o.serveHTTP(near)
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the client reads %v, want the end", err)
	}
}
