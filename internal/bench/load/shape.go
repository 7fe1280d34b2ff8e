package load

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Packet is one RTP packet of a recorded track.
type Packet struct {
	At     time.Duration // since the start of the shape
	Size   int           // bytes of RTP: header with extensions, and payload; without SRTP tag, UDP and IP
	Marker bool          // the last of a video frame
	// Data is the codec's part of the payload, of shapes that can be looked at; nil: as large as recorded, and nothing in it.
	Data []byte
}

// Track is a track of a shape.
type Track struct {
	Kind    string // "audio", "video"
	Packets []Packet
}

// Shape is what one publisher sends, over and over.
type Shape struct {
	Name   string
	Length time.Duration // of one round
	Tracks []Track
}

//go:embed shapes/*.txt
var recordings embed.FS

// Rates are those at which video was recorded, in kbit/s.
var Rates = []int{150, 400, 1000, 2000}

// LoadShape returns a recorded shape: "burst", "even" (the same packets evenly spaced), "tiles" (video with Opus) or
// "audio" (Opus; it has one rate, and kbps is ignored). kbps is one of [Rates].
func LoadShape(name string, kbps int) (Shape, error) {
	if name != "audio" && !slices.Contains(Rates, kbps) {
		return Shape{}, fmt.Errorf("shape %s: recorded at %d kbit/s, not at %d", name, Rates, kbps)
	}
	files := map[string]string{}
	video := fmt.Sprintf("burst-%d", kbps)
	switch name {
	case "burst", "even":
		files["video"] = video
	case "tiles":
		files["video"], files["audio"] = video, "audio"
	case "audio":
		files["audio"] = "audio"
	default:
		return Shape{}, fmt.Errorf("shape %q: burst, even, tiles or audio", name)
	}
	s := Shape{Name: name}
	for _, kind := range []string{"audio", "video"} {
		if files[kind] == "" {
			continue
		}
		text, err := recordings.ReadFile("shapes/" + files[kind] + ".txt")
		if err != nil {
			return Shape{}, fmt.Errorf("shape %s: %w", name, err)
		}
		t := Track{Kind: kind}
		if t.Packets, err = parse(string(text)); err != nil {
			return Shape{}, fmt.Errorf("shape %s: %w", files[kind], err)
		}
		s.Tracks = append(s.Tracks, t)
	}
	s.close()
	if name == "even" {
		spread(s.Tracks[0].Packets, s.Length)
	}
	return s, nil
}

// parse reads lines of "µs since the start, bytes, marker".
func parse(text string) ([]Packet, error) {
	var packets []Packet
	for line := range strings.Lines(text) {
		var micros, size, marker int
		if _, err := fmt.Sscanf(line, "%d %d %d\n", &micros, &size, &marker); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(packets)+1, err)
		}
		p := Packet{At: time.Duration(micros) * time.Microsecond, Size: size, Marker: marker == 1}
		if size < 12 || size > 1500 || len(packets) > 0 && p.At < packets[len(packets)-1].At {
			return nil, fmt.Errorf("line %d: %d bytes at %v", len(packets)+1, size, p.At)
		}
		packets = append(packets, p)
	}
	if len(packets) < 2 {
		return nil, fmt.Errorf("%d packets", len(packets))
	}
	return packets, nil
}

// close makes a round of it: after the last packet of the track that ends first comes the gap that precedes the others on
// average, and what other tracks have after that is cut off at the end of a frame.
func (s *Shape) close() {
	for _, t := range s.Tracks {
		starts := t.starts()
		last := t.Packets[starts[len(starts)-1]].At
		if length := last + last/time.Duration(max(len(starts)-1, 1)); s.Length == 0 || length < s.Length {
			s.Length = length
		}
	}
	for i := range s.Tracks {
		t := &s.Tracks[i]
		starts := t.starts()
		for n := len(starts) - 1; t.Packets[len(t.Packets)-1].At >= s.Length && n > 0; n-- {
			t.Packets = t.Packets[:starts[n]]
		}
	}
}

// starts are the indexes at which frames begin; a packet of sound is a frame.
func (t *Track) starts() []int {
	var starts []int
	for i := range t.Packets {
		if t.begins(i) {
			starts = append(starts, i)
		}
	}
	return starts
}

func (t *Track) begins(i int) bool { return i == 0 || t.Kind == "audio" || t.Packets[i-1].Marker }

func spread(packets []Packet, length time.Duration) {
	for i := range packets {
		packets[i].At = length * time.Duration(i) / time.Duration(len(packets))
	}
}

// PerFrame is the mean number of packets in a frame of video, 0 without any.
func (s Shape) PerFrame() float64 {
	for _, t := range s.Tracks {
		if t.Kind == "video" {
			return float64(len(t.Packets)) / float64(len(t.starts()))
		}
	}
	return 0
}

// Kbps is the rate of RTP in a round, all tracks together, in kbit/s.
func (s Shape) Kbps() float64 {
	bytes := 0
	for _, t := range s.Tracks {
		for _, p := range t.Packets {
			bytes += p.Size
		}
	}
	return float64(bytes) * 8 / 1000 / s.Length.Seconds()
}

// PerSecond is how many packets a publisher sends in a second.
func (s Shape) PerSecond() float64 {
	n := 0
	for _, t := range s.Tracks {
		n += len(t.Packets)
	}
	return float64(n) / s.Length.Seconds()
}
