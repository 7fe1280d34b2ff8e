package peer

import (
	"crypto/rand"
	"encoding/binary"

	"tertulia/internal/media"
	"tertulia/internal/media/forward"
	"tertulia/internal/media/receive"
	"tertulia/internal/media/sdp"
)

// cachePackets is how many packets of a video track stay for retransmission: some 2 s at 2 Mbit/s.
const (
	cachePackets      = 512
	cachePacketsAudio = 64
)

func cacheFor(kind media.Kind) int {
	if kind == media.Audio {
		return cachePacketsAudio
	}
	return cachePackets
}

// section is one accepted m-line at work.
type section struct {
	endpoint  *Endpoint
	kind, mid string
	codec     sdp.Codec

	midExt, timeExt, transportExt, levelExt uint8

	track    *media.Track // what the client publishes here; nil if it does not
	receiver *receive.Receiver
	heard    media.Time // when it last had a packet
	rate     *frameRate // of a video

	source    *media.Track // what we send here; nil if we do not
	here      *media.Track // source, or its mirror on this shard; nil before the first attach
	send      sdp.Stream
	forwarder *forward.Forwarder
}

func newSection(e *Endpoint, s *sdp.Section, codec sdp.Codec) *section {
	return &section{
		endpoint: e, kind: shared(s.Kind), mid: shared(s.MID), codec: lastingCodec(codec),
		midExt: s.Extension(sdp.ExtMID), timeExt: s.Extension(sdp.ExtAbsSendTime),
		transportExt: s.Extension(sdp.ExtTransportCC), levelExt: s.Extension(sdp.ExtAudioLevel),
	}
}

// stream draws the SSRCs of what we send.
func stream(e *Endpoint, codec sdp.Codec) sdp.Stream {
	var b [8]byte
	_, _ = rand.Read(b[:])
	st := sdp.Stream{SSRC: binary.BigEndian.Uint32(b[:]) | 1, CNAME: e.ufrag}
	if codec.RTX != 0 {
		st.RTX = binary.BigEndian.Uint32(b[4:]) &^ 1
	}
	return st
}

func trackOf(s *Shard, kind string, codec sdp.Codec) *media.Track {
	t := &media.Track{Kind: media.Audio, Turn: &s.turn, Shard: s.index}
	if kind == "video" {
		t.Kind = media.Video
	}
	t.Codec = media.Codec{Name: codec.Name, ClockRate: codec.ClockRate, Channels: codec.Channels, Fmtp: codec.Fmtp}
	return t
}

// receive makes an SSRC of the client's the one that feeds the track.
func (sec *section) receive(ssrc, rtx uint32) {
	sec.receiver = receive.New(receive.Config{
		Track: sec.track, SSRC: ssrc, RTXSSRC: rtx,
		PayloadType: sec.codec.PayloadType, RTXPayloadType: sec.codec.RTX,
		NACK: sec.codec.Has("nack"), PLI: sec.codec.Has("nack pli"), FIR: sec.codec.Has("ccm fir"),
		CachePackets: cacheFor(sec.track.Kind), Wanting: sec.endpoint.wanted,
	})
	sec.track.SetSource(sec.receiver)
	if sec.rate == nil && sec.track.Kind == media.Video {
		sec.rate = new(frameRate)
	}
}

// feed makes a receiver that was there before the one that feeds the track.
func (sec *section) feed(r *receive.Receiver) {
	sec.receiver = r
	sec.track.SetSource(r)
}

// attach lets the media flow to the client, and flow again after a pause.
func (sec *section) attach(now media.Time) {
	if sec.source == nil {
		return
	}
	if sec.forwarder == nil {
		sec.here = sec.endpoint.shard.mirrors.join(sec.source)
		sec.forwarder = sec.newForwarder()
	}
	sec.here.Attach(sec.forwarder)
	sec.here.RequestKeyframe(now)
}

// pause stops the flow to a client that cannot be sent to. Numbers must not run on meanwhile: after half a cycle both
// ends would count SRTP's rollovers wrongly (RFC 3711 §3.3.1), and we would use a nonce twice.
func (sec *section) pause() {
	if sec.forwarder != nil {
		sec.here.Detach(sec.forwarder)
		sec.forwarder.Pause()
	}
}

func (sec *section) newForwarder() *forward.Forwarder {
	e := sec.endpoint
	return forward.New(forward.Config{
		Track: sec.here, SSRC: sec.send.SSRC, RTXSSRC: sec.send.RTX,
		PayloadType: sec.codec.PayloadType, RTXPayloadType: sec.codec.RTX,
		MID: sec.mid, MIDExt: sec.midExt, AbsSendTimeExt: sec.timeExt, TransportCCExt: sec.transportExt,
		AudioLevelExt:     sec.levelExt,
		TransportSequence: &e.transportN, NACK: sec.codec.Has("nack"), Out: egress{&e.transport}, Buffer: e.shard.build,
	})
}

func (sec *section) release() {
	if sec.forwarder != nil {
		sec.here.Detach(sec.forwarder)
		sec.endpoint.shard.mirrors.leave(sec.source)
	}
	// A reconnected publisher may feed the track already.
	if sec.receiver != nil && sec.track.Source() == media.Source(sec.receiver) {
		sec.track.SetSource(nil)
	}
}
