package target

import (
	"encoding/json"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of livekit_rtc.proto (livekit/protocol, v1.50) that are spoken here, by the field that selects them.
const (
	// of a SignalRequest
	requestOffer     = 1
	requestAnswer    = 2
	requestAddTrack  = 4
	requestSubscribe = 6
	requestLeave     = 8
	requestPing      = 16

	// of a SignalResponse
	responseJoin      = 1
	responseAnswer    = 2
	responseOffer     = 3
	responseTrickle   = 4
	responsePublished = 6
	responseLeave     = 8
	responseRefusal   = 22
)

// livekitTrack is an AddTrackRequest.
type livekitTrack struct {
	cid           string // the track's name in the offer
	name          string
	kind          uint64 // 0 audio, 1 video
	source        uint64 // 1 camera, 2 microphone
	width, height uint64
}

// livekitSDP is a SessionDescription. An answer repeats the id of its offer.
type livekitSDP struct {
	kind, text string
	id         uint64
}

// message appends a message's fields: numbers at even places, values (string, []byte, uint64) at odd ones; zeros are left out.
func message(fields ...any) []byte {
	var b []byte
	for i := 0; i+1 < len(fields); i += 2 {
		number := protowire.Number(fields[i].(int))
		switch value := fields[i+1].(type) {
		case string:
			if value != "" {
				b = protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), value)
			}
		case []byte:
			b = protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), value)
		case uint64:
			if value != 0 {
				b = protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), value)
			}
		}
	}
	return b
}

func (s livekitSDP) request(field int) []byte {
	return message(field, message(1, s.kind, 2, s.text, 3, s.id))
}

func (t livekitTrack) request() []byte {
	return message(requestAddTrack, message(1, t.cid, 2, t.name, 3, t.kind, 4, t.width, 5, t.height, 8, t.source))
}

// subscribeRequest asks for tracks (UpdateSubscription).
func subscribeRequest(tracks []string) []byte {
	var body []byte
	for _, sid := range tracks {
		body = append(body, message(1, sid)...)
	}
	return message(requestSubscribe, append(body, message(2, uint64(1))...))
}

// pingRequest is a Ping at a time in milliseconds.
func pingRequest(ms int64) []byte { return message(requestPing, message(1, uint64(ms))) }

// leaveRequest says goodbye: reason CLIENT_INITIATED.
func leaveRequest() []byte { return message(requestLeave, message(2, uint64(1))) }

// eachField calls take with each field of a message: text of length-delimited ones, number of varints. It stops, without a
// word, where the message is broken: what it would have said is missed by whoever waits for it.
func eachField(m []byte, take func(field int, text []byte, number uint64)) {
	for len(m) > 0 {
		number, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			return
		}
		m = m[n:]
		switch kind {
		case protowire.BytesType:
			text, n := protowire.ConsumeBytes(m)
			if n < 0 {
				return
			}
			take(int(number), text, 0)
			m = m[n:]
		case protowire.VarintType:
			value, n := protowire.ConsumeVarint(m)
			if n < 0 {
				return
			}
			take(int(number), nil, value)
			m = m[n:]
		default:
			n := protowire.ConsumeFieldValue(number, kind, m)
			if n < 0 {
				return
			}
			m = m[n:]
		}
	}
}

func parseSDP(m []byte) (s livekitSDP) {
	eachField(m, func(field int, text []byte, number uint64) {
		switch field {
		case 1:
			s.kind = string(text)
		case 2:
			s.text = string(text)
		case 3:
			s.id = number
		}
	})
	return s
}

// parseJoin takes the interval of pings, in seconds, out of a JoinResponse.
func parseJoin(m []byte) (pingInterval uint64) {
	eachField(m, func(field int, _ []byte, number uint64) {
		if field == 11 {
			pingInterval = number
		}
	})
	return pingInterval
}

// parsePublished takes the client's and the server's name of a track out of a TrackPublishedResponse.
func parsePublished(m []byte) (cid, sid string) {
	eachField(m, func(field int, text []byte, _ uint64) {
		switch field {
		case 1:
			cid = string(text)
		case 2:
			eachField(text, func(field int, text []byte, _ uint64) {
				if field == 1 {
					sid = string(text)
				}
			})
		}
	})
	return cid, sid
}

// parseTrickle takes a candidate out of a TrickleRequest; "" if it has none that is UDP. Subscriber is whose transport it is
// of.
func parseTrickle(m []byte) (candidate string, subscriber bool) {
	var init struct {
		Candidate string `json:"candidate"`
	}
	eachField(m, func(field int, text []byte, number uint64) {
		switch field {
		case 1:
			_ = json.Unmarshal(text, &init) // nothing is learned from what is no JSON
		case 2:
			subscriber = number == 1
		}
	})
	if parts := strings.Fields(init.Candidate); len(parts) < 8 || !strings.EqualFold(parts[2], "udp") {
		return "", subscriber
	}
	return init.Candidate, subscriber
}
