package peer

import (
	"tertulia/internal/media"
	"tertulia/internal/media/sdp"
)

// notes are what a transport remembers for [Facts] alone. Times are 0 for never.
type notes struct {
	offered string // our candidates, a line each
	repairs []sdp.Repair

	agreed   media.Time // when both descriptions were known
	verified media.Time // latest verified check
	heard    media.Time // latest packet under the keys

	wrongPassword uint64 // checks that named the endpoint and did not verify
	wrongFragment uint64 // verified ones that named another client than the description does
	hellos        uint64 // DTLS records before the keys
	forged        uint64

	reason string // of the latest failure
	broken string // why the latest DTLS handshake did not finish

	former string     // what was selected before
	parted media.Time // when that was last heard
	moves  []move
	moved  int
}

// maxMoves is how many moves are remembered; of more the latest.
const maxMoves = 4

// move is the client's way from one address to another.
type move struct {
	at, silence media.Time // silence of the old address before it
	from, to    string
}

// choose makes p, which may be nil, the selected path, and notes where a client with keys has moved.
func (t *transport) choose(p *path) {
	if old := t.selected; old != nil {
		t.former, t.parted = old.String(), old.heard
	}
	t.selected = p
	if p == nil || t.former == "" || t.former == p.String() || t.out == nil { // before the keys the client is still trying
		return
	}
	t.moved++
	if len(t.moves) == maxMoves {
		copy(t.moves, t.moves[1:])
		t.moves = t.moves[:maxMoves-1]
	}
	now := t.endpoint.shard.now
	t.moves = append(t.moves, move{at: now, silence: now - t.parted, from: t.former, to: p.String()})
}

// mistaken counts a check that named the endpoint and is not believed. Whoever knows its username fragment can send
// such; they are counted, and nothing else comes of them.
func (t *transport) mistaken(password bool) {
	t.endpoint.shard.counters.Unauthenticated++
	if password {
		t.wrongPassword++
	} else {
		t.wrongFragment++
	}
}
