package diagnosis

import (
	"slices"
	"testing"

	"tertulia/internal/wire/mediactl"
)

// line is a publisher's network, and what it publishes, for five seconds.
type line struct {
	audio, video     bool
	loss             float64 // share
	recovered        float64 // of what was lost
	jitter, rtt      int64
	pictures, kbps   int
	screen, dead     bool // nothing comes
	consent, unheard int64
}

// camera and sound over a line on which all is well.
var goodLine = line{audio: true, video: true, jitter: 4, pictures: 30, kbps: 900}

// lineWith is the good line, changed.
func lineWith(change func(*line)) line {
	l := goodLine
	change(&l)
	return l
}

// over returns the reading five seconds after another, at the end of the line.
func over(before Uplink, l line) Uplink {
	const seconds = 5
	now := Uplink{
		At: before.At + seconds*1000, Pixels: 640 * 480, MaxKbps: 1000,
		Announced: Announced{Known: true, Audio: l.audio, Video: l.video, Screen: l.screen},
		Facts:     mediactl.Facts{State: "connected", Age: before.Facts.Age + seconds*1000, Consent: 2000 + l.consent, Heard: l.unheard},
	}
	for _, kind := range kinds {
		t := comes(&before.Facts, kind)
		t.Kind, t.Jitter, t.RTT = kind, l.jitter, l.rtt
		sent, payload := 250.0, uint64(20_000) // 50 a second
		if kind == "video" {
			sent, payload = float64(max(l.kbps/8, 30)*seconds), uint64(l.kbps*125*seconds)
		}
		if flows := kind == "audio" && l.audio || kind == "video" && l.video; flows && !l.dead {
			missed := sent * l.loss
			back := missed * l.recovered
			t.Lost += int64(missed + 0.5)
			t.Recovered += uint64(back)
			t.Packets += uint64(sent - missed + back + 0.5)
			t.Octets += payload
			if kind == "video" {
				t.Pictures += uint64(l.pictures * seconds)
			}
		}
		now.Facts.Tracks = append(now.Facts.Tracks, t)
	}
	return now
}

// TestLOSS_12__EveryLevelHasItsNetwork: each of the six levels is that of a described one.
func TestLOSS_12__EveryLevelHasItsNetwork(t *testing.T) {
	for name, c := range map[string]struct {
		line line
		want int
	}{
		"a good line":                         {goodLine, 5},
		"half a percent lost":                 {lineWith(func(l *line) { l.loss = 0.005 }), 5},
		"a picture that rests":                {lineWith(func(l *line) { l.kbps = 30 }), 5},
		"a camera in the dark":                {lineWith(func(l *line) { l.pictures = 20 }), 5},
		"two percent lost":                    {lineWith(func(l *line) { l.loss = 0.02 }), 4},
		"and all of it made good":             {lineWith(func(l *line) { l.loss, l.recovered = 0.02, 1 }), 4},
		"a long way":                          {lineWith(func(l *line) { l.rtt, l.loss, l.recovered = 250, 0.005, 1 }), 4},
		"a round trip measured long ago":      {lineWith(func(l *line) { l.rtt = 1200 }), 5},
		"a busy Wi-Fi":                        {lineWith(func(l *line) { l.jitter = 45 }), 4},
		"5 % lost":                            {lineWith(func(l *line) { l.loss = 0.05 }), 3},
		"5 % lost, made good in part":         {lineWith(func(l *line) { l.loss, l.recovered = 0.05, 0.6 }), 3},
		"a mobile network in a train":         {lineWith(func(l *line) { l.jitter, l.rtt, l.loss, l.recovered = 110, 700, 0.005, 1 }), 3},
		"a third of the pictures":             {lineWith(func(l *line) { l.pictures = 9 }), 3},
		"two percent lost, and starved":       {lineWith(func(l *line) { l.loss, l.kbps = 0.02, 60 }), 3},
		"12 % lost":                           {lineWith(func(l *line) { l.loss = 0.12 }), 2},
		"a full buffer somewhere":             {lineWith(func(l *line) { l.jitter, l.rtt, l.loss, l.recovered = 90, 1200, 0.005, 1 }), 2},
		"5 % lost, and starved":               {lineWith(func(l *line) { l.loss, l.kbps = 0.05, 60 }), 2},
		"a third lost":                        {lineWith(func(l *line) { l.loss = 0.33 }), 1},
		"a satellite in a storm":              {lineWith(func(l *line) { l.jitter = 400 }), 1},
		"sound, and a picture that froze":     {lineWith(func(l *line) { l.pictures, l.kbps = 0, 0 }), 1},
		"a third lost, and starved":           {lineWith(func(l *line) { l.loss, l.kbps = 0.33, 60 }), 1},
		"nothing comes":                       {lineWith(func(l *line) { l.dead = true }), 0},
		"the checks have stopped":             {lineWith(func(l *line) { l.dead, l.consent = true, 13_000 }), 0},
		"sound alone":                         {lineWith(func(l *line) { l.video = false }), 5},
		"sound alone, a tenth lost":           {lineWith(func(l *line) { l.video, l.loss = false, 0.1 }), 2},
		"video alone, nothing comes":          {lineWith(func(l *line) { l.audio, l.dead = false, true }), 0},
		"a screen that nobody touches":        {lineWith(func(l *line) { l.screen, l.pictures, l.kbps = true, 0, 10 }), 5},
		"a screen whose browser is not heard": {lineWith(func(l *line) { l.screen, l.dead, l.unheard = true, true, 5000 }), 0},
	} {
		before := over(over(Uplink{}, goodLine), goodLine)
		before.Announced = Announced{Known: true, Audio: c.line.audio, Video: c.line.video, Screen: c.line.screen}
		now := over(before, c.line)
		if got, ok := Grade(&before, &now, 30); !ok || got != c.want {
			t.Errorf("%s: level %d (%v), want %d", name, got, ok, c.want)
		}
	}
}

// TestWhatCannotBeJudged says nothing, neither good nor bad.
func TestWhatCannotBeJudged(t *testing.T) {
	before := over(Uplink{}, goodLine)
	for name, now := range map[string]Uplink{
		"all is muted":                     over(before, lineWith(func(l *line) { l.audio, l.video = false, false })),
		"a screen rests, and is heard":     over(before, lineWith(func(l *line) { l.audio, l.screen, l.dead = false, true, true })),
		"it is still connecting":           {At: before.At + 5000, Facts: mediactl.Facts{State: "checking", Age: 3000}},
		"another transport":                {At: before.At + 5000, Facts: mediactl.Facts{State: "connected", Age: 1000}},
		"the same instant":                 before,
		"another source of the same track": {At: before.At + 5000, Announced: before.Announced, Facts: mediactl.Facts{State: "connected", Age: 99_000, Consent: 100}},
	} {
		if got, ok := Grade(&before, &now, 30); ok {
			t.Errorf("%s: level %d", name, got)
		}
	}
	never := Uplink{At: 11_000, Facts: mediactl.Facts{State: "new", Age: 11_000, Consent: -1, Heard: -1}}
	if level, news := new(Quality).Judge(never); level != 0 || !news {
		t.Errorf("a client that never connects: level %d, %v", level, news)
	}
	failed := Uplink{At: 40_000, Facts: mediactl.Facts{State: "failed", Age: 40_000, Consent: 31_000}}
	if level, ok := Grade(&before, &failed, 0); level != 0 || !ok {
		t.Errorf("a failed transport: level %d, %v", level, ok)
	}
}

// TestALevelDoesNotFlap: what is told of a series of readings, -1 for nothing.
func TestALevelDoesNotFlap(t *testing.T) {
	for name, c := range map[string]struct{ grades, want []int }{
		"at first":                  {[]int{4}, []int{4}},
		"once worse":                {[]int{5, 4, 5, 4, 5}, []int{5, -1, -1, -1, -1}},
		"worse twice":               {[]int{5, 4, 4}, []int{5, -1, 4}},
		"a deep fall":               {[]int{5, 3}, []int{5, 3}},
		"broken":                    {[]int{1, 0, 0}, []int{1, 0, -1}},
		"up and down":               {[]int{4, 5, 3, 5, 3}, []int{4, -1, -1, -1, -1}},
		"better twice, by the less": {[]int{2, 5, 4, 5, 5}, []int{2, -1, 4, -1, 5}},
		"mended":                    {[]int{5, 0, 5, 5}, []int{5, 0, -1, 5}},
	} {
		var q Quality
		var got []int
		for _, grade := range c.grades {
			level, news := q.settle(grade)
			if !news {
				level = -1
			}
			got = append(got, level)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: of %v is told %v, want %v", name, c.grades, got, c.want)
		}
	}
}

// TestTheUsualFrameRate is learnt: a camera is judged by itself, and one that stays slower is not bad for ever.
func TestTheUsualFrameRate(t *testing.T) {
	slow := lineWith(func(l *line) { l.pictures, l.kbps = 10, 300 })
	var q Quality
	u, level := Uplink{}, -1
	run := func(l line, readings int) {
		for range readings {
			u = over(u, l)
			if n, news := q.Judge(u); news {
				level = n
			}
		}
	}
	run(slow, 4)
	if level != 5 {
		t.Errorf("a camera of 10 pictures a second: level %d, want 5", level)
	}
	run(goodLine, 4)
	run(lineWith(func(l *line) { l.pictures = 120 }), 1) // what was held up on the way
	run(goodLine, 2)
	if level != 5 {
		t.Errorf("after a burst: level %d, want 5", level)
	}
	run(slow, 2)
	if level != 3 {
		t.Errorf("a third of what there was: level %d, want 3", level)
	}
	run(slow, mostRates+2)
	if level != 5 {
		t.Errorf("it stays so: level %d, want 5", level)
	}
}

// TestReadingsThatAreClose are put together: sound without a voice comes less than three times a second.
func TestReadingsThatAreClose(t *testing.T) {
	var q Quality
	u := over(Uplink{}, goodLine)
	q.Judge(u)
	quiet := u
	for range 3 {
		quiet.At, quiet.Facts.Age = quiet.At+600, quiet.Facts.Age+600
		if level, news := q.Judge(quiet); news {
			t.Fatalf("level %d is told of %d ms of silence", level, quiet.At-u.At)
		}
	}
	quiet.At, quiet.Facts.Age = quiet.At+600, quiet.Facts.Age+600
	if level, news := q.Judge(quiet); level != 0 || !news {
		t.Errorf("level %d (%v) of 2.4 s of silence, want 0", level, news)
	}
}
