package mediactl

import (
	"encoding/json"
	"reflect"
	"testing"
)

// samples have every field set, so that a field that does not travel is seen.
var samples = map[string]any{
	`{"session":"s","endpoint":"con_1","offer":"v=0","loopback":true,"policy":{"video":["VP8"],"strict":true,"maxRecvKbps":1,"maxSendKbps":2,` +
		`"commonStream":true},"peer":{"loopback":true},"reconnect":true}`: Publish{
		Session: "s", Endpoint: "con_1", Offer: "v=0", Loopback: true, Reconnect: true, Peer: Peer{Loopback: true},
		Policy: Policy{Video: []string{"VP8"}, Strict: true, MaxRecvKbps: 1, MaxSendKbps: 2, CommonStream: true},
	},
	`{"session":"s","endpoint":"con_2_str","source":"con_1","offer":"v=0","policy":{"maxSendKbps":3},"peer":{"loopback":true},"audio":true,"video":true}`: Subscribe{
		Session: "s", Endpoint: "con_2_str", Source: "con_1", Offer: "v=0", Policy: Policy{MaxSendKbps: 3}, Peer: Peer{Loopback: true}, Audio: true, Video: true,
	},
	`{"sdp":"v=0","candidates":[{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":1}],"audio":"opus","video":"VP8"}`: Description{
		SDP: "v=0", Candidates: []Candidate{{Candidate: "candidate:1", SDPMid: "0", SDPMLineIndex: 1}}, Audio: "opus", Video: "VP8",
	},
	`{"session":"s","endpoint":"e","sdp":"v=0"}`:                                    Answer{Session: "s", Endpoint: "e", SDP: "v=0"},
	`{"session":"s","endpoint":"e","candidate":{"candidate":"","sdpMLineIndex":0}}`: Trickle{Session: "s", Endpoint: "e"},
	`{"session":"s","endpoint":"e"}`:                                                Release{Session: "s", Endpoint: "e"},
	`{"session":"s","endpoint":"e","type":"failed","reason":"consent expired"}`:     Event{Session: "s", Endpoint: "e", Type: Failed, Reason: "consent expired"},
	`{"endpoint":"e","state":"connected","localSdp":"l","remoteSdp":"r","localCandidate":"lc","remoteCandidate":"rc",` +
		`"signalled":[{"candidate":"c","sdpMLineIndex":0}],"packets":1,"bytes":18446744073709551615}`: EndpointStats{
		Endpoint: "e", State: "connected", LocalSDP: "l", RemoteSDP: "r", LocalCandidate: "lc", RemoteCandidate: "rc",
		Signalled: []Candidate{{Candidate: "c"}}, Packets: 1, Bytes: 1<<64 - 1,
	},
}

// TestShapesTravel: each type is what it was after a way as JSON, and its keys do not change between releases of us.
func TestShapesTravel(t *testing.T) {
	for want, sample := range samples {
		text, err := json.Marshal(sample)
		if err != nil || string(text) != want {
			t.Errorf("%T: %s, %v\nwant %s", sample, text, err, want)
			continue
		}
		back := reflect.New(reflect.TypeOf(sample))
		if err := json.Unmarshal(text, back.Interface()); err != nil || !reflect.DeepEqual(back.Elem().Interface(), sample) {
			t.Errorf("%T came back as %+v, %v", sample, back.Elem(), err)
		}
	}
}

// TestZeroMeansNothing: what is left out means the least: no loopback, every codec, no bound, nothing kept.
func TestZeroMeansNothing(t *testing.T) {
	for _, sample := range samples {
		kind := reflect.TypeOf(sample)
		empty := reflect.New(kind)
		if err := json.Unmarshal([]byte(`{}`), empty.Interface()); err != nil || !empty.Elem().IsZero() {
			t.Errorf("%v from {}: %+v, %v", kind, empty.Elem(), err)
		}
		for f := range kind.Fields() {
			if f.Tag.Get("json") == "" {
				t.Errorf("%v.%s has no name on the wire", kind, f.Name)
			}
		}
	}
}
