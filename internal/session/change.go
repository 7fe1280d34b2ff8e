package session

import (
	"encoding/json"
	"strings"

	"tertulia/internal/fault"
)

// maxPropertyValue bounds what a client may have sent to all others, and kept, as one property.
const maxPropertyValue = 4096

// changeStream is streamPropertyChanged of the caller's own stream (spec §4.10): flags and dimensions are kept for
// those who join later. Without a stream it is answered and dropped; before the announcement, which will carry the
// new value, nobody is told (spec §9.6).
func changeStream(t *turn, me *Connection, c ChangeStream) {
	if me.Stream == nil {
		t.reply(nil)
		return
	}
	if len(c.NewValue) > maxPropertyValue {
		t.fail(fault.New(fault.TooLarge, "newValue has %d bytes; %d are allowed", len(c.NewValue), maxPropertyValue))
		return
	}
	if err := me.Stream.Media.change(c.Property, c.NewValue); err != nil {
		t.fail(err)
		return
	}
	t.save()
	t.reply(nil)
	if me.Stream.Phase != Publishing {
		t.notify(StreamChanged{
			Connection: me.ID, Stream: me.Stream.ID, Property: c.Property, NewValue: c.NewValue, Reason: c.Reason,
		}, t.joined(me.ID)...)
	}
}

// change keeps the new value of a property, given as JSON text. "filter" is the server's to tell, never a client's.
func (m *StreamMedia) change(property, value string) error {
	var ok bool
	switch property {
	case "audioActive":
		m.AudioActive, ok = parseBool(value, m.AudioActive)
	case "videoActive":
		m.VideoActive, ok = parseBool(value, m.VideoActive)
	case "videoDimensions":
		var dimensions string
		if ok = json.Unmarshal([]byte(value), &dimensions) == nil && isDimensions(dimensions); ok {
			m.Dimensions = dimensions
		}
	case "audioTrack", "videoTrack":
		ok = json.Valid([]byte(value))
	default:
		return fault.New(fault.Invalid, "property %.40q is none of audioActive, videoActive, videoDimensions, audioTrack, videoTrack", property)
	}
	if !ok {
		return fault.New(fault.Invalid, "newValue %.60s does not suit property %s", value, property)
	}
	return nil
}

const maxDimensions = 256

// isDimensions reports whether text is JSON of {width, height}. Everybody who joins later parses it while it joins:
// what does not parse would keep them all out (Connection.ts, getRemoteOptions).
func isDimensions(text string) bool {
	var d struct{ Width, Height *float64 }
	return len(text) <= maxDimensions && strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &d) == nil
}

// parseBool reads true, "true", false or "false"; anything else leaves the old value.
func parseBool(value string, old bool) (parsed, ok bool) {
	switch value {
	case `true`, `"true"`:
		return true, true
	case `false`, `"false"`:
		return false, true
	}
	return old, false
}
