package peer

import (
	"sync/atomic"

	"tertulia/internal/media"
	"tertulia/internal/media/receive"
)

// mirror is a track of another shard for all its viewers on this one: the track's packets cross once, and what a viewer
// loses is repaired here. It is made for the first viewer and ends with the last.
type mirror struct {
	*receive.Mirror
	track   *media.Track // what the viewers here are attached to
	feed    *feed
	viewers int
	asking  atomic.Bool // a request for a key frame is on its way
}

// feed is the sink of a track that hands its packets to a mirror. It belongs to the track's shard.
type feed struct {
	track    *media.Track
	from, to *Shard
	mirror   *mirror
}

// Forward implements media.Sink.
func (f *feed) Forward(burst []media.Packet) {
	state := receive.StateOf(f.track)
	for i := range burst {
		p := &burst[i]
		f.from.crossing.parcel(f.to, len(p.Raw)).media(f.mirror, p, state)
	}
}

// mirrors are those of a shard.
type mirrors struct {
	shard *Shard
	of    map[*media.Track]*mirror
}

// join returns what a viewer here attaches to: the track itself, or its mirror if it is another shard's. Each call
// wants one of leave.
func (ms *mirrors) join(t *media.Track) *media.Track {
	owner := ms.shard.shards[t.Shard]
	if owner == ms.shard {
		return t
	}
	m := ms.of[t]
	if m == nil {
		m = newMirror(owner, ms.shard, t)
		ms.of[t] = m
		owner.post(func() { t.Mirror(m.feed) })
	}
	m.viewers++
	return m.track
}

func newMirror(owner, here *Shard, t *media.Track) *mirror {
	m := &mirror{track: trackOf(here, t.Kind.String(), codecOf(t))}
	m.Mirror = receive.NewMirror(m.track, cacheFor(t.Kind), func() {
		if m.asking.CompareAndSwap(false, true) {
			owner.post(func() { m.asking.Store(false); t.RequestKeyframe(owner.now) })
		}
	})
	m.feed = &feed{track: t, from: owner, to: here, mirror: m}
	return m
}

// leave ends the mirror of a track with its last viewer. What still comes finds nobody attached.
func (ms *mirrors) leave(t *media.Track) {
	m := ms.of[t]
	if m == nil {
		return
	}
	if m.viewers--; m.viewers > 0 {
		return
	}
	delete(ms.of, t)
	ms.shard.shards[t.Shard].post(func() { t.Unmirror(m.feed) })
}
