package sdp

import (
	"slices"
	"strings"
)

// supported lists the codecs an endpoint may carry, with the feedback we understand for their kind.
var supported = map[string][]string{
	"audio": {"opus", "PCMU", "PCMA"},
	"video": {"VP8", "VP9", "H264", "AV1"},
}

var understood = map[string][]string{
	"audio": {"nack", "transport-cc"},
	"video": {"nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"},
}

// Choose returns the codec to receive in this section: the author's first one that we support and that allowed lists
// (all when empty; audio is never restricted); of several variants the one that all can decode. Its name is in our spelling, its feedback what both ends understand.
func (s *Section) Choose(allowed []string) (Codec, bool) {
	for _, c := range s.Codecs {
		name, ok := s.spelling(c.Name)
		if !ok || !usable(c) {
			continue
		}
		if s.Kind == "video" && len(allowed) > 0 && !containsFold(allowed, name) {
			continue
		}
		return s.common(s.plainest(name, c), name), true
	}
	return Codec{}, false
}

// plainest prefers the variant of a codec that everybody has to another that the author names first.
func (s *Section) plainest(name string, first Codec) Codec {
	for _, c := range s.Codecs {
		if strings.EqualFold(c.Name, name) && usable(c) && plain(name, c.Fmtp) {
			return c
		}
	}
	return first
}

// plain is constrained baseline, the one H264 that every browser has to have (RFC 7742 §6.2): Safari begins with High,
// which Chromium on Linux does not take, and Chromium with baseline, which Safari does not take; and AV1's main profile.
func plain(name, fmtp string) bool {
	switch name {
	case "H264":
		return strings.HasPrefix(Parameter(fmtp, "profile-level-id"), "42e0")
	case "AV1":
		return compare(name, fmtp, "profile=0") == same
	}
	return false // the author's order stays
}

// Match returns the payload type under which this section's author takes a codec another endpoint sends. For H264 an
// equal profile and mode is preferred, then any baseline of the same mode; for VP9 the profile must be the same.
func (s *Section) Match(name, fmtp string) (Codec, bool) {
	loose := -1
	for i, c := range s.Codecs {
		if !strings.EqualFold(c.Name, name) || !usable(c) {
			continue
		}
		switch compare(name, c.Fmtp, fmtp) {
		case same:
			return s.common(c, name), true
		case compatible:
			if loose < 0 {
				loose = i
			}
		}
	}
	if loose < 0 {
		return Codec{}, false
	}
	return s.common(s.Codecs[loose], name), true
}

// Names lists what the section offers, for error messages.
func (s *Section) Names() []string {
	var names []string
	for _, c := range s.Codecs {
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

func (s *Section) spelling(name string) (string, bool) {
	for _, n := range supported[s.Kind] {
		if strings.EqualFold(n, name) {
			return n, true
		}
	}
	return "", false
}

func (s *Section) common(c Codec, name string) Codec {
	c.Name = name
	c.Feedback = slices.DeleteFunc(slices.Clone(c.Feedback), func(f string) bool {
		return !slices.Contains(understood[s.Kind], f)
	})
	return c
}

// usable refuses the variants we cannot forward, H264 single-NAL mode without fragmentation, and clock rates that no
// such codec has: they would make nonsense of timestamps at every subscriber.
func usable(c Codec) bool {
	rate := uint32(90000)
	switch strings.ToLower(c.Name) {
	case "opus":
		rate = 48000
	case "pcmu", "pcma":
		rate = 8000
	case "h264":
		if Parameter(c.Fmtp, "packetization-mode") != "1" {
			return false
		}
	}
	return c.ClockRate == rate
}

type likeness uint8

const (
	different likeness = iota
	compatible
	same
)

func compare(name, a, b string) likeness {
	switch name {
	case "H264":
		pa, pb := Parameter(a, "profile-level-id"), Parameter(b, "profile-level-id")
		switch {
		case len(pa) != 6 || len(pb) != 6:
			return compatible
		case pa[:4] == pb[:4]:
			return same
		case pa[:2] == "42" && pb[:2] == "42":
			return compatible
		}
		return different
	case "VP9":
		return sameOrDefault(Parameter(a, "profile-id"), Parameter(b, "profile-id"))
	case "AV1":
		return sameOrDefault(Parameter(a, "profile"), Parameter(b, "profile"))
	}
	return same
}

func sameOrDefault(a, b string) likeness {
	if a == b || (a == "" && b == "0") || (a == "0" && b == "") {
		return same
	}
	return different
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}
