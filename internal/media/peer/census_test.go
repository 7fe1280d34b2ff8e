package peer

import (
	"context"
	"sync"
	"testing"

	"github.com/pion/stun/v4"
)

// TestPathsAreCounted: each connected endpoint once, by what it takes now, and by what it took first.
func TestPathsAreCounted(t *testing.T) {
	b := newBench(t, 0) // its publisher was connected by hand, over UDP
	nobody := func(pathKey, []byte) {}
	relay, tcp := at(2), at(3)
	relay.via, tcp.via = &link{protocol: "relay", send: nobody}, &link{protocol: "tcp", send: nobody}
	var moved *Endpoint
	for _, from := range []pathKey{at(1), relay, tcp} {
		e := b.endpoint(t, from)
		e.state = Checking
		e.connected()
		e.lapse("gone") // and back: it counts once
		b.check(t, e, from)
		moved = e
	}
	if got, want := censusOf(b.shard), (Paths{Connected: 4, Now: Ways{UDP: 2, TCP: 1, Relay: 1}, All: Ways{UDP: 1, TCP: 1, Relay: 1}}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	b.check(t, moved, at(4), stun.RawAttribute{Type: stun.AttrUseCandidate})
	b.endpoint(t, at(5)).fail("a test")
	b.endpoint(t, at(6)).state = Checking
	fresh := newEndpoint(b.shard, EndpointConfig{})
	b.shard.endpoints[fresh.ufrag] = fresh
	want := Paths{New: 1, Checking: 1, Connected: 4, Failed: 1, Now: Ways{UDP: 3, Relay: 1}, All: Ways{UDP: 1, TCP: 1, Relay: 1}}
	if got := censusOf(b.shard); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	moved.release()
	want.Connected, want.Now.UDP = 3, 2
	if got := censusOf(b.shard); got != want {
		t.Errorf("after the end of one: %+v, want %+v", got, want)
	}
}

// TestPathsOfAllShards are added up.
func TestPathsOfAllShards(t *testing.T) {
	one, two := newBench(t, 1), newBench(t, 2)
	all := &Shards{common: &common{shards: []*Shard{one.shard, two.shard}}}
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for _, s := range all.shards {
		running.Go(func() {
			for ctx.Err() == nil {
				s.runInbox()
			}
		})
	}
	got, err := all.Paths(t.Context())
	if err != nil || got != (Paths{Connected: 5, Now: Ways{UDP: 5}}) {
		t.Errorf("counted %+v, %v", got, err)
	}
	cancel()
	running.Wait()
	if _, err := all.Paths(ctx); err == nil {
		t.Error("counted after the end")
	}
}
