package forward

import "tertulia/internal/media/codec"

// pictures keeps the picture ids of VP8 and VP9 growing over a change of source. While the first source lasts nothing
// is rewritten, nor parsed: only the head of the latest payload is kept, for the day the source changes.
type pictures struct {
	codec   string // empty: the codec has no picture ids
	last    [8]byte
	lastLen int

	rewriting bool
	id        uint16 // out = in + id
	tl0       uint8
}

func newPictures(name string) pictures {
	if name != "VP8" && name != "VP9" {
		name = ""
	}
	return pictures{codec: name}
}

// begin starts with a source whose first payload is given.
func (p *pictures) begin(payload []byte) {
	p.rewriting = false
	if p.codec == "" || p.lastLen == 0 {
		return
	}
	before, ok := codec.ParsePicture(p.codec, p.last[:p.lastLen])
	first, ok2 := codec.ParsePicture(p.codec, payload)
	if !ok || !ok2 {
		return
	}
	p.rewriting = true
	p.id, p.tl0 = before.ID+1-first.ID, before.TL0+1-first.TL0
}

// rewritten returns a payload with this viewer's ids: as it is, or changed in a copy.
func (p *pictures) rewritten(payload, scratch []byte) []byte {
	if !p.rewriting {
		return payload
	}
	copied := scratch[:copy(scratch, payload)]
	p.rewrite(copied)
	return copied
}

// rewrite changes the ids in a copy of a payload.
func (p *pictures) rewrite(copied []byte) {
	if !p.rewriting {
		return
	}
	if picture, ok := codec.ParsePicture(p.codec, copied); ok {
		picture.Rewrite(copied, picture.ID+p.id, picture.TL0+p.tl0)
	}
}

// sent keeps the head of the latest payload, as it went out.
func (p *pictures) sent(payload []byte) {
	if p.codec != "" {
		p.lastLen = copy(p.last[:], payload)
	}
}
