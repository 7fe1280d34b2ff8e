package load

import (
	"strings"
	"testing"

	"github.com/pion/stun/v4"
)

// FuzzDatagram: whatever comes, before and after there are keys, is read, and a client holds no more than it may.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add([]byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3}, true)
	f.Add([]byte{0x80, 200, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3}, true)
	f.Add([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, false)
	if m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewShortTermIntegrity("x"), stun.Fingerprint); err == nil {
		f.Add(m.Raw, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, keyed bool) {
		if len(b) > largest {
			b = b[:largest]
		}
		for _, publishes := range []bool{true, false} {
			s := newStage(t, Config{Probe: !publishes}, publishes)
			if keyed {
				s.key(gcm)
			}
			s.say(s.server, b)
			if s.client.selected.IsValid() != keyed || s.client.handshake != nil || len(s.client.sources) > 1 {
				t.Errorf("a foreign datagram has changed the client: %+v", s.client.sources)
			}
		}
	})
}

// FuzzSealed: what a server seals is foreign, too.
func FuzzSealed(f *testing.F) {
	f.Add([]byte{0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}, []byte{0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xbe, 0xde, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{0x81, 206, 0xff, 0xff, 0, 0, 0, 1}, []byte{0xb0, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 200})
	f.Fuzz(func(t *testing.T, control, media []byte) {
		if len(control) > 1200 || len(media) > 1200 {
			return
		}
		speaker := newStage(t, Config{}, true)
		speaker.key(gcm)
		if sealed, err := speaker.out.EncryptRTCP(nil, control, nil); err == nil {
			speaker.say(speaker.server, sealed)
		}
		probe := newStage(t, Config{Probe: true}, false)
		probe.key(gcm)
		var all Heard
		probe.client.heard = &all
		if sealed, err := probe.out.EncryptRTP(nil, media, nil); err == nil {
			probe.say(probe.server, sealed)
		}
		if n := all.Video.Count() + all.Audio.Count(); n > 1 {
			t.Errorf("one packet is heard %d times", n)
		}
	})
}

// FuzzDescription: an offer or answer is taken or refused; an answer of ours can be read.
// Its coverage varies with the goroutines: fuzz it with -fuzzminimizetime 1x, or all the time goes to minimizing.
func FuzzDescription(f *testing.F) {
	f.Add(server("actpass", "gone", "audio", "data", "video"), false)
	f.Add(server("active", "audio", "h264"), true)
	f.Add(strings.ReplaceAll(server("passive", "data"), "a=mid", "a=x"), true)
	f.Fuzz(func(t *testing.T, text string, publishes bool) {
		loop, end := start(t)
		defer end()
		answering, err := newClient(Config{Loop: loop}, publishes)
		ok(t, err)
		if answer, err := answering.Answer(text); err == nil && !strings.HasPrefix(answer, "v=0\r\n") {
			t.Errorf("the answer is %q", answer)
		}
		if r := answering.remote; len(r.candidates) > maxCandidates || len(r.fingerprints) > maxCandidates {
			t.Errorf("%d candidates, %d fingerprints", len(r.candidates), len(r.fingerprints))
		}
		ok(t, answering.Close())
		c, err := newClient(Config{Loop: loop}, publishes)
		ok(t, err)
		_, err = c.Offer()
		ok(t, err)
		if err := c.Accept(text); err != nil && c.begun {
			t.Errorf("begun, and refused: %v", err)
		}
		ok(t, c.Close())
	})
}
