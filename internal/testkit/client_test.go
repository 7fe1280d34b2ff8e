package testkit

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"tertulia/internal/media/codec"
)

// TestPictures are what the server takes for VP8: a start, a key frame or none, and a 15-bit picture id.
func TestPictures(t *testing.T) {
	for _, c := range []struct {
		id         uint16
		start, key bool
		want       bool
	}{{1, true, true, true}, {300, true, false, false}, {300, false, true, false}, {1<<15 - 1, true, true, true}} {
		p := vp8(c.id, c.start, c.key)
		if len(p) != 1000 || vp8Key(p) != c.want {
			t.Errorf("%+v: %x is a key frame: %v", c, p[:5], vp8Key(p))
		}
		if id := uint16(p[2]&0x7f)<<8 | uint16(p[3]); id != c.id || p[2]&0x80 == 0 {
			t.Errorf("picture id %d, want %d", id, c.id)
		}
	}
	for _, scrap := range [][]byte{nil, {0x90}, {0x10, 0, 0, 0, 0}, {0x90, 0, 0, 0, 0}} {
		if vp8Key(scrap) {
			t.Errorf("%x is a key frame", scrap)
		}
	}
}

// TestAV1Pictures are what the server takes for AV1.
func TestAV1Pictures(t *testing.T) {
	for part := range parts {
		for _, key := range []bool{false, true} {
			p, begins := picture(AV1.MimeType, 1, part, key), part == 0 && key
			if len(p) != 1000 || keyframe(AV1.MimeType, p) != begins || codec.Keyframe("AV1", p) != begins {
				t.Errorf("part %d, key %v: %x", part, key, p[:8])
			}
		}
	}
}

func TestOffers(t *testing.T) {
	offer := NewClient(t, ClientConfig{}).PublishOffer(VP8)
	if strings.Count(offer, "a=sendonly") != 2 || !strings.Contains(offer, "a=setup:actpass") || !strings.Contains(offer, "transport-wide-cc") {
		t.Errorf("a publisher offers\n%s", offer)
	}
	offer = NewClient(t, ClientConfig{Audio: PCMA}).PublishOffer(AV1)
	if !strings.Contains(offer, "RTP/SAVPF 8\r\n") || !strings.Contains(offer, "RTP/SAVPF 45 46\r\n") || !strings.Contains(offer, "a=fmtp:45 level-idx=5;profile=0;tier=0") {
		t.Errorf("a publisher of AV1 and PCMA offers\n%s", offer)
	}
	offer = NewClient(t, ClientConfig{}).SubscribeOffer()
	if strings.Count(offer, "a=recvonly") != 2 {
		t.Errorf("a subscriber offers\n%s", offer)
	}
	answer := NewClient(t, ClientConfig{}).Answer(offer)
	if !strings.Contains(answer, "a=setup:active") {
		t.Errorf("answers must be active, as browsers' are:\n%s", answer)
	}
}

// TestWait sees what was noted before and what is noted later.
func TestWait(t *testing.T) {
	c := NewClient(t, ClientConfig{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c.note(func() { c.keyframes = 1 })
	c.Wait(ctx, "a key frame", c.HasKeyframe)
	c.tasks.Go(func() { c.note(func() { c.reports = append(c.reports, &rtcp.Goodbye{}) }) })
	c.Wait(ctx, "BYE", c.HasRTCP("Goodbye"))
	if c.HasRTCP("SenderReport")() || c.HasRTCP("bye")() {
		t.Error("a report that never came is there")
	}
	if c.Keyframes() != 1 || len(c.Reports()) != 1 || len(c.Headers("video")) != 0 {
		t.Errorf("%d key frames, %d reports", c.Keyframes(), len(c.Reports()))
	}
	c.WantRTCP(t, "Goodbye")
}

// TestClosingEndsPublishing: clean-up must not wait for the context.
func TestClosingEndsPublishing(t *testing.T) {
	c := NewClient(t, ClientConfig{})
	c.PublishOffer(VP8)
	c.Publish(t.Context())
	c.Close()
	c.Close()
}

func TestCertificate(t *testing.T) {
	one, two := Certificate(t), Certificate(t)
	if bytes.Equal(one.Certificate[0], two.Certificate[0]) {
		t.Error("two calls give the same certificate")
	}
	leaf, err := x509.ParseCertificate(one.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || time.Now().After(leaf.NotAfter) || time.Now().Before(leaf.NotBefore) {
		t.Errorf("%v from %v to %v", leaf.PublicKeyAlgorithm, leaf.NotBefore, leaf.NotAfter)
	}
}
