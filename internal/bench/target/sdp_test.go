package target

import "testing"

func TestWithCandidates(t *testing.T) {
	const head, audio, video = "v=0\r\ns=-\r\n", "m=audio 9 x 111\r\na=mid:0\r\n", "m=video 9 x 96\r\na=mid:1\r\n"
	const own = "a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"
	const added = "a=candidate:2 1 udp 1 127.0.0.1 10 typ host\r\na=end-of-candidates\r\n"
	beside := []string{"candidate:2 1 udp 1 127.0.0.1 10 typ host"}
	for _, c := range []struct {
		name, sdp  string
		candidates []string
		want       string
	}{
		{"two sections", head + audio + video, beside, head + audio + added + video},
		{"one section", head + audio, beside, head + audio + added},
		{"its own stay", head + audio + own, beside, head + audio + own},
		{"none beside", head + audio, nil, head + audio},
		{"no section", head, beside, head},
		{"bare line ends", "v=0\nm=audio 9 x 111\n", beside, "v=0\r\nm=audio 9 x 111\r\n" + added},
	} {
		if got := withCandidates(c.sdp, c.candidates); got != c.want {
			t.Errorf("%s:\n%q, want\n%q", c.name, got, c.want)
		}
	}
}

func TestTrackIDs(t *testing.T) {
	audio, video, err := trackIDs("v=0\r\na=msid:none none\r\nm=audio 9 x 111\r\na=msid:s one\r\nm=video 9 x 96\r\na=msid:- two\r\na=msid:s three\r\n")
	if audio != "one" || video != "two" || err != nil {
		t.Errorf("%q %q %v", audio, video, err)
	}
	for _, bad := range []string{"", "m=audio 9 x\r\na=msid:s a\r\n", "m=audio 9 x\r\na=msid:s\r\nm=video 9 x\r\na=msid:s v\r\n"} {
		if _, _, err := trackIDs(bad); err == nil {
			t.Errorf("%q has tracks", bad)
		}
	}
}
