package reach

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/fault"
)

// server is a STUN server on loopback that answers what it is told to, or what it sees.
type server struct {
	at     netip.AddrPort
	says   atomic.Pointer[netip.AddrPort]
	silent atomic.Bool
	asked  atomic.Int32
}

func stunServer(t *testing.T, says *netip.AddrPort) *server {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{at: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	s.says.Store(says)
	var serving sync.WaitGroup
	serving.Go(func() {
		room := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(room)
			if err != nil {
				return
			}
			m := &stun.Message{Raw: append([]byte(nil), room[:n]...)}
			if m.Decode() != nil || m.Type != stun.BindingRequest {
				continue
			}
			if s.asked.Add(1); s.silent.Load() {
				continue
			}
			at := from
			if told := s.says.Load(); told != nil {
				at = *told
			}
			answer := stun.MustBuild(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
				&stun.XORMappedAddress{IP: at.Addr().Unmap().AsSlice(), Port: int(at.Port())}, stun.Fingerprint)
			_, _ = conn.WriteToUDPAddrPort(answer.Raw, from)
		}
	})
	t.Cleanup(func() { _ = conn.Close(); serving.Wait() })
	return s
}

// shared is a socket with a reader of its own, as the media's is.
func shared(t *testing.T) (*Queries, netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	q := &Queries{Send: func(b []byte, to netip.AddrPort) error { _, err := conn.WriteToUDPAddrPort(b, to); return err }}
	var reading sync.WaitGroup
	reading.Go(func() {
		room := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(room)
			if err != nil {
				return
			}
			q.Take(room[:n], from)
		}
	})
	t.Cleanup(func() { _ = conn.Close(); reading.Wait() })
	return q, conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestASocketsReaderFindsTheAnswer(t *testing.T) {
	q, own := shared(t)
	s := stunServer(t, nil)
	if at, err := q.Ask(t.Context(), s.at); err != nil || at != own {
		t.Errorf("%v, %v; want %v", at, err, own)
	}
	if len(q.pending) != 0 || q.waiting.Load() != 0 {
		t.Error("the question is kept")
	}
	s.silent.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := q.Ask(ctx, s.at); err == nil {
		t.Error("a silent server answers")
	}
	if at, err := AskAlone(t.Context(), stunServer(t, nil).at); err != nil || at.Addr() != own.Addr() || at.Port() == own.Port() {
		t.Errorf("alone: %v, %v", at, err)
	}
	if _, err := AskAlone(ctx, s.at); !fault.Is(err, fault.Timeout) {
		t.Errorf("alone, of a silent one: %v", err)
	}
}

// An answer counts once, from who was asked, to what was asked.
func TestForgedAnswersAreNone(t *testing.T) {
	q := &Queries{}
	sent := make(chan []byte, 1)
	q.Send = func(b []byte, _ netip.AddrPort) error { sent <- b; return nil }
	asked := netip.MustParseAddrPort("198.51.100.1:3478")
	told := netip.MustParseAddrPort("203.0.113.7:4443")
	got := make(chan netip.AddrPort, 1)
	go func() { at, _ := q.Ask(t.Context(), asked); got <- at }()
	request := <-sent
	answer := func(id [12]byte, setters ...stun.Setter) []byte {
		return stun.MustBuild(append([]stun.Setter{stun.NewTransactionIDSetter(id), stun.BindingSuccess}, setters...)...).Raw
	}
	mapped := &stun.XORMappedAddress{IP: told.Addr().AsSlice(), Port: int(told.Port())}
	id := [12]byte(request[8:20])
	for name, c := range map[string]struct {
		b    []byte
		from netip.AddrPort
	}{
		"another server":    {answer(id, mapped), netip.MustParseAddrPort("198.51.100.2:3478")},
		"another port":      {answer(id, mapped), netip.MustParseAddrPort("198.51.100.1:3479")},
		"another question":  {answer([12]byte{1}, mapped), asked},
		"no address":        {answer(id), asked},
		"a truncated one":   {answer(id, mapped)[:24], asked},
		"the request":       {request, asked},
		"a packet of media": {[]byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, asked},
	} {
		if q.Take(c.b, c.from) {
			t.Errorf("%s was taken", name)
		}
	}
	mappedFrom := netip.AddrPortFrom(netip.AddrFrom16(asked.Addr().As16()), asked.Port())
	if !q.Take(answer(id, mapped), mappedFrom) {
		t.Error("the answer was not taken")
	}
	if at := <-got; at != told {
		t.Errorf("told %v, want %v", at, told)
	}
	if q.Take(answer(id, mapped), asked) {
		t.Error("a second one was taken")
	}
}

func FuzzMappedIn(f *testing.F) {
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(1, 2, 3, 4), Port: 5}).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingSuccess, &stun.MappedAddress{IP: net.IPv6loopback, Port: 5}).Raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		if at, ok := mappedIn(b); ok && (!at.IsValid() || at.Port() == 0) {
			t.Errorf("%x is %v", b, at)
		}
	})
}
