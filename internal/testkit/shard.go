package testkit

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
)

// Shard runs a shard on a free port of the loopback interface, and ends it with the test. The context ends after 20 s,
// or with the test.
func Shard(t *testing.T) (*peer.Shard, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	conn, err := socket.Listen(ctx, "127.0.0.1:0")
	check(t, err)
	here := socket.Addresses{Loopback: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}
	shard, err := peer.New(peer.Config{
		Socket: conn, Addresses: func() socket.Addresses { return here }, Certificate: Certificate(t),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	check(t, err)
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- shard.Run(running) }()
	t.Cleanup(func() {
		cancel()
		stop()
		if err := <-done; err != nil {
			t.Errorf("the shard ended with %v", err)
		}
	})
	return shard, ctx
}
