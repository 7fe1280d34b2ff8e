package codec

import "encoding/binary"

// Picture says which numbers a VP8 or VP9 payload carries and where, so that they can be rewritten in place.
type Picture struct {
	ID     uint16
	IDBits uint8 // 7 or 15; 0: the payload has no picture id
	TL0    uint8 // TL0PICIDX, the number of the latest frame of temporal layer 0
	HasTL0 bool

	idAt, tl0At int
}

// ParsePicture finds the picture numbers of a payload; ok is false if its codec has none or the payload is cut short.
// The name is the rtpmap's in upper case.
func ParsePicture(name string, payload []byte) (p Picture, ok bool) {
	var d descriptor
	switch name {
	case "VP8":
		d, ok = parseVP8(payload)
	case "VP9":
		d, ok = parseVP9(payload)
	}
	return d.Picture, ok
}

// Rewrite writes other numbers into the payload p was parsed from, or a copy of it. The id keeps its width, its upper
// bits are lost; what the payload does not carry is not added.
func (p Picture) Rewrite(payload []byte, id uint16, tl0 uint8) {
	switch p.IDBits {
	case 7:
		payload[p.idAt] = byte(id & 0x7f)
	case 15:
		binary.BigEndian.PutUint16(payload[p.idAt:], id|0x8000)
	}
	if p.HasTL0 {
		payload[p.tl0At] = tl0
	}
}

// descriptor is a payload descriptor: what stands before the codec's own bytes.
type descriptor struct {
	Picture
	layersAt int // VP9: the byte with the spatial layer
	size     int // of the part that was parsed; VP8: all of it
}

// parseVP8 reads RFC 7741 §4.2:
//
//	X R N S R PID · I L T K RSV · M PictureID (7 or 15 bits) · TL0PICIDX · TID Y KEYIDX
func parseVP8(b []byte) (d descriptor, ok bool) {
	if len(b) < 1 {
		return d, false
	}
	if b[0]&0x80 == 0 {
		d.size = 1
		return d, true
	}
	if len(b) < 2 {
		return d, false
	}
	flags := b[1]
	d.size = 2
	if flags&0x80 != 0 && !d.readID(b) {
		return d, false
	}
	if flags&0x40 != 0 && !d.readTL0(b) {
		return d, false
	}
	if flags&0x30 != 0 {
		d.size++
	}
	return d, d.size <= len(b)
}

// parseVP9 reads RFC 9628 §4.2 up to TL0PICIDX:
//
//	I P L F B E V Z · M PictureID (7 or 15 bits) · TID U SID D · TL0PICIDX (not in flexible mode)
func parseVP9(b []byte) (d descriptor, ok bool) {
	if len(b) < 1 {
		return d, false
	}
	const hasID, hasLayers, flexible = 0x80, 0x20, 0x10
	flags := b[0]
	d.size = 1
	if flags&hasID != 0 && !d.readID(b) {
		return d, false
	}
	if flags&hasLayers != 0 {
		if d.layersAt = d.size; d.layersAt >= len(b) {
			return d, false
		}
		d.size++
		if flags&flexible == 0 && !d.readTL0(b) {
			return d, false
		}
	}
	return d, true
}

// readID reads M and the picture id at d.size.
func (d *descriptor) readID(b []byte) bool {
	at := d.size
	switch {
	case at >= len(b):
		return false
	case b[at]&0x80 == 0:
		d.ID, d.IDBits, d.idAt = uint16(b[at]), 7, at
		d.size++
		return true
	case at+1 >= len(b):
		return false
	}
	d.ID, d.IDBits, d.idAt = binary.BigEndian.Uint16(b[at:])&0x7fff, 15, at
	d.size += 2
	return true
}

func (d *descriptor) readTL0(b []byte) bool {
	if d.size >= len(b) {
		return false
	}
	d.TL0, d.HasTL0, d.tl0At = b[d.size], true, d.size
	d.size++
	return true
}
