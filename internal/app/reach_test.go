package app

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/config"
	"tertulia/internal/media/socket"
	"tertulia/internal/reach"
)

// natted is a STUN server that sees everybody at one address, as behind a 1:1 NAT, with the port they have.
func natted(t *testing.T, as string) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		room := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(room)
			if err != nil {
				return
			}
			m := &stun.Message{Raw: append([]byte(nil), room[:n]...)}
			if m.Decode() == nil {
				answer := stun.MustBuild(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
					&stun.XORMappedAddress{IP: net.ParseIP(as).To4(), Port: int(from.Port())})
				_, _ = conn.WriteToUDPAddrPort(answer.Raw, from)
			}
		}
	})
	t.Cleanup(func() { _ = conn.Close(); serving.Wait() })
	return conn.LocalAddr().String()
}

// The question leaves by the media's own socket, and its answer is found by whoever reads the sockets of that port.
func TestFAQ_01__STUNIsAskedFromTheMediaPort(t *testing.T) {
	conns, err := socket.ListenShards(t.Context(), "127.0.0.1:0", 2)
	if err != nil {
		t.Fatal(err)
	}
	port := conns[0].LocalAddr().Port()
	c := config.Config{Data: t.TempDir(), AddressDiscovery: "auto", STUNServers: []string{natted(t, "203.0.113.9")}}
	addresses := &socket.Gatherer{}
	r := &reached{}
	r.begin(c, port, addresses, conns[0], slog.New(slog.DiscardHandler))
	var reading sync.WaitGroup
	for _, conn := range conns {
		conn = r.by(reach.UDP, conn)
		reading.Go(func() {
			in := make([]socket.Message, socket.Batch)
			for {
				n, err := conn.ReadBatch(in, true)
				if err != nil {
					return
				}
				for i := range n {
					t.Errorf("media got %x", in[i].Buf)
				}
			}
		})
	}
	watch := r.config(c, relayServer(t), slog.New(slog.DiscardHandler))
	watch.Metadata = "http://127.0.0.1:1" // nobody
	watch.Interfaces = func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("10.0.0.5")}, nil }
	offered := make(chan reach.Finding, 10)
	watch.Found = func(f reach.Finding) {
		addresses.SetPublic(candidates(f))
		offered <- f
	}
	watch.TryUDP, watch.TryTCP, watch.NotAfter, watch.Relay = nil, nil, nil, nil
	r.watch = reach.New(watch)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	var running sync.WaitGroup
	running.Go(func() { _ = r.watch.Run(ctx) })
	for f := range offered {
		if f.At.IsZero() {
			continue // before anybody was asked
		}
		if !f.Verified || len(f.Public) != 1 || f.Mapped.Port() != port {
			t.Errorf("found %+v, want port %d", f, port)
		}
		break
	}
	if host := addresses.Addresses().Host; len(host) == 0 || host[0].String() != "203.0.113.9" {
		t.Errorf("offered are %v", host)
	}
	cancel()
	running.Wait()
	for _, conn := range conns {
		_ = conn.Close()
	}
	reading.Wait()
	if kept, err := os.ReadFile(filepath.Join(c.Data, "address.json")); err != nil || string(kept) != `["203.0.113.9"]` {
		t.Errorf("kept %s, %v", kept, err)
	}
}

func TestCandidates(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("203.0.113.9")
	for want, f := range map[string]reach.Finding{
		"":                      {},
		"192.0.2.7":             {Resolved: []netip.Addr{a}},
		"203.0.113.9":           {Public: []netip.Addr{b}},
		"192.0.2.7 203.0.113.9": {Resolved: []netip.Addr{a}, Public: []netip.Addr{b, a}},
	} {
		var got []string
		for _, c := range candidates(f) {
			got = append(got, c.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
	for domain, want := range map[string]int{"": 0, "localhost": 0, "127.0.0.1": 0, "::1": 0, "0.0.0.0": 0, "call.example": 0, "192.0.2.7": 1, "2001:db8::7": 1} {
		if got := literal(domain); len(got) != want {
			t.Errorf("%q is %v", domain, got)
		}
	}
}
