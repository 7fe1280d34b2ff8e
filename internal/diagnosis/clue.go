package diagnosis

import (
	"maps"
	"regexp"
	"strings"
)

// Clues are what a client's own lines and statistics say, for the detectors.
type Clues struct {
	CameraBusy int64            // when it last said so, Unix milliseconds; 0: never
	Device     string           // its words for that
	ICE        map[string]State // by endpoint: "publisher", or a stream id
	Refused    int64            // when it last said that the server took no candidate of it
	Sent       map[string]Sent  // by kind: what it says it sends
	Unplayed   map[string]int64 // by stream: when it said that it does not play, Unix milliseconds; "": of which is not known
}

// State is what a client said of a connection's ICE, and when.
type State struct {
	Word string // "checking", "connected", "disconnected", "failed" …
	At   int64  // Unix milliseconds
}

// Sent is what a client counts of one kind it sends: the latest count, and the one before.
type Sent struct {
	Packets, Before float64
	At              int64
}

// maxClues bounds the endpoints and kinds that one client's lines may name.
const maxClues = 1000

// The texts of openvidu-browser 2.18 to 2.32 (WebRtcPeer.ts, Publisher.ts, OpenVidu.ts, Connection.ts); they come as JSON text, so quotes
// may be escaped.
var (
	iceLine  = regexp.MustCompile(`IceConnectionState of RTCPeerConnection \S+ \((publisher of )?([^)]{1,200})\) (?:change )?to \\*"(\w{1,20})`)
	busyLine = regexp.MustCompile(`DEVICE_ALREADY_IN_USE|NotReadableError[^"\\]{0,80}`)
	unplayed = regexp.MustCompile(`StreamManager of Stream (\S{1,200}) \(Subscriber\) did not trigger \\*"streamPlaying`)
	refused  = regexp.MustCompile(`NotAllowedError: (play\(\)|The play method)|play\(\)[^"\\]{0,80}NotAllowedError`)
	playing  = "Event 'streamPlaying' triggered by 'Subscriber'"
	streamID = regexp.MustCompile(`\\*"streamId\\*":\\*"([^"\\]{1,200})`)

	iceError = "ICE_CANDIDATE_ERROR"
	iceSend  = "Error sending ICE candidate"
)

// read takes what a line says, if it says anything; at is by our clock.
func (c *Clues) read(text string, at int64) {
	switch {
	case strings.Contains(text, "IceConnectionState"):
		m := iceLine.FindStringSubmatch(text)
		if m == nil {
			return
		}
		name := m[2]
		if m[1] != "" {
			name = publisherClue
		}
		if c.ICE == nil {
			c.ICE = map[string]State{}
		}
		if _, known := c.ICE[name]; known || len(c.ICE) < maxClues {
			c.ICE[name] = State{Word: m[3], At: at}
		}
	case strings.Contains(text, iceError), strings.Contains(text, iceSend):
		c.Refused = at
	case strings.Contains(text, "streamPlaying"):
		c.plays(text, at)
	case refused.MatchString(text):
		c.unplayed("", at)
	default:
		if said := busyLine.FindString(text); said != "" {
			c.CameraBusy, c.Device = at, said
		}
	}
}

// plays reads whether a stream plays. The SDK says that one does only if the application listens, and in a line that may
// be cut before the stream's name: then it is any.
func (c *Clues) plays(text string, at int64) {
	if m := unplayed.FindStringSubmatch(text); m != nil {
		c.unplayed(m[1], at)
		return
	}
	if !strings.Contains(text, playing) {
		return
	}
	if m := streamID.FindStringSubmatch(text); m != nil {
		delete(c.Unplayed, m[1])
		delete(c.Unplayed, "")
		return
	}
	c.Unplayed = nil
}

func (c *Clues) unplayed(stream string, at int64) {
	if c.Unplayed == nil {
		c.Unplayed = map[string]int64{}
	}
	if _, known := c.Unplayed[stream]; known || len(c.Unplayed) < maxClues {
		c.Unplayed[stream] = at
	}
}

// publisherClue is the key of the client's own stream among its ICE states.
const publisherClue = "publisher"

// measured takes the counts of a WebRTC statistics post (WebRtcStats.ts: webrtc_stats.outbound.<kind>.packetsSent).
func (c *Clues) measured(stats map[string]any, at int64) {
	inner, ok := stats["webrtc_stats"].(map[string]any)
	if !ok {
		inner = stats
	}
	outbound, _ := inner["outbound"].(map[string]any)
	for _, kind := range []string{"audio", "video"} {
		of, _ := outbound[kind].(map[string]any)
		packets, ok := of["packetsSent"].(float64)
		if !ok {
			continue
		}
		if c.Sent == nil {
			c.Sent = map[string]Sent{}
		}
		c.Sent[kind] = Sent{Packets: packets, Before: c.Sent[kind].Packets, At: at}
	}
}

// sends reports whether the client says that it has lately sent packets of a kind.
func (c *Clues) sends(kind string, now int64) bool {
	s := c.Sent[kind]
	return s.Packets > s.Before && now-s.At < 10_000
}

// ice is what the client last said of an endpoint's ICE, "" if nothing: not of a transport before it.
func (c *Clues) ice(e *Endpoint) string {
	name := publisherClue
	if e.Publisher != "" {
		name = e.Stream
	}
	said := c.ICE[name]
	if said.At < e.Read-e.Facts.Age-batched { // the client's clock is known to some seconds
		return ""
	}
	return said.Word
}

func (c *Clues) clone() Clues {
	copied := *c
	copied.ICE, copied.Sent, copied.Unplayed = maps.Clone(c.ICE), maps.Clone(c.Sent), maps.Clone(c.Unplayed)
	return copied
}
