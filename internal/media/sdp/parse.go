package sdp

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// ErrInvalid is wrapped by every error of [Parse].
var ErrInvalid = errors.New("session description")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// attribute is one "a=key:value" line.
type attribute struct{ key, value string }

// block is a part of the text: the lines before the first m-line, or an m-line with what follows it.
type block struct {
	media      string
	kbps       int
	attributes []attribute
}

// Parse reads an offer or answer. It is tolerant: unknown lines are skipped, order does not matter, line ends may be
// LF or CRLF. It fails when a limit is exceeded, when there is no m-line, or when a section we could use has no ICE
// credentials or fingerprint. Follows RFC 8866 (SDP), RFC 8829 (JSEP), RFC 9143 (BUNDLE).
func Parse(text string) (Description, error) {
	blocks, err := split(text)
	if err != nil {
		return Description{}, err
	}
	var d Description
	session := blocks[0]
	for _, a := range session.attributes {
		switch a.key {
		case "ice-lite":
			d.ICELite = true
		case "group":
			if words := strings.Fields(a.value); len(words) > 1 && words[0] == "BUNDLE" && d.Bundle == nil {
				d.Bundle = words[1:min(len(words), MaxSections+1)]
			}
		}
	}
	for i, b := range blocks[1:] {
		s, err := parseSection(i, b, directionOf(session.attributes, SendRecv))
		if err != nil {
			return Description{}, err
		}
		d.Sections = append(d.Sections, s)
	}
	return d, d.takeTransport(blocks)
}

func split(text string) ([]block, error) {
	if len(text) > MaxBytes {
		return nil, invalid("%d bytes, at most %d are accepted", len(text), MaxBytes)
	}
	if !strings.HasPrefix(text, "v=") {
		return nil, invalid(`must begin with "v="`)
	}
	blocks := []block{{}}
	lines := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n ")
		if lines++; lines > maxLines {
			return nil, invalid("more than %d lines", maxLines)
		}
		// Parts of a line may end up in another client's description: no control character may travel along.
		if len(line) < 2 || line[1] != '=' || strings.ContainsFunc(line, unicode.IsControl) {
			continue
		}
		last := &blocks[len(blocks)-1]
		switch value := line[2:]; line[0] {
		case 'm':
			if len(blocks) > MaxSections {
				return nil, invalid("more than %d m-lines", MaxSections)
			}
			blocks = append(blocks, block{media: value})
		case 'b':
			if as, ok := strings.CutPrefix(value, "AS:"); ok {
				last.kbps, _ = strconv.Atoi(as)
			}
		case 'a':
			key, v, _ := strings.Cut(value, ":")
			last.attributes = append(last.attributes, attribute{key, v})
		}
	}
	if len(blocks) == 1 {
		return nil, invalid("no m-line")
	}
	return blocks, nil
}

// takeTransport finds the transport: the first usable bundled section's, completed by the session level.
func (d *Description) takeTransport(blocks []block) error {
	session := transportOf(blocks[0].attributes)
	usable := false
	for i := range d.Sections {
		s := &d.Sections[i]
		if s.Rejected || !s.Secure() || !d.Bundled(i) {
			continue
		}
		usable = true
		t := transportOf(blocks[i+1].attributes)
		d.Transport.Candidates = append(d.Transport.Candidates, t.Candidates...)
		if d.Transport.Ufrag == "" {
			candidates := d.Transport.Candidates
			d.Transport = t
			d.Transport.Candidates = candidates
		}
	}
	if !usable {
		return nil
	}
	t := &d.Transport
	if t.Ufrag == "" {
		t.Ufrag, t.Pwd = session.Ufrag, session.Pwd
	}
	if len(t.Fingerprints) == 0 {
		t.Fingerprints = session.Fingerprints
	}
	if t.Setup == "" {
		t.Setup = session.Setup
	}
	t.Candidates = t.Candidates[:min(len(t.Candidates), maxPerList)]
	switch {
	case t.Ufrag == "" || len(t.Ufrag) > 256 || len(t.Pwd) > 256:
		return invalid("a=ice-ufrag is missing or longer than 256 characters")
	case t.Pwd == "":
		return invalid("a=ice-pwd is missing")
	case len(t.Fingerprints) == 0:
		return invalid("a=fingerprint is missing: only DTLS-SRTP is accepted")
	}
	return nil
}

func transportOf(attributes []attribute) Transport {
	var t Transport
	for _, a := range attributes {
		switch a.key {
		case "ice-ufrag":
			t.Ufrag = a.value
		case "ice-pwd":
			t.Pwd = a.value
		case "setup":
			t.Setup = strings.ToLower(a.value)
		case "fingerprint":
			algorithm, value, ok := strings.Cut(a.value, " ")
			if ok && len(t.Fingerprints) < 8 {
				t.Fingerprints = append(t.Fingerprints,
					Fingerprint{strings.ToLower(algorithm), strings.ToUpper(strings.TrimSpace(value))})
			}
		case "candidate":
			// RTCP component candidates (component 2) are useless: we require rtcp-mux.
			if words := strings.Fields(a.value); len(words) > 1 && words[1] != "2" && len(t.Candidates) < maxPerList {
				t.Candidates = append(t.Candidates, "candidate:"+a.value)
			}
		}
	}
	return t
}

func directionOf(attributes []attribute, otherwise Direction) Direction {
	known := []Direction{SendRecv, SendOnly, RecvOnly, Inactive}
	for _, a := range attributes {
		if d := Direction(a.key); slices.Contains(known, d) {
			return d
		}
	}
	return otherwise
}
