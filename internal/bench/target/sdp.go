package target

import (
	"fmt"
	"strings"
)

const candidatePrefix = "a=candidate:"

func hasCandidate(sdp string) bool { return strings.Contains(sdp, candidatePrefix) }

// withCandidates puts candidates ("candidate:…") that came beside a description at the end of its first media section, where
// transports that bundle look for them. A description that has some already stays as it is.
func withCandidates(sdp string, candidates []string) string {
	if hasCandidate(sdp) || len(candidates) == 0 {
		return sdp
	}
	var b strings.Builder
	media := 0
	add := func() {
		for _, c := range candidates {
			b.WriteString("a=" + strings.TrimPrefix(c, "a=") + "\r\n")
		}
		b.WriteString("a=end-of-candidates\r\n")
	}
	for l := range strings.Lines(sdp) {
		if strings.HasPrefix(l, "m=") {
			if media++; media == 2 {
				add()
			}
		}
		b.WriteString(strings.TrimRight(l, "\r\n") + "\r\n")
	}
	if media == 1 {
		add()
	}
	return b.String()
}

// trackIDs returns the track names of an offer (the second word of a=msid) by kind of media.
func trackIDs(sdp string) (audio, video string, err error) {
	kind := ""
	for l := range strings.Lines(sdp) {
		if rest, ok := strings.CutPrefix(l, "m="); ok {
			kind, _, _ = strings.Cut(rest, " ")
		}
		rest, ok := strings.CutPrefix(l, "a=msid:")
		if !ok {
			continue
		}
		_, id, _ := strings.Cut(strings.TrimSpace(rest), " ")
		switch {
		case kind == "audio" && audio == "":
			audio = id
		case kind == "video" && video == "":
			video = id
		}
	}
	if audio == "" || video == "" {
		return "", "", fmt.Errorf("the offer names no audio or no video track: a=msid with two words is needed")
	}
	return audio, video, nil
}
