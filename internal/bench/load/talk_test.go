package load

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

const (
	gcm = srtp.ProtectionProfileAeadAes128Gcm
	cm  = srtp.ProtectionProfileAes128CmHmacSha1_80
)

// packet seals RTP of the server: padding bytes at its end, the last of which counts them.
func (s *stage) packet(ssrc uint32, sequence uint16, payload []byte, padding byte) []byte {
	s.t.Helper()
	h := rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: sequence, PayloadType: 96, Marker: true, Padding: padding > 0}
	raw, err := h.Marshal()
	ok(s.t, err)
	raw = append(raw, payload...)
	if padding > 0 {
		raw = append(append(raw, make([]byte, padding-1)...), padding)
	}
	sealed, err := s.out.EncryptRTP(nil, raw, nil)
	ok(s.t, err)
	return sealed
}

// TestReceiverReports name what was heard, highest numbers first of all, past a rollover and without going back.
func TestReceiverReports(t *testing.T) {
	for _, profile := range []srtp.ProtectionProfile{gcm, cm} {
		s := newStage(t, Config{Probe: true}, false)
		s.key(profile)
		for _, sequence := range []uint16{65533, 65534, 2, 1, 65535} { // 1 and 65535 come late
			s.say(s.server, s.packet(7, sequence, []byte("media"), 0))
		}
		s.say(s.server, s.packet(8, 0, []byte("media"), 0))
		s.say(s.server, s.packet(8, 65535, []byte("before it"), 0))
		if n := s.client.Delivered(); n != 7 {
			t.Errorf("%d packets delivered, want 7", n)
		}
		s.client.report()
		all := s.reports()
		if len(all) != 2 {
			t.Fatalf("%d packets: want a report and a description", len(all))
		}
		r := all[0].(*rtcp.ReceiverReport)
		want := []rtcp.ReceptionReport{{SSRC: 7, LastSequenceNumber: 1<<16 + 2}, {SSRC: 8}}
		if r.SSRC != s.client.ssrc || !slices.Equal(r.Reports, want) {
			t.Errorf("%d reports %+v, want %+v", r.SSRC, r.Reports, want)
		}
		d := all[1].(*rtcp.SourceDescription).Chunks
		if len(d) != 1 || d[0].Source != s.client.ssrc || len(d[0].Items) != 1 || d[0].Items[0].Text != s.client.cname {
			t.Errorf("described as %+v", d)
		}
	}
}

// TestSourcesHaveALimit: a server that changes its SSRC with every packet fills nothing.
func TestSourcesHaveALimit(t *testing.T) {
	s := newStage(t, Config{Probe: true}, false)
	s.key(gcm)
	for i := range uint32(40) {
		s.say(s.server, s.packet(i+1, 1, []byte("media"), 0))
	}
	if s.client.report(); len(s.reports()[0].(*rtcp.ReceiverReport).Reports) != maxSources {
		t.Errorf("%d sources", len(s.client.sources))
	}
}

// TestSenderReports count what was sent, at one time in two clocks.
func TestSenderReports(t *testing.T) {
	s := newStage(t, Config{}, true)
	s.agree()
	s.key(gcm)
	s.client.report()
	before := s.reports()
	if len(before) != 4 || len(before[0].(*rtcp.ReceiverReport).Reports) != 0 || before[2].(*rtcp.ReceiverReport).SSRC != s.client.tracks[1].ssrc {
		t.Fatalf("before the first packet: %+v", before)
	}
	begun := time.Unix(1_800_000_000, 0)
	video := s.client.tracks[1]
	var b [largest]byte
	for i := range 3 {
		at := begun.Add(time.Duration(i) * time.Second).UnixNano()
		video.build(b[:0], Packet{Size: 500, Marker: true}, true, at, at, uint16(i), func() bool { return false })
	}
	r, ready := video.report(begun.Add(1500 * time.Millisecond))
	if !ready || r.SSRC != video.ssrc || r.PacketCount != 3 || r.OctetCount != uint32(3*(500-len(video.header))) {
		t.Errorf("%v %+v", ready, r)
	}
	if r.RTPTime != video.base+135000 || r.NTPTime != (1_800_000_001+2208988800)<<32|1<<31 {
		t.Errorf("1.5 s are %d ticks, at %x", r.RTPTime-video.base, r.NTPTime)
	}
	s.client.report()
	all := s.reports()
	if sent := all[2].(*rtcp.SenderReport); sent.SSRC != video.ssrc || sent.PacketCount != 3 {
		t.Errorf("%+v", sent)
	}
}

// TestGreets: the first word under the keys; a viewer that knows its picture asks for a key frame.
func TestGreets(t *testing.T) {
	for _, video := range []uint32{0, 77} {
		s := newStage(t, Config{}, false)
		s.key(gcm)
		s.client.remote.video = video
		s.client.greet()
		asked := uint32(0)
		for _, p := range s.reports() {
			if pli, is := p.(*rtcp.PictureLossIndication); is {
				asked = pli.MediaSSRC
			}
		}
		if asked != video {
			t.Errorf("asked for a key frame of %d, want %d", asked, video)
		}
	}
	quiet := newStage(t, Config{Reports: -1, Consent: -1}, false)
	quiet.key(gcm)
	quiet.client.greet()
	quiet.client.tick(time.Hour)
	if n := len(heard(t, quiet.server)); n != 0 {
		t.Errorf("%d datagrams of a client that shall say nothing", n)
	}
}

// TestReportsAreSpread: clients that came together report at times of their own, within one interval.
func TestReportsAreSpread(t *testing.T) {
	s := newStage(t, Config{}, false)
	s.key(gcm)
	times := map[time.Duration]bool{}
	for i := range uint32(256) {
		s.client.ssrc = i << 8
		before := s.client.loop.now()
		s.client.greet()
		if s.client.reportAt < before || s.client.reportAt > s.client.loop.now()+s.client.config.Reports {
			t.Fatalf("the next report is in %v", s.client.reportAt-before)
		}
		times[s.client.reportAt.Truncate(s.client.config.Reports/256)] = true
	}
	if len(times) < 128 {
		t.Errorf("256 clients have %d times", len(times))
	}
}

// TestKeyFrameIsAskedFor by PLI or FIR, wherever it stands in the compound; the next picture is one, and only that.
func TestKeyFrameIsAskedFor(t *testing.T) {
	for name, ask := range map[string]rtcp.Packet{
		"PLI": &rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 2},
		"FIR": &rtcp.FullIntraRequest{SenderSSRC: 1, MediaSSRC: 2, FIR: []rtcp.FIREntry{{SSRC: 2, SequenceNumber: 1}}},
	} {
		s := newStage(t, Config{}, true)
		s.agree()
		s.key(cm)
		var b [largest]byte
		at := int64(1)
		picture := func(begins bool) (key bool) {
			at += 1e6
			raw := s.client.tracks[1].build(b[:0], Packet{Size: 300}, begins, at, at, 0, func() bool { return s.client.keyframe.Swap(false) })
			return begins && raw[len(s.client.tracks[1].header)+4]&1 == 0
		}
		if !picture(true) || picture(true) {
			t.Fatalf("%s: the first picture is a key frame, the second none", name)
		}
		compound, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1}, ask})
		ok(t, err)
		sealed, err := s.out.EncryptRTCP(nil, compound, nil)
		ok(t, err)
		forged := slices.Clone(sealed)
		forged[len(forged)-1] ^= 1
		s.say(s.server, forged)
		if picture(true) {
			t.Errorf("%s: a forged one is heard", name)
		}
		s.say(s.server, sealed)
		if picture(false) || !picture(true) || picture(true) {
			t.Errorf("%s: the next picture, and only that, is a key frame", name)
		}
		other, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1}, &rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: 2, Nacks: []rtcp.NackPair{{PacketID: 1}}}})
		ok(t, err)
		sealed, err = s.out.EncryptRTCP(nil, other, nil)
		ok(t, err)
		s.say(s.server, sealed)
		if picture(true) {
			t.Errorf("%s: a NACK asks for no key frame", name)
		}
	}
}

// TestProbeReadsBehindPadding: a server pads what it sends in one run by a byte; the trailer stands before it.
func TestProbeReadsBehindPadding(t *testing.T) {
	s := newStage(t, Config{Probe: true}, false)
	s.key(gcm)
	var all Heard
	s.client.heard = &all
	payload := make([]byte, 100)
	sign(payload, videoMagic, time.Now().UnixNano(), 0)
	for i, padding := range []byte{0, 1, 4, 255} {
		s.say(s.server, s.packet(7, uint16(i), payload, padding))
	}
	if n := all.Video.Count(); n != 4 || all.Last.Count() != 4 {
		t.Errorf("%d packets heard, %d of them last, want 4", n, all.Last.Count())
	}
	s.say(s.server, s.packet(7, 4, payload[:20], 0))
	s.say(s.server, s.packet(7, 5, payload[len(payload)-trailerSize+1:], 0))
	s.say(s.server, s.packet(7, 6, nil, 3))
	forged := s.packet(7, 7, payload, 0)
	forged[40] ^= 1
	s.say(s.server, forged)
	if n := all.Video.Count(); n != 4 {
		t.Errorf("%d packets heard of those without a trailer", n-4)
	}
	if n := s.client.Delivered(); n != 8 {
		t.Errorf("%d packets delivered, want 8", n)
	}
}

// TestOnlyTheServerIsHeard: a port may have had another owner.
func TestOnlyTheServerIsHeard(t *testing.T) {
	s := newStage(t, Config{Probe: true}, false)
	stranger := s.socket()
	b := []byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2}
	s.post(stranger, b) // before the socket is connected
	s.key(gcm)
	s.client.receive()
	s.say(s.server, b)
	if n := s.client.Delivered(); n != 1 || len(s.client.sources) != 1 {
		t.Errorf("%d packets and %d sources, want 1", n, len(s.client.sources))
	}
}
