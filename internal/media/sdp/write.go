package sdp

import (
	"fmt"
	"strings"
)

// Text writes the description as SDP. ICE and DTLS lines are repeated in every accepted section, candidates stand in
// the first. A rejected section keeps the formats it has ("m=video 0 UDP/TLS/RTP/SAVPF 96"): an empty list is an error
// to libwebrtc.
func (d *Description) Text() string {
	var w strings.Builder
	fmt.Fprintf(&w, "v=0\r\no=- %d 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", d.SessionID)
	if len(d.Bundle) > 0 {
		line(&w, "group:BUNDLE %s", strings.Join(d.Bundle, " "))
	}
	line(&w, "msid-semantic: WMS *")
	if d.ICELite {
		line(&w, "ice-lite")
	}
	candidates := d.Transport.Candidates
	for i := range d.Sections {
		s := &d.Sections[i]
		if s.Rejected {
			s.writeRejected(&w)
			continue
		}
		s.write(&w, d.Transport, candidates)
		candidates = nil
	}
	return w.String()
}

func line(w *strings.Builder, format string, args ...any) {
	w.WriteString("a=")
	fmt.Fprintf(w, format, args...)
	w.WriteString("\r\n")
}

func (s *Section) writeRejected(w *strings.Builder) {
	formats := s.Formats
	if len(formats) == 0 {
		formats = []string{"0"}
	}
	fmt.Fprintf(w, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0\r\n", s.Kind, s.Protocol, strings.Join(formats, " "))
	for _, m := range s.formatMaps {
		line(w, "rtpmap:%s", m)
	}
	line(w, "mid:%s", s.MID)
	line(w, "inactive")
}

func (s *Section) write(w *strings.Builder, t Transport, candidates []string) {
	fmt.Fprintf(w, "m=%s 9 %s %s\r\nc=IN IP4 0.0.0.0\r\n", s.Kind, s.Protocol, strings.Join(s.Formats, " "))
	if s.Kbps > 0 {
		fmt.Fprintf(w, "b=AS:%d\r\n", s.Kbps)
	}
	line(w, "rtcp:9 IN IP4 0.0.0.0")
	line(w, "mid:%s", s.MID)
	line(w, "ice-ufrag:%s", t.Ufrag)
	line(w, "ice-pwd:%s", t.Pwd)
	for _, f := range t.Fingerprints {
		line(w, "fingerprint:%s %s", f.Algorithm, f.Value)
	}
	line(w, "setup:%s", t.Setup)
	for _, e := range s.Extensions {
		line(w, "extmap:%d %s", e.ID, e.URI)
	}
	line(w, "%s", s.Direction)
	if s.Direction.Sends() && s.StreamID != "" {
		line(w, "msid:%s %s", s.StreamID, s.TrackID)
	}
	if s.Mux {
		line(w, "rtcp-mux")
	}
	if s.RSize {
		line(w, "rtcp-rsize")
	}
	for _, c := range s.Codecs {
		c.write(w)
	}
	for _, rid := range s.RIDs {
		line(w, "rid:%s recv", rid)
	}
	if s.Simulcast {
		line(w, "simulcast:recv %s", strings.Join(s.RIDs, ";"))
	}
	if s.Direction.Sends() {
		s.writeStreams(w)
	}
	for _, c := range candidates {
		line(w, "%s", c)
	}
	if len(candidates) > 0 {
		line(w, "end-of-candidates")
	}
}

func (c *Codec) write(w *strings.Builder) {
	line(w, "rtpmap:%d %s", c.PayloadType, c.rtpmap())
	for _, f := range c.Feedback {
		line(w, "rtcp-fb:%d %s", c.PayloadType, f)
	}
	if c.Fmtp != "" {
		line(w, "fmtp:%d %s", c.PayloadType, c.Fmtp)
	}
	if c.RTX != 0 {
		line(w, "rtpmap:%d rtx/%d", c.RTX, c.ClockRate)
		line(w, "fmtp:%d apt=%d", c.RTX, c.PayloadType)
	}
}

func (c *Codec) rtpmap() string {
	if c.Channels > 1 {
		return fmt.Sprintf("%s/%d/%d", c.Name, c.ClockRate, c.Channels)
	}
	return fmt.Sprintf("%s/%d", c.Name, c.ClockRate)
}

func (s *Section) writeStreams(w *strings.Builder) {
	for _, st := range s.Streams {
		ssrcs := []uint32{st.SSRC}
		if st.RTX != 0 {
			line(w, "ssrc-group:FID %d %d", st.SSRC, st.RTX)
			ssrcs = append(ssrcs, st.RTX)
		}
		for _, ssrc := range ssrcs {
			line(w, "ssrc:%d cname:%s", ssrc, st.CNAME)
			line(w, "ssrc:%d msid:%s %s", ssrc, s.StreamID, s.TrackID)
		}
	}
}
