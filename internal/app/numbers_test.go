package app

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"reflect"
	"testing"

	"tertulia/internal/certs"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
)

// TestEveryCounterIsShown: one that is added to peer.Counters needs a line in refusals.
func TestEveryCounterIsShown(t *testing.T) {
	var c peer.Counters
	fields := reflect.ValueOf(&c).Elem()
	for i := range fields.NumField() {
		if f := fields.Field(i); f.CanUint() {
			f.SetUint(uint64(100 + i))
		} else {
			f.SetInt(int64(100 + i))
		}
	}
	shown := map[float64]string{}
	for _, s := range refusals(c) {
		shown[s.Number] = s.Name + s.Value
	}
	names := map[string]bool{}
	for i := range fields.NumField() {
		name := shown[float64(100+i)]
		if name == "" || names[name] {
			t.Errorf("peer.Counters.%s is shown as %q", fields.Type().Field(i).Name, name)
		}
		names[name] = true
	}
}

// TestAShardThatDoesNotAnswer holds a scrape no longer than the scrape's own deadline.
func TestAShardThatDoesNotAnswer(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	keys, err := certs.New(certs.Config{Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := socket.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	idle, err := peer.NewShards(peer.Config{
		Addresses:   func() socket.Addresses { return socket.Addresses{Loopback: []netip.Addr{netip.IPv6Loopback()}} },
		Certificate: keys.DTLS(), Log: log,
	}, []socket.Conn{conn})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := &numbers{media: idle, traffic: &traffic{}}
	list, err := n.packets(ctx)
	if !errors.Is(err, context.Canceled) || len(list) != 4 {
		t.Errorf("%d numbers, %v; want those that need no shard, and the error", len(list), err)
	}
}
