package rest

import (
	"slices"
	"testing"

	"tertulia/internal/wire/openvidu"
)

func TestCandidatesOfADescription(t *testing.T) {
	const sdp = "v=0\r\na=candidate:0 in the session part\r\nm=audio 9 X 1\r\na=candidate:1 x\r\na=mid:a\r\nm=video 9 X 2\r\na=mid:b\r\na=candidate:2 y\r\n"
	want := []openvidu.RESTCandidate{{Candidate: "candidate:1 x", SDPMid: "a"}, {Candidate: "candidate:2 y", SDPMid: "b", SDPMLineIndex: 1}}
	if got := candidates(sdp); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	for _, none := range []string{"", "m=", "\nm=\n", "garbage"} {
		if got := candidates(none); got == nil || len(got) > 0 {
			t.Errorf("%q: %v", none, got)
		}
	}
}
