package peer

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"log/slog"
	"slices"
	"testing"

	"tertulia/internal/media"
	"tertulia/internal/media/socket"
)

// placed are shards whose endpoints are only counted.
func placed(t *testing.T, n int) *Shards {
	t.Helper()
	conns := make([]socket.Conn, n)
	for i := range conns {
		conns[i] = &nowhere{}
	}
	s, err := NewShards(Config{
		Addresses:   func() socket.Addresses { return socket.Addresses{} },
		Certificate: tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))},
		Log:         slog.New(slog.DiscardHandler),
	}, conns)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fill enters so many endpoints and returns their blocks.
func (g *Group) fill(n int, tracks ...*media.Track) (blocks []*block) {
	for range n {
		blocks = append(blocks, g.enter(tracks))
	}
	return blocks
}

func TestSmallSessionsStayOnOneShard(t *testing.T) {
	s := placed(t, 3)
	for i := range 6 {
		g := s.Group()
		for _, b := range g.fill(10) {
			if b.shard.index != i%3 {
				t.Fatalf("session %d has an endpoint on shard %d", i, b.shard.index)
			}
		}
	}
	if !slices.Equal(s.live, []int{20, 20, 20}) {
		t.Errorf("endpoints %v", s.live)
	}
}

func TestLargeSessionsAreSpread(t *testing.T) {
	s := placed(t, 2)
	s.Group().fill(10)
	g := s.Group()
	g.fill(blockSize)
	if !slices.Equal(s.live, []int{10, blockSize}) {
		t.Fatalf("endpoints %v, want a block on the second", s.live)
	}
	g.fill(1)
	if !slices.Equal(s.live, []int{11, blockSize}) {
		t.Fatalf("endpoints %v, want the next block on the first", s.live)
	}
	g.fill(5 * blockSize)
	if d := s.live[0] - s.live[1]; d > blockSize || d < -blockSize {
		t.Errorf("endpoints %v", s.live)
	}
}

// TestPlacesAreTakenAgain: a session that people come to and leave does not spread.
func TestPlacesAreTakenAgain(t *testing.T) {
	s := placed(t, 2)
	g := s.Group()
	g.fill(2)
	for range 5 * blockSize {
		g.leave(g.fill(1)[0])
	}
	if !slices.Equal(s.live, []int{2, 0}) || len(g.blocks) != 1 {
		t.Errorf("endpoints %v in %d blocks", s.live, len(g.blocks))
	}
	// One that was left by all may go elsewhere.
	for _, b := range slices.Clone(g.blocks) {
		for b.live > 0 {
			g.leave(b)
		}
	}
	s.Group().fill(1)
	if b := g.fill(1)[0]; b.shard.index != 1 || len(g.blocks) != 1 {
		t.Errorf("shard %d, %d blocks", b.shard.index, len(g.blocks))
	}
}

// TestWhoReplacesGoesWhereTheTracksAre, whatever room there is.
func TestWhoReplacesGoesWhereTheTracksAre(t *testing.T) {
	s := placed(t, 3)
	s.Group().fill(1)
	g := s.Group()
	g.fill(2)
	for range 2 {
		for _, b := range g.fill(blockSize, &media.Track{Shard: 2}) {
			if b.shard.index != 2 {
				t.Fatalf("an endpoint for tracks of shard 2 is on %d", b.shard.index)
			}
		}
	}
	if b := g.fill(1)[0]; b.shard.index != 1 {
		t.Errorf("the next one is on %d, want 1", b.shard.index)
	}
}

// TestClosedEndpointsMakeRoom, those that were never opened too.
func TestClosedEndpointsMakeRoom(t *testing.T) {
	s := placed(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	g := s.Group()
	cancel()
	if _, err := g.Open(ctx, EndpointConfig{Name: "late"}); err == nil {
		t.Fatal("opened though nobody waits for it")
	}
	if s.live[0] != 1 {
		t.Errorf("%d endpoints, want the one under way", s.live[0])
	}
	s.shards[0].runInbox()
	if s.live[0] != 0 || len(g.blocks) != 0 || len(s.shards[0].endpoints) != 0 {
		t.Errorf("%d endpoints live, %d blocks", s.live[0], len(g.blocks))
	}
}

func TestShardsNeedSockets(t *testing.T) {
	config := placed(t, 1).shards[0].config
	for name, conns := range map[string][]socket.Conn{"none": nil, "a missing one": {&nowhere{}, nil}} {
		if _, err := NewShards(config, conns); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	config.Log = nil
	if _, err := New(config); err == nil {
		t.Error("no log: no error")
	}
}
