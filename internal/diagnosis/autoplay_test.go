package diagnosis

import (
	"slices"
	"strings"
	"testing"

	"tertulia/internal/wire/mediactl"
)

const (
	unplayedLine = `StreamManager of Stream ` + stream + ` (Subscriber) did not trigger "streamPlaying" event in 4000 ms`
	refusedLine  = `NotAllowedError: play() failed because the user didn't interact with the document first.`
	playingLine  = `Event 'streamPlaying' triggered by 'Subscriber'`
)

// clues of a client that has logged some lines, the first of them 4 s ago.
func clues(t *testing.T, lines ...string) Clues {
	t.Helper()
	var c Clues
	for i, line := range lines {
		c.read(sent(t, line), start-4000+int64(i))
	}
	return c
}

// TestFAQ_12__ tells a page that may not play from a network that does not deliver.
func TestFAQ_12__AutoplayIsNoNetworkFault(t *testing.T) {
	none := func(*View, *Endpoint) {}
	silent := func(_ *View, e *Endpoint) { // nothing of video arrives any more, sound does
		report(e, "video", 300, 750)
		report(e, "audio", 500, 574)
	}
	for name, test := range map[string]struct {
		lines []string
		but   func(v *View, e *Endpoint)
		want  []Code
	}{
		"the SDK waits in vain":                {[]string{unplayedLine}, none, []Code{AutoplayBlocked}},
		"play was refused":                     {[]string{refusedLine}, none, []Code{AutoplayBlocked}},
		"in Firefox's words":                   {[]string{"NotAllowedError: The play method is not allowed by the user agent or the platform in the current context"}, none, []Code{AutoplayBlocked}},
		"both":                                 {[]string{unplayedLine, refusedLine}, none, []Code{AutoplayBlocked}},
		"another stream's":                     {[]string{strings.Replace(unplayedLine, stream, "str_CAM_other", 1)}, none, []Code{}},
		"a publisher's":                        {[]string{strings.Replace(unplayedLine, "Subscriber", "Publisher", 1)}, none, []Code{}},
		"a camera that was refused":            {[]string{"NotAllowedError: Permission denied"}, none, []Code{}},
		"somebody has clicked":                 {[]string{unplayedLine, playingLine + ` {"streamId":"` + stream + `"}`}, none, []Code{}},
		"somebody has clicked, in a cut line":  {[]string{unplayedLine, playingLine}, none, []Code{}},
		"another stream plays":                 {[]string{unplayedLine, playingLine + ` {"streamId":"str_other"}`}, none, []Code{AutoplayBlocked}},
		"long ago":                             {[]string{unplayedLine}, func(v *View, _ *Endpoint) { v.Clues.Unplayed[stream] = start - unplayedFor }, []Code{}},
		"before this transport":                {[]string{unplayedLine}, func(v *View, e *Endpoint) { v.Clues.Unplayed[stream] = start - e.Facts.Age - batched - 1 }, []Code{}},
		"nothing reaches it":                   {[]string{unplayedLine}, func(_ *View, e *Endpoint) { noConnection(e) }, []Code{NetUnreachable}},
		"video is lost on the way":             {[]string{unplayedLine}, silent, []Code{AudioOneWay}},
		"there is no source":                   {[]string{unplayedLine}, func(_ *View, e *Endpoint) { of(e.Source, "video").Latest = 9000 }, []Code{SourceSilent}},
		"no report has come":                   {[]string{unplayedLine}, func(_ *View, e *Endpoint) { unreported(e) }, []Code{}},
		"nothing was sent, and it is unheard":  {[]string{unplayedLine}, func(_ *View, e *Endpoint) { e.Past = nil }, []Code{}},
		"the client has not been heard lately": {[]string{unplayedLine}, func(_ *View, e *Endpoint) { e.Facts.Consent, e.Facts.Heard = 5200, 5200 }, []Code{}},
	} {
		e := viewer()
		v := seen(e)
		v.Clues = clues(t, test.lines...)
		test.but(v, e)
		if got := codes(v); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	e := viewer()
	v := seen(e)
	v.Clues = clues(t, unplayedLine)
	if r := autoplayBlocked(v, e).record(v); r.Side != Client || r.Severity != Warning || r.Stream != stream {
		t.Errorf("record %+v", r)
	}
}

// Whoever watches many streams in a page that plays nothing has one record if the streams are not named.
func TestFAQ_12__OneRecordOfAPageThatPlaysNothing(t *testing.T) {
	v := seen(viewer())
	for range 3 {
		e := viewer()
		e.Stream += "x"
		v.Endpoints = append(v.Endpoints, e)
	}
	v.Clues = clues(t, refusedLine)
	if found := Detect(v); len(found) != 1 || found[0].Stream != "" {
		t.Errorf("found %+v", found)
	}
}

func TestUnplayedStreamsAreBounded(t *testing.T) {
	var c Clues
	for i := range 2 * maxClues {
		c.unplayed(strings.Repeat("x", i), start)
	}
	if len(c.Unplayed) != maxClues {
		t.Errorf("%d streams are kept", len(c.Unplayed))
	}
	copied := c.clone()
	delete(copied.Unplayed, "")
	if len(c.Unplayed) != maxClues {
		t.Error("a clone shares its map")
	}
}

func noConnection(e *Endpoint) {
	source := unreached()
	e.Facts, e.Checked, e.Nominated, e.Connected = source.Facts, 0, 0, 0
}

func unreported(e *Endpoint) {
	for _, kind := range kinds {
		for _, track := range []*mediactl.TrackFacts{of(e, kind), before(e, kind)} {
			track.Reports, track.Report.Age, track.Report.Heard = 0, -1, -1
		}
	}
}
