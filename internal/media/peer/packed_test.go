package peer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"tertulia/internal/media/sdp"
)

// TestPacked: descriptions come back as they were, and take a third of their size or less; short ones and foreign
// bytes come back, too.
func TestPacked(t *testing.T) {
	names, err := filepath.Glob("../sdp/testdata/*")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p := pack(string(text))
		if p.text() != string(text) {
			t.Errorf("%s came back otherwise", name)
		}
		if len(text) > 4000 && len(p) > len(text)/3 {
			t.Errorf("%s: %d bytes packed to %d", name, len(text), len(p))
		}
	}
	for _, text := range []string{"v", strings.Repeat("\x00\xff", 10000)} {
		if got := pack(text).text(); got != text {
			t.Errorf("%d bytes came back as %d", len(text), len(got))
		}
	}
	if got := packed("").text(); got != "" {
		t.Errorf("nothing came back as %q", got)
	}
}

// within tells whether a string is a part of the text's own bytes.
func within(s, text string) bool {
	at, from := uintptr(unsafe.Pointer(unsafe.StringData(s))), uintptr(unsafe.Pointer(unsafe.StringData(text)))
	return s != "" && at >= from && at < from+uintptr(len(text))
}

// TestNothingKeepsTheOffer: what an endpoint holds of its client's description are copies.
func TestNothingKeepsTheOffer(t *testing.T) {
	h := openHall(t, "AA:BB")
	publish, err := os.ReadFile("../sdp/testdata/chromium-publish.sdp")
	if err != nil {
		t.Fatal(err)
	}
	for _, offer := range []string{string(publish), h.offer} {
		e, err := h.Open(t.Context(), EndpointConfig{Name: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		if offer == h.offer {
			_, err = e.AcceptSubscribe(t.Context(), offer, SubscribeOptions{Tracks: h.tracks})
		} else {
			_, err = e.AcceptPublish(t.Context(), offer, PublishOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
		kept := append([]string{e.remote.Ufrag, e.remote.Pwd}, e.signalled...)
		for _, f := range e.remote.Fingerprints {
			kept = append(kept, f.Algorithm, f.Value)
		}
		if len(e.sections) != 2 {
			t.Fatalf("%d sections", len(e.sections))
		}
		codecs := []sdp.Codec{}
		for _, sec := range e.sections {
			kept = append(kept, sec.kind, sec.mid, sec.send.CNAME)
			codecs = append(codecs, sec.codec)
			if sec.track != nil {
				codecs = append(codecs, sdp.Codec{Name: sec.track.Codec.Name, Fmtp: sec.track.Codec.Fmtp})
			}
		}
		for _, c := range codecs {
			kept = append(append(kept, c.Name, c.Fmtp), c.Feedback...)
		}
		for _, s := range kept {
			if within(s, offer) {
				t.Errorf("%q is a part of the offer and keeps all of it", s)
			}
		}
	}
}
