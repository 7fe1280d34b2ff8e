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
	line       int
	kbps       int
	attributes []attribute
}

func (b *block) invalid(what string) error {
	return invalid("line %d, m=%.60s: %s", b.line, b.media, what)
}

func (b *block) lacks(what string) error {
	return b.invalid("neither the section nor the session has " + what)
}

// Parse reads an offer or answer. It is tolerant: unknown lines are skipped, order does not matter, line ends may be
// LF or CRLF, and what applications do to descriptions on their way is mended (repair.go). It fails when a limit is exceeded, when there is no m-line, or when a section we could use has no ICE
// credentials or fingerprint. Follows RFC 8866 (SDP), RFC 8829 (JSEP), RFC 9143 (BUNDLE).
func Parse(text string) (Description, error) {
	blocks, repairs, err := split(text)
	if err != nil {
		return Description{}, err
	}
	d := Description{Repairs: repairs}
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

// splitter takes a text apart, and mends its lines.
type splitter struct {
	repairs
	blocks []block
	lines  int
	padded int // spaces that every line has at its end
}

func split(text string) ([]block, repairs, error) {
	if len(text) > MaxBytes {
		return nil, nil, invalid("%d bytes, at most %d are accepted", len(text), MaxBytes)
	}
	s := splitter{blocks: []block{{}}}
	text = s.unwrap(text)
	if !strings.HasPrefix(text, "v=") {
		return nil, nil, invalid(`must begin with "v="`)
	}
	for line := range strings.Lines(text) {
		first, rest := cut(s.outdented(strings.TrimRight(line, "\r\n")))
		for rest != "" {
			s.note(s.lines+1, Lines)
			if err := s.take(first); err != nil {
				return nil, nil, err
			}
			first, rest = cut(rest)
		}
		if err := s.take(first); err != nil {
			return nil, nil, err
		}
	}
	if len(s.blocks) == 1 {
		return nil, nil, invalid("no m-line in %d lines", s.lines)
	}
	return s.blocks, s.repairs, nil
}

// take reads one line.
func (s *splitter) take(line string) error {
	if s.lines++; s.lines > maxLines {
		return invalid("more than %d lines", maxLines)
	}
	line = s.unpadded(s.plain(s.lines, line))
	// Parts of a line may end up in another client's description: no control character may travel along.
	if len(line) < 2 || line[1] != '=' || strings.ContainsFunc(line, unicode.IsControl) {
		return nil
	}
	last := &s.blocks[len(s.blocks)-1]
	switch value := line[2:]; line[0] {
	case 'm':
		if len(s.blocks) > MaxSections {
			return invalid("line %d: more than %d m-lines", s.lines, MaxSections)
		}
		s.blocks = append(s.blocks, block{media: value, line: s.lines})
	case 'b':
		if as, ok := strings.CutPrefix(value, "AS:"); ok {
			last.kbps, _ = strconv.Atoi(strings.TrimRight(as, " "))
		}
	case 'a':
		return s.attribute(last, value)
	}
	return nil
}

func (s *splitter) attribute(to *block, text string) error {
	key, value, _ := strings.Cut(text, ":")
	switch key {
	case "ice-ufrag", "ice-pwd":
		value = s.credential(s.lines, value)
		if c, found := stranger(value); found && key == "ice-ufrag" {
			return invalid("line %d: a=ice-ufrag has the character %q; letters, digits, + and / are legal: hand the description on as the browser made it", s.lines, c)
		}
	case "candidate":
		var ok bool
		if value, ok = s.candidate(s.lines, value); !ok {
			return nil
		}
	case "fingerprint":
		if value = strings.TrimRight(value, " "); !isFingerprint(value) {
			return invalid("line %d: a=fingerprint:%.120s is not an algorithm and pairs of hex digits with colons between them", s.lines, value)
		}
	default:
		key, value = strings.TrimRight(key, " "), strings.TrimRight(value, " ")
	}
	to.attributes = append(to.attributes, attribute{key, value})
	return nil
}

// outdented takes away the spaces before a line.
func (s *splitter) outdented(line string) string {
	bare := strings.TrimLeft(line, " \t")
	if len(bare) == len(line) || len(bare) < 2 || bare[1] != '=' {
		return line
	}
	s.note(s.lines+1, Indent)
	return bare
}

// unpadded takes away what every line has at its end: as many spaces as the first.
func (s *splitter) unpadded(line string) string {
	if s.lines == 1 {
		head, _, _ := strings.Cut(line, "o=")
		s.padded = len(head) - len(strings.TrimRight(head, " "))
	}
	bare := len(strings.TrimRight(line, " "))
	return line[:max(bare, len(line)-s.padded)]
}

// takeTransport finds the transport: the first usable bundled section's, completed by the session level.
func (d *Description) takeTransport(blocks []block) error {
	session := transportOf(blocks[0].attributes)
	var usable *block // the first
	for i := range d.Sections {
		s := &d.Sections[i]
		if s.Rejected || !s.Secure() || !d.Bundled(i) {
			continue
		}
		if usable == nil {
			usable = &blocks[i+1]
		}
		t := transportOf(blocks[i+1].attributes)
		d.Transport.Candidates = append(d.Transport.Candidates, t.Candidates...)
		if d.Transport.Ufrag == "" {
			candidates := d.Transport.Candidates
			d.Transport = t
			d.Transport.Candidates = candidates
		}
	}
	if usable == nil {
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
	case t.Ufrag == "":
		return usable.lacks("a=ice-ufrag")
	case len(t.Ufrag) > 256 || len(t.Pwd) > 256:
		return usable.invalid("a=ice-ufrag or a=ice-pwd is longer than 256 characters")
	case t.Pwd == "":
		return usable.lacks("a=ice-pwd")
	case len(t.Fingerprints) == 0:
		return usable.lacks("a=fingerprint, and only DTLS-SRTP is accepted")
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
