package load

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// drum is a shape of 40 ms: two pictures, of three packets and of one, and four sounds.
var drum = Shape{Length: 40 * time.Millisecond, Tracks: []Track{
	{Kind: "audio", Packets: []Packet{{0, 60, false, nil}, {10e6, 60, false, nil}, {20e6, 60, false, nil}, {30e6, 60, false, nil}}},
	{Kind: "video", Packets: []Packet{{1e6, 200, false, nil}, {1e6, 201, false, nil}, {7e6, 202, true, nil}, {25e6, 300, true, nil}}},
}}

// publisher is a stage whose client can be played.
func publisher(t *testing.T) *stage {
	t.Helper()
	s := newStage(t, Config{}, true)
	s.agree()
	s.key(gcm)
	return s
}

// packets are those that wait at the server, in their order.
func (s *stage) packets() (all []rtp.Packet) {
	s.t.Helper()
	for _, b := range heard(s.t, s.server) {
		plain, err := s.in.DecryptRTP(nil, b, nil)
		ok(s.t, err)
		var p rtp.Packet
		ok(s.t, p.Unmarshal(plain))
		all = append(all, p)
	}
	return all
}

// TestSchedule: times are absolute, each publisher has an offset, and a track begins with a frame, not before the start.
func TestSchedule(t *testing.T) {
	var player Player
	player.Shape = drum
	for range 4 {
		player.Publishers = append(player.Publishers, publisher(t).client)
	}
	start := time.Unix(1_800_000_000, 0)
	all, err := player.parts(start)
	ok(t, err)
	offsets := map[time.Duration]bool{}
	for _, p := range all {
		first := p.due()
		if !p.begins() || first.Before(start) || first.Sub(start) > drum.Length {
			t.Errorf("%s begins %v after the start, with a frame: %v", p.shape.Kind, first.Sub(start), p.begins())
		}
		offsets[start.Sub(p.round)%drum.Length] = true
		for range 1000 * len(p.shape.Packets) {
			at := p.due()
			if p.advance(); p.due().Before(at) {
				t.Fatalf("packet %d is due before the one before it", p.next)
			}
		}
		if late := p.due().Sub(first) - 1000*drum.Length; late != 0 {
			t.Errorf("after 1000 rounds it is late by %v", late)
		}
	}
	if len(all) != 8 || len(offsets) != 4 {
		t.Errorf("%d tracks with %d offsets", len(all), len(offsets))
	}
}

// TestPlays in order, whole frames, with timestamps of when they were due; once more, and the streams go on.
func TestPlays(t *testing.T) {
	s := publisher(t)
	player := Player{Shape: drum, Publishers: []*Client{s.client}}
	var video, audio []rtp.Packet
	for round := range 2 {
		played, err := player.Play(t.Context(), 3*drum.Length)
		ok(t, err)
		all := s.packets()
		if played.Sent != uint64(len(all)) || played.Late.Count() != played.Sent || played.Sent != 24 {
			t.Errorf("round %d: %d packets sent, %d arrived, %d timed", round, played.Sent, len(all), played.Late.Count())
		}
		for _, p := range all {
			if p.SSRC == s.client.track("video").ssrc {
				video = append(video, p)
			} else {
				audio = append(audio, p)
			}
		}
		if last := video[len(video)-1]; !last.Marker {
			t.Errorf("round %d ends within a frame", round)
		}
	}
	for _, stream := range [][]rtp.Packet{video, audio} {
		for i := 1; i < len(stream); i++ {
			if stream[i].SequenceNumber != stream[i-1].SequenceNumber+1 {
				t.Errorf("number %d follows %d", stream[i].SequenceNumber, stream[i-1].SequenceNumber)
			}
		}
	}
	for i := 1; i < 12; i++ { // a round of 24 packets has 12 of either
		step, want := video[i].Timestamp-video[i-1].Timestamp, uint32(24*90)
		switch i % 4 {
		case 1, 2:
			want = 0
		case 0:
			want = 16 * 90
		}
		if step != want {
			t.Errorf("packet %d is %d ticks after the one before, want %d", i, step, want)
		}
		if step := audio[i].Timestamp - audio[i-1].Timestamp; step != 480 {
			t.Errorf("sound %d is %d ticks after the one before", i, step)
		}
	}
	if video[12].Timestamp-video[11].Timestamp == 0 {
		t.Error("the second time begins where the first has ended")
	}
}

// TestEndsWithItsContext, and refuses publishers that cannot play.
func TestEndsWithItsContext(t *testing.T) {
	s := publisher(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	played, err := (&Player{Shape: drum, Publishers: []*Client{s.client}}).Play(ctx, time.Hour)
	if err != nil || played.Sent != 0 {
		t.Errorf("%d packets after the end, %v", played.Sent, err)
	}
	unconnected := newStage(t, Config{}, true)
	unconnected.agree()
	mute := newStage(t, Config{}, true)
	mute.key(gcm)
	viewer := newStage(t, Config{}, false)
	viewer.key(gcm)
	for name, c := range map[string]*Client{"without keys": unconnected.client, "without an answer": mute.client, "a viewer": viewer.client} {
		if _, err := (&Player{Shape: drum, Publishers: []*Client{c}}).Play(t.Context(), time.Millisecond); err == nil {
			t.Errorf("%s plays", name)
		}
	}
}

// TestShapesAreClosed: a round ends with a whole frame of every track; what cannot be a shape is refused.
func TestShapesAreClosed(t *testing.T) {
	s := Shape{Tracks: []Track{
		{Kind: "video", Packets: []Packet{{0, 100, false, nil}, {1, 100, true, nil}, {30, 100, true, nil}, {60, 100, false, nil}, {61, 100, true, nil}, {90, 100, false, nil}}},
		{Kind: "audio", Packets: []Packet{{0, 60, false, nil}, {20, 60, false, nil}, {40, 60, false, nil}, {60, 60, false, nil}}},
	}}
	s.close()
	if n := len(s.Tracks[0].Packets); s.Length != 80 || n != 5 || len(s.Tracks[1].Packets) != 4 {
		t.Errorf("%v, %d packets of video, %d of audio", s.Length, n, len(s.Tracks[1].Packets))
	}
	var at []time.Duration
	even := slices.Clone(s.Tracks[0].Packets)
	spread(even, s.Length)
	for _, p := range even {
		at = append(at, p.At)
	}
	if want := []time.Duration{0, 16, 32, 48, 64}; !slices.Equal(at, want) {
		t.Errorf("spread over %v: %v", s.Length, at)
	}
	for _, text := range []string{"", "0 100 1\n", "0 100 1\nx", "0 11 1\n1 100 1\n", "0 100 1\n1 1501 1\n", "5 100 1\n4 100 1\n"} {
		if p, err := parse(text); err == nil {
			t.Errorf("%q is %v", text, p)
		}
	}
}
