package socket_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tertulia/internal/media/socket"
)

func shards(t *testing.T, addr string, n int) []socket.Conn {
	t.Helper()
	conns, err := socket.ListenShards(t.Context(), addr, n)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range conns {
		t.Cleanup(func() { _ = c.Close() })
	}
	return conns
}

// TestAPortIsTakenOnce: neither one socket nor a group may be joined by another program like ours.
func TestAPortIsTakenOnce(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		conns := shards(t, "127.0.0.1:0", n)
		taken := conns[0].LocalAddr().String()
		for again := range 4 {
			more, err := socket.ListenShards(t.Context(), taken, again)
			if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), taken) || len(more) > 0 {
				t.Errorf("%d sockets where %d are: %v, %v", again, n, more, err)
			}
		}
		if one, err := socket.Listen(t.Context(), taken); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a socket where %d are: %v, %v", n, one, err)
		}
	}
}

// TestShardsShareAPort: each peer reaches one shard, always the same, and the peers are spread.
func TestShardsShareAPort(t *testing.T) {
	for _, addr := range []string{":0", "127.0.0.1:0", "localhost:0"} {
		conns := shards(t, addr, 3)
		port := conns[0].LocalAddr().Port()
		for _, c := range conns {
			if c.LocalAddr().Port() != port {
				t.Errorf("%s: ports %d and %d", addr, port, c.LocalAddr().Port())
			}
		}
		const peers, each = 60, 5
		to := conns[0].LocalAddr().Addr()
		if to.IsUnspecified() {
			to = netip.MustParseAddr("127.0.0.1")
		}
		for range peers {
			c, err := net.Dial("udp", netip.AddrPortFrom(to, port).String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for range each {
				if _, err := c.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
			}
		}
		served, busy := spread(t, conns, peers*each)
		if busy < 2 && len(conns) > 1 {
			t.Errorf("%s: all peers on one shard of %d", addr, len(conns))
		}
		for peer, by := range served {
			if len(by) != 1 {
				t.Errorf("%s: %v is served by %d shards", addr, peer, len(by))
			}
		}
		if len(served) != peers {
			t.Errorf("%s: %d peers, want %d", addr, len(served), peers)
		}
	}
}

// spread reads so many datagrams from all sockets; it returns which sockets heard each peer, and how many heard any.
func spread(t *testing.T, conns []socket.Conn, total int) (served map[netip.AddrPort]map[int]bool, busy int) {
	served = map[netip.AddrPort]map[int]bool{}
	var mu sync.Mutex
	var readers sync.WaitGroup
	for i, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		readers.Go(func() {
			ms := make([]socket.Message, 16)
			for heard := false; ; {
				n, err := c.ReadBatch(ms, true)
				if err != nil {
					return
				}
				mu.Lock()
				for _, m := range ms[:n] {
					if served[m.Remote] == nil {
						served[m.Remote] = map[int]bool{}
					}
					served[m.Remote][i] = true
				}
				if !heard {
					heard, busy = true, busy+1
				}
				if total -= n; total == 0 {
					for _, c := range conns {
						_ = c.SetReadDeadline(time.Unix(1, 0))
					}
				}
				mu.Unlock()
			}
		})
	}
	readers.Wait()
	if total != 0 {
		t.Errorf("%d datagrams are missing", total)
	}
	return served, busy
}

// TestShardsOfNoAddress fail as one socket does.
func TestShardsOfNoAddress(t *testing.T) {
	for _, addr := range []string{"203.0.113.77:0", "no such host:x", ""} {
		conns, err := socket.ListenShards(t.Context(), addr, 2)
		for _, c := range conns {
			_ = c.Close()
		}
		if addr != "" && (err == nil || !strings.Contains(err.Error(), addr)) {
			t.Errorf("listening on %s: %v", addr, err)
		}
	}
}
