package peer

import (
	"context"
	"slices"

	"tertulia/internal/media"
)

// blockSize is how many endpoints of a group stay on one shard: nothing is handed over in small sessions, and large
// ones use every core.
const blockSize = 64

// Group is the endpoints that send to each other, those of a session above all.
type Group struct {
	shards *Shards
	blocks []*block // guarded by shards.mu
}

// block is endpoints of a group on one shard; an empty one is given up.
type block struct {
	shard *Shard
	live  int
}

// Group makes a group without endpoints.
func (s *Shards) Group() *Group { return &Group{shards: s} }

// Open makes an endpoint as Shard.Open, where the group has room: on the shard of the latest endpoints, or where the
// fewest are. One that replaces another is opened on the shard of its tracks.
func (g *Group) Open(ctx context.Context, config EndpointConfig) (*Endpoint, error) {
	b := g.enter(config.Tracks)
	config.left = func() { g.leave(b) }
	return b.shard.Open(ctx, config)
}

func (g *Group) enter(tracks []*media.Track) *block {
	g.shards.mu.Lock()
	defer g.shards.mu.Unlock()
	b := g.place(tracks)
	b.live++
	g.shards.live[b.shard.index]++
	return b
}

func (g *Group) place(tracks []*media.Track) *block {
	var home *Shard // nil: any
	if len(tracks) > 0 {
		home = g.shards.shards[tracks[0].Shard]
	}
	for _, b := range g.blocks {
		if b.live < blockSize && (home == nil || home == b.shard) {
			return b
		}
	}
	if home == nil {
		home = g.shards.emptiest()
	}
	b := &block{shard: home}
	g.blocks = append(g.blocks, b)
	return b
}

func (g *Group) leave(b *block) {
	g.shards.mu.Lock()
	defer g.shards.mu.Unlock()
	g.shards.live[b.shard.index]--
	if b.live--; b.live == 0 {
		g.blocks = slices.DeleteFunc(g.blocks, func(other *block) bool { return other == b })
	}
}

// emptiest is the shard with the fewest endpoints, the first of them.
func (s *Shards) emptiest() *Shard {
	at := 0
	for i, live := range s.live {
		if live < s.live[at] {
			at = i
		}
	}
	return s.shards[at]
}
