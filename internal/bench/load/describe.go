package load

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"tertulia/internal/media/sdp"
)

// remote is the server's side of the transport.
type remote struct {
	ufrag, pwd   string
	fingerprints []sdp.Fingerprint
	setup        string
	lite         bool
	controlling  bool // the server decides which pair is used: it has offered, and is no lite agent (RFC 8445 §6.1.1)
	candidates   []netip.AddrPort
	video        uint32 // the SSRC of the picture it sends, 0 if not declared
}

const maxCandidates = 16

// terms are what a client and its server agree on by their descriptions.
type terms struct {
	client *Client

	session    uint64
	ufrag, pwd string
	cname      string
	tracks     []*track // of a publisher; each has a lock
	offered    bool
	remote     remote // set before the loop knows the client
}

// Offer returns the complete offer, as Chromium's as far as servers look: to send Opus and VP8, or to receive them.
func (c *Client) Offer() (string, error) {
	if c.offered {
		return "", errors.New("the client has offered already")
	}
	c.offered = true
	kinds := []string{"audio", "video"}
	medias := make([]sdp.Media, len(kinds))
	for i, kind := range kinds {
		medias[i] = sdp.Media{Direction: sdp.RecvOnly, Codec: sdp.Default(kind)}
		if c.publishes {
			medias[i].Direction, medias[i].Send = sdp.SendOnly, c.tracks[i].stream(c.cname)
		}
	}
	offer := sdp.Offer(kinds, medias, c.localSide())
	offer.ICELite = false
	return offer.Text(), nil
}

func (t *terms) localSide() sdp.Local {
	sum := fingerprint(t.client.loop.certificate.Certificate[0])
	return sdp.Local{
		SessionID: t.session, StreamID: "load-" + t.cname,
		Transport: sdp.Transport{
			Ufrag: t.ufrag, Pwd: t.pwd, Fingerprints: []sdp.Fingerprint{sum},
			Candidates: []string{fmt.Sprintf("candidate:1 1 udp 2130706431 %s %d typ host", t.client.local.Addr(), t.client.local.Port())},
		},
	}
}

// Accept takes the answer to Offer and connects from then on.
func (c *Client) Accept(answer string) error {
	d, err := sdp.Parse(answer)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if !c.offered {
		return errors.New("an answer without an offer")
	}
	flows := false
	for i := range d.Sections {
		if s := &d.Sections[i]; !s.Rejected && s.Direction != sdp.Inactive && s.Secure() {
			c.agree(s)
			flows = true
		}
	}
	if !flows {
		return errors.New("answer: no section with media")
	}
	if err := c.meet(answer, &d, false); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return c.begin()
}

// Answer takes the server's complete offer and connects from then on. A later offer on the same transport is answered
// too. Data channels are accepted and then ignored: a server may want them before it sends media.
func (c *Client) Answer(offer string) (string, error) {
	d, err := sdp.Parse(offer)
	if err != nil {
		return "", fmt.Errorf("offer: %w", err)
	}
	medias := make([]sdp.Media, len(d.Sections))
	for i := range d.Sections {
		if s := &d.Sections[i]; s.Secure() && !s.Rejected {
			medias[i] = c.media(s)
		}
	}
	answer := sdp.Answer(&d, medias, c.localSide())
	answer.ICELite = false
	answer.Transport.Setup = "active"
	if setup(offer) == "active" {
		answer.Transport.Setup = "passive"
	}
	for i := range answer.Sections {
		if !answer.Sections[i].Rejected && answer.Sections[i].Direction != sdp.Inactive {
			c.agree(&answer.Sections[i])
		}
	}
	if err := c.meet(offer, &d, true); err != nil {
		return "", fmt.Errorf("offer: %w", err)
	}
	return acceptData(&d, &answer), c.begin()
}

// media is what we want in a section of the server's offer.
func (t *terms) media(s *sdp.Section) sdp.Media {
	codec, ok := s.Choose([]string{"VP8"})
	if !ok || s.Kind == "audio" && codec.Name != "opus" {
		return sdp.Media{}
	}
	m := sdp.Media{Codec: codec, Direction: sdp.Inactive}
	if !t.client.publishes && s.Direction.Sends() {
		m.Direction = sdp.RecvOnly
	}
	if track := t.track(s.Kind); track != nil && s.Direction.Receives() {
		m.Direction, m.Send = sdp.SendOnly, track.stream(t.cname)
	}
	return m
}

// acceptData writes the answer with the offer's data channel sections accepted: media/sdp knows none and rejects them.
func acceptData(offer, answer *sdp.Description) string {
	accepted := make([]bool, len(offer.Sections))
	answer.Bundle = nil
	for i := range offer.Sections {
		s := &offer.Sections[i]
		accepted[i] = s.Kind == "application" && !s.Rejected && offer.Bundled(i)
		if len(offer.Bundle) > 0 && (accepted[i] || !answer.Sections[i].Rejected) {
			answer.Bundle = append(answer.Bundle, s.MID)
		}
	}
	var w strings.Builder
	section := -1
	for line := range strings.Lines(answer.Text()) {
		rest, media := strings.CutPrefix(line, "m=")
		if media {
			section++
		}
		data := section >= 0 && accepted[section]
		if media && data {
			line = "m=" + strings.Replace(rest, " 0 ", " 9 ", 1)
		}
		w.WriteString(line)
		if !data || !strings.HasPrefix(line, "a=mid:") {
			continue
		}
		t := answer.Transport
		fmt.Fprintf(&w, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s %s\r\na=setup:%s\r\na=sctp-port:5000\r\n", t.Ufrag, t.Pwd,
			t.Fingerprints[0].Algorithm, t.Fingerprints[0].Value, t.Setup)
		for _, candidate := range t.Candidates {
			fmt.Fprintf(&w, "a=%s\r\n", candidate)
		}
	}
	return w.String()
}

func (t *terms) track(kind string) *track {
	for _, track := range t.tracks {
		if track.kind == kind {
			return track
		}
	}
	return nil
}

// agree takes payload type and header extensions of a section both sides have agreed on.
func (t *terms) agree(s *sdp.Section) {
	if track := t.track(s.Kind); track != nil && len(s.Codecs) > 0 {
		track.agree(s)
	}
}

// meet takes the server's transport. It is read off the text: a description with nothing but a data channel, which a
// server may begin with, has one too.
func (t *terms) meet(text string, d *sdp.Description, offers bool) error {
	r := remote{setup: setup(text), lite: d.ICELite, controlling: offers && !d.ICELite}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "a="), ":")
		switch key {
		case "ice-ufrag":
			r.ufrag = value
		case "ice-pwd":
			r.pwd = value
		case "fingerprint":
			if algorithm, sum, ok := strings.Cut(value, " "); ok && len(r.fingerprints) < maxCandidates {
				r.fingerprints = append(r.fingerprints, sdp.Fingerprint{Algorithm: strings.ToLower(algorithm), Value: strings.ToUpper(sum)})
			}
		case "candidate":
			if a, ok := candidate(value); ok && len(r.candidates) < maxCandidates && !slices.Contains(r.candidates, a) {
				r.candidates = append(r.candidates, a)
			}
		}
	}
	for i := range d.Sections {
		if s := &d.Sections[i]; s.Kind == "video" && s.Direction.Sends() && len(s.Streams) > 0 {
			r.video = s.Streams[0].SSRC
		}
	}
	if t.client.begun { // the transport stays
		return t.client.loop.do(func() { t.remote.video = r.video })
	}
	if r.ufrag == "" || r.pwd == "" || len(r.fingerprints) == 0 {
		return errors.New("no ICE credentials or no fingerprint")
	}
	if len(r.candidates) == 0 && !r.controlling {
		return errors.New("no UDP candidate with an IPv4 address")
	}
	t.remote = r
	return nil
}

// setup is the DTLS role in a description: the first a=setup.
func setup(text string) string {
	_, rest, _ := strings.Cut(text, "a=setup:")
	value, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(value)
}

// candidate reads what we can use: UDP, component 1, an IPv4 address (RFC 8839 §5.1).
func candidate(value string) (netip.AddrPort, bool) {
	words := strings.Fields(value)
	if len(words) < 6 || words[1] != "1" || !strings.EqualFold(words[2], "udp") {
		return netip.AddrPort{}, false
	}
	addr, err1 := netip.ParseAddr(words[4])
	port, err2 := strconv.ParseUint(words[5], 10, 16)
	return netip.AddrPortFrom(addr, uint16(port)), err1 == nil && err2 == nil && addr.Is4() && port != 0
}
