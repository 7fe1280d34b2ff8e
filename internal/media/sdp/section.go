package sdp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func parseSection(index int, b block, direction Direction) (Section, error) {
	words := strings.Fields(b.media)
	if len(words) < 3 {
		return Section{}, b.invalid("kind, port and protocol are needed")
	}
	s := Section{
		Kind: words[0], Protocol: words[2], Formats: words[3:], Kbps: b.kbps,
		Direction: directionOf(b.attributes, direction),
	}
	if len(s.Formats) > maxPerList {
		return Section{}, b.invalid(fmt.Sprintf("%d formats, at most %d are accepted", len(s.Formats), maxPerList))
	}
	s.Rejected = words[1] == "0"
	for _, a := range b.attributes {
		s.take(a)
	}
	if s.MID == "" && len(words[0]) < 32 {
		s.MID = fmt.Sprint(index)
	}
	if len(s.MID) > 32 || strings.ContainsAny(s.MID, " \t") {
		return Section{}, b.invalid("a=mid is longer than 32 characters or has spaces")
	}
	s.takeCodecs(b.attributes)
	s.takeStreams(b.attributes)
	return s, nil
}

// take reads the attributes that stand for themselves.
func (s *Section) take(a attribute) {
	switch a.key {
	case "mid":
		s.MID = a.value
	case "bundle-only":
		s.Rejected = false
	case "rtcp-mux":
		s.Mux = true
	case "rtcp-rsize":
		s.RSize = true
	case "msid":
		stream, track, _ := strings.Cut(a.value, " ")
		s.StreamID, s.TrackID = stream, track
	case "rid":
		if words := strings.Fields(a.value); len(words) > 1 && words[1] == "send" && len(s.RIDs) < 16 {
			s.RIDs = append(s.RIDs, words[0])
		}
	case "simulcast":
		s.Simulcast = strings.HasPrefix(a.value, "send ") || strings.Contains(a.value, " send ")
	case "extmap":
		words := strings.Fields(a.value)
		if len(words) < 2 || len(s.Extensions) >= maxPerList {
			return
		}
		number, _, _ := strings.Cut(words[0], "/")
		// One-byte headers carry ids 1 to 14 (RFC 8285 §4.2).
		if id, err := strconv.ParseUint(number, 10, 8); err == nil && id >= 1 && id <= 14 && s.Extension(words[1]) == 0 {
			s.Extensions = append(s.Extensions, Extension{uint8(id), words[1]})
		}
	}
}

// numbered splits "96 rest" into 96 and "rest"; "*" (rtcp-fb for all) is -1.
func numbered(value string) (int, string, bool) {
	first, rest, ok := strings.Cut(value, " ")
	if first == "*" {
		return -1, rest, ok
	}
	n, err := strconv.ParseUint(first, 10, 8)
	return int(n), strings.TrimSpace(rest), ok && err == nil && n < 128
}

// static are the payload types that need no rtpmap (RFC 3551 §6) and that we know.
var static = map[string]string{"0": "PCMU/8000", "8": "PCMA/8000"}

func (s *Section) takeCodecs(attributes []attribute) {
	maps, fmtps, feedback := map[int]string{}, map[int]string{}, map[int][]string{}
	for _, f := range s.Formats {
		if m, ok := static[f]; ok {
			pt, _ := strconv.Atoi(f)
			maps[pt] = m
		}
	}
	for _, a := range attributes {
		pt, rest, ok := numbered(a.value)
		if !ok {
			continue
		}
		switch a.key {
		case "rtpmap":
			maps[pt] = rest
		case "fmtp":
			fmtps[pt] = rest
		case "rtcp-fb":
			if len(feedback[pt]) < 16 {
				feedback[pt] = append(feedback[pt], strings.Join(strings.Fields(rest), " "))
			}
		}
	}
	for _, f := range s.Formats {
		pt, err := strconv.Atoi(f)
		if err != nil || maps[pt] == "" {
			continue
		}
		s.formatMaps = append(s.formatMaps, f+" "+maps[pt])
		c, ok := codec(uint8(pt), maps[pt], fmtps[pt])
		c.Feedback = append(slices.Clone(feedback[pt]), feedback[-1]...)
		switch {
		case !ok:
		case strings.EqualFold(c.Name, "rtx"):
			s.attachRTX(c)
		default:
			s.Codecs = append(s.Codecs, c)
		}
	}
	s.attachEarlyRTX(maps, fmtps)
}

func codec(pt uint8, rtpmap, fmtp string) (Codec, bool) {
	parts := strings.Split(rtpmap, "/")
	if len(parts) < 2 {
		return Codec{}, false
	}
	rate, err := strconv.ParseUint(parts[1], 10, 32)
	c := Codec{PayloadType: pt, Name: parts[0], ClockRate: uint32(rate), Fmtp: fmtp}
	if len(parts) > 2 {
		channels, _ := strconv.ParseUint(parts[2], 10, 8)
		c.Channels = uint16(channels)
	}
	return c, err == nil && rate > 0
}

func (s *Section) attachRTX(rtx Codec) {
	apt, err := strconv.ParseUint(Parameter(rtx.Fmtp, "apt"), 10, 8)
	for i := range s.Codecs {
		if err == nil && s.Codecs[i].PayloadType == uint8(apt) && s.Codecs[i].RTX == 0 {
			s.Codecs[i].RTX = rtx.PayloadType
		}
	}
}

// attachEarlyRTX covers m-lines that list an RTX format before the codec it belongs to.
func (s *Section) attachEarlyRTX(maps, fmtps map[int]string) {
	for _, f := range s.Formats {
		pt, err := strconv.Atoi(f)
		if err != nil {
			continue
		}
		if c, ok := codec(uint8(pt), maps[pt], fmtps[pt]); ok && strings.EqualFold(c.Name, "rtx") {
			s.attachRTX(c)
		}
	}
}

// Parameter returns one parameter of an fmtp line, in lower case, "" if absent.
func Parameter(fmtp, name string) string {
	for part := range strings.SplitSeq(fmtp, ";") {
		if k, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok && strings.EqualFold(k, name) {
			return strings.ToLower(v)
		}
	}
	return ""
}

// takeStreams reads a=ssrc and a=ssrc-group:FID (RFC 5576): each primary source with its RTX.
func (s *Section) takeStreams(attributes []attribute) {
	rtx, repairs := map[uint32]uint32{}, map[uint32]bool{}
	for _, a := range attributes {
		words := strings.Fields(a.value)
		if a.key != "ssrc-group" || len(words) != 3 || words[0] != "FID" {
			continue
		}
		primary, err1 := strconv.ParseUint(words[1], 10, 32)
		repair, err2 := strconv.ParseUint(words[2], 10, 32)
		if err1 == nil && err2 == nil && len(rtx) < maxPerList {
			rtx[uint32(primary)], repairs[uint32(repair)] = uint32(repair), true
		}
	}
	for _, a := range attributes {
		if a.key != "ssrc" {
			continue
		}
		number, rest, _ := strings.Cut(a.value, " ")
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n == 0 || repairs[uint32(n)] {
			continue
		}
		st := s.stream(uint32(n))
		if st == nil {
			return
		}
		st.RTX = rtx[uint32(n)]
		if cname, ok := strings.CutPrefix(rest, "cname:"); ok {
			st.CNAME = cname
		}
		if msid, ok := strings.CutPrefix(rest, "msid:"); ok && s.StreamID == "" {
			s.StreamID, s.TrackID, _ = strings.Cut(msid, " ")
		}
	}
}

// stream returns the entry of an SSRC, added when new; nil when the list is full.
func (s *Section) stream(ssrc uint32) *Stream {
	for i := range s.Streams {
		if s.Streams[i].SSRC == ssrc {
			return &s.Streams[i]
		}
	}
	if len(s.Streams) >= maxPerList {
		return nil
	}
	s.Streams = append(s.Streams, Stream{SSRC: ssrc})
	return &s.Streams[len(s.Streams)-1]
}
