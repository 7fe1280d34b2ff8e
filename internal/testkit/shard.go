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

// Shard runs a shard on a free port of the loopback interface, and ends it with the test. The context ends after a minute,
// or with the test.
func Shard(t *testing.T) (*peer.Shard, context.Context) {
	t.Helper()
	ctx, conn := listen(t)
	return ShardOn(t, conn, here), ctx
}

// ShardOn runs a shard on a socket that is reached at the addresses, and ends both with the test.
func ShardOn(t *testing.T, conn socket.Conn, at socket.Addresses) *peer.Shard {
	t.Helper()
	config := shardConfig(t, at)
	config.Socket = conn
	shard, err := peer.New(config)
	check(t, err)
	run(t, shard.Run)
	return shard
}

// Shards is Shard with n of them. Whatever the kernel would do, what comes from an address is read by the shard that
// reader says.
func Shards(t *testing.T, n int, reader func(remote netip.AddrPort) int) (*peer.Shards, context.Context) {
	t.Helper()
	ctx, conn := listen(t)
	shards, err := peer.NewShards(shardConfig(t, here), Fork(conn, n, reader))
	check(t, err)
	run(t, shards.Run)
	return shards, ctx
}

func listen(t *testing.T) (context.Context, socket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	conn, err := socket.Listen(ctx, "127.0.0.1:0")
	check(t, err)
	return ctx, conn
}

var here = socket.Addresses{Loopback: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}

func shardConfig(t *testing.T, at socket.Addresses) peer.Config {
	return peer.Config{
		Addresses: func() socket.Addresses { return at }, Certificate: Certificate(t),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func run(t *testing.T, serve func(context.Context) error) {
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(running) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the shards ended with %v", err)
		}
	})
}
