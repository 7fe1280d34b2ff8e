package diagnosis

import (
	"fmt"
	"regexp"
	"strings"
)

func sdpPlusMangled(_ *View, e *Endpoint) *Finding {
	for _, r := range e.Facts.Repairs {
		if r.What == plus {
			return &Finding{Code: SDPPlusMangled, Evidence: []string{
				fmt.Sprintf("Line %d of the client's description for %s: a space where none can be; it was '+', and is again.", r.Line, e.Name),
			}}
		}
	}
	return nil
}

// plus is media/sdp's word for spaces that were '+'.
const plus = "plus"

func sdpMangled(_ *View, e *Endpoint) *Finding {
	var evidence []string
	for _, r := range e.Facts.Repairs {
		if r.What != plus {
			evidence = append(evidence, fmt.Sprintf("Line %d of the client's description for %s: %s; mended.", r.Line, e.Name, r.What))
		}
	}
	if evidence == nil {
		return nil
	}
	return &Finding{Code: SDPMangled, Severity: Notice, Evidence: evidence}
}

func sdpRefused(v *View) *Finding {
	for method, r := range v.Refused {
		if r.Code == "sdp_invalid" {
			return &Finding{Code: SDPMangled, Evidence: []string{fmt.Sprintf("%s was refused: %s", method, r.Text)}}
		}
	}
	return nil
}

// The texts of media/peer's refusal (negotiate.go): "…: audio opus, video [H264]; allowed video: [VP8]".
var (
	allowedVideo = regexp.MustCompile(`allowed video: \[([^\]]*)\]`)
	knownCodec   = regexp.MustCompile(`(?i)\b(VP8|VP9|H264|H265|AV1)\b`)
)

func codecRefused(v *View) *Finding {
	for method, r := range v.Refused {
		if r.Code != "codec_mismatch" {
			continue
		}
		before := r.Text
		var allowed []string
		if m := allowedVideo.FindStringSubmatchIndex(r.Text); m != nil {
			before, allowed = r.Text[:m[0]], strings.Fields(r.Text[m[2]:m[3]])
		}
		return codecMismatch(r.Stream, knownCodec.FindAllString(before, -1), allowed, fmt.Sprintf("%s was refused: %s", method, r.Text))
	}
	return nil
}

// codecLeftOut: an answer without video to an offer with it.
func codecLeftOut(_ *View, e *Endpoint) *Finding {
	if !e.Video.Missing {
		return nil
	}
	return codecMismatch(e.Stream, e.Video.Offered, e.Video.Allowed, "The client offered video; the answer has none, and audio alone flows.")
}

func codecMismatch(stream string, offered, allowed []string, outcome string) *Finding {
	in, out := strings.Join(distinct(offered), ","), strings.Join(distinct(allowed), ",")
	return &Finding{
		Code: CodecMismatch, Stream: stream,
		Evidence: []string{fmt.Sprintf("offered=[%s] allowed=[%s]", in, out), outcome},
		Fill:     map[string]string{"offered": orElse(in, "that the client has"), "allowed": orElse(out, "what the session allows")},
	}
}

func distinct(words []string) []string {
	var once []string
	seen := map[string]bool{}
	for _, w := range words {
		if !seen[strings.ToUpper(w)] {
			seen[strings.ToUpper(w)] = true
			once = append(once, w)
		}
	}
	return once
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
