package frontdoor

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/fault"
	"tertulia/internal/testkit"
)

// report tells a client how its request arrived.
var report = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	protocol := "plain"
	if r.TLS != nil {
		protocol = "TLS " + r.TLS.NegotiatedProtocol
	}
	_, _ = io.WriteString(w, r.Proto+" "+protocol)
})

func get(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestHTTP(t *testing.T) {
	door := open(t, Config{HTTP: report})
	address := door.Addr().String()
	for name, c := range map[string]struct {
		client    *http.Client
		url, want string
	}{
		"HTTP/2":   {browser(t, true), "https://" + address, "HTTP/2.0 TLS h2"},
		"HTTP/1.1": {browser(t, false), "https://" + address, "HTTP/1.1 TLS "}, // this client sends no ALPN
		"plain":    {browser(t, false), "http://" + address, "HTTP/1.1 plain"},
	} {
		if _, body := get(t, c.client, c.url); body != c.want {
			t.Errorf("%s: %q, want %q", name, body, c.want)
		}
	}
	stream := door.dialTLS("http/1.1")
	if got := say(t, stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 15); got != "HTTP/1.1 200 OK" {
		t.Errorf("ALPN http/1.1: %q", got)
	}
	if now := door.Stats(); now.HTTPS != 3 || now.HTTP != 1 || now.TLS != 3 || now.Unknown != 0 {
		t.Errorf("counted %+v", now)
	}
}

func TestRemoteAddrIsTheClients(t *testing.T) {
	door := open(t, Config{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })})
	stream := door.dialTLS()
	request, _ := http.NewRequest(http.MethodGet, "https://x/", nil)
	client := &http.Client{Transport: &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return stream, nil }}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); string(body) != stream.LocalAddr().String() {
		t.Errorf("RemoteAddr %q, want %s", body, stream.LocalAddr())
	}
}

func TestTURNAndICE(t *testing.T) {
	door := open(t, Config{})
	for name, c := range map[string]struct {
		stream     net.Conn
		says, want string
	}{
		"TURN":           {door.dial(), string(stunRequest), "TURN " + string(stunRequest)},
		"ICE":            {door.dial(), string(framed(stunRequest)), "ICE " + string(framed(stunRequest))},
		"TURN over TLS":  {door.dialTLS(), string(stunRequest), "TURN " + string(stunRequest)},
		"TURN by ALPN":   {door.dialTLS("stun.turn"), string(stunRequest), "TURN " + string(stunRequest)},
		"ICE over TLS":   {door.dialTLS(), string(framed(stunRequest)), "ICE " + string(framed(stunRequest))},
		"HTTP by letter": {door.dialTLS(), "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 404"},
	} {
		if got := say(t, c.stream, c.says, len(c.want)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if now := door.Stats(); now.TURN != 3 || now.ICE != 2 || now.HTTPS != 1 || now.TLS != 4 {
		t.Errorf("counted %+v", now)
	}
}

func TestFirstBytesThatComeOneByOne(t *testing.T) {
	door := open(t, Config{})
	stream := door.dial()
	for _, b := range framed(stunRequest)[:9] {
		if _, err := stream.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	want := "ICE " + string(framed(stunRequest))
	if got := say(t, stream, string(framed(stunRequest)[9:]), len(want)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWhatNobodySpeaks(t *testing.T) {
	door := open(t, Config{})
	strange := "\x05\x01\x00\x03\x05\x06\x07\x08\x09\x0a"
	plain, secure := door.dial(), door.dialTLS()
	for name, stream := range map[string]net.Conn{"in the clear": plain, "in TLS": secure} {
		if _, err := io.WriteString(stream, strange); err != nil {
			t.Fatal(err)
		}
		isClosed(t, name, stream)
	}
	tlsInTLS := door.dialTLS()
	if _, err := tlsInTLS.Write([]byte{0x16}); err != nil {
		t.Fatal(err)
	}
	isClosed(t, "TLS in TLS", tlsInTLS)
	notTLS := door.dial()
	if _, err := io.WriteString(notTLS, "\x16\x03\x01\x00\x05hello"); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, notTLS) // the alert, and the end
	_ = door.dial().Close()
	await(t, "all are counted", func() bool {
		now := door.Stats()
		return now.Unknown == 3 && now.HandshakeErrors == 1 && now.Gone == 1
	})
}

func TestAKindThatIsNotServed(t *testing.T) {
	o := prepare(t, Config{})
	o.config.TURN = nil
	o.run()
	stream := o.dial()
	if _, err := stream.Write(stunRequest); err != nil {
		t.Fatal(err)
	}
	isClosed(t, "TURN without a server", stream)
}

func TestWebsockets(t *testing.T) {
	door := open(t, Config{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = socket.CloseNow() }()
		for {
			kind, message, err := socket.Read(r.Context())
			if err != nil || socket.Write(r.Context(), kind, message) != nil {
				return
			}
		}
	})})
	for _, scheme := range []string{"wss", "ws"} {
		socket, _, err := websocket.Dial(t.Context(), scheme+"://"+door.Addr().String(), &websocket.DialOptions{HTTPClient: browser(t, false)})
		if err != nil {
			t.Fatal(err)
		}
		if err := socket.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, message, err := socket.Read(t.Context()); string(message) != "hello" {
			t.Errorf("%s: %q, %v", scheme, message, err)
		}
	}
	// Both are open still: the end of the test sees them closed by Run.
}

func TestAHandlerThatPanics(t *testing.T) {
	door := open(t, Config{HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("at the disco")
		}
	})})
	client := browser(t, true)
	if _, err := client.Get("https://" + door.Addr().String() + "/panic"); err == nil {
		t.Error("a panic was answered")
	}
	if response, _ := get(t, client, "https://"+door.Addr().String()+"/"); response.StatusCode != http.StatusOK {
		t.Errorf("after the panic: %s", response.Status)
	}
	if err := door.stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(door.log.String(), "at the disco") {
		t.Errorf("the panic is not in the log: %s", door.log)
	}
}

func TestClosingLetsRequestsFinish(t *testing.T) {
	began, finish := make(chan struct{}), make(chan struct{})
	door := open(t, Config{HTTP: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-finish
		_, _ = io.WriteString(w, "done")
	})})
	answer := make(chan string, 1)
	go func() {
		response, err := browser(t, true).Get("https://" + door.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		answer <- string(body)
	}()
	<-began
	ended := make(chan error, 1)
	go func() { ended <- door.stop() }()
	await(t, "the port is closed", func() bool {
		stream, err := net.Dial("tcp", door.Addr().String())
		if err == nil {
			_ = stream.Close()
		}
		return err != nil
	})
	close(finish)
	if got := <-answer; got != "done" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestClosingDoesNotWaitForEver(t *testing.T) {
	began := make(chan struct{})
	door := open(t, Config{
		Limits: Limits{Drain: time.Millisecond},
		HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(began)
			<-r.Context().Done()
		}),
	})
	stream := door.dialTLS("http/1.1")
	if _, err := io.WriteString(stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-began
	if err := door.stop(); err != nil {
		t.Error(err)
	}
	isClosed(t, "the stuck request", stream)
}

func TestNothingRunsAfterRun(t *testing.T) {
	door := open(t, Config{})
	say(t, door.dial(), string(stunRequest), 5)
	say(t, door.dialTLS(), string(framed(stunRequest)), 4)
	get(t, browser(t, true), "https://"+door.Addr().String())
	_ = door.dial() // says nothing
	if err := door.stop(); err != nil {
		t.Fatal(err)
	}
	testkit.NoGoroutines(t, "frontdoor.(*", "net/http.(*conn)")
}

func TestWhatADoorNeeds(t *testing.T) {
	if _, err := New(Config{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("New without Listener, TLS and HTTP: %v", err)
	}
}

func TestAListenerThatBreaks(t *testing.T) {
	o := prepare(t, Config{})
	_ = o.config.Listener.Close()
	if err := o.Run(t.Context()); err == nil {
		t.Error("Run without a port returned no error")
	}
}

func TestAnAuthorityThatLooksWhoseTheDomainIs(t *testing.T) {
	door := prepare(t, Config{HTTP: report})
	door.config.TLS = door.config.TLS.Clone()
	door.config.TLS.NextProtos = append(door.config.TLS.NextProtos, "acme-tls/1")
	door.run()
	stream := door.dialTLS("acme-tls/1")
	if err := stream.HandshakeContext(t.Context()); err != nil || stream.ConnectionState().NegotiatedProtocol != "acme-tls/1" {
		t.Fatalf("%v, ALPN %q", err, stream.ConnectionState().NegotiatedProtocol)
	}
	isClosed(t, "after the handshake", stream)
	if now := door.Stats(); now.TLS != 1 || now.HTTPS != 0 || now.Unknown != 0 {
		t.Errorf("counted %+v", now)
	}
}
