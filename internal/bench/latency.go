package bench

import (
	"context"
	"math"
	"time"
)

// Delays are how long packets took from the publisher's send call to the kernel's receive stamp at a viewer.
type Delays struct {
	Count uint64        `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Heard is what the probes among the viewers heard.
type Heard struct {
	Video Delays `json:"video"`
	Audio Delays `json:"audio"`
	Last  Delays `json:"last"` // of the packets of a video frame, counted from its first being sent
}

// Latency is what going through the server adds.
type Latency struct {
	Rooms      Traffic `json:"rooms"` // many small rooms, as many as keep the server at the load asked for
	RoomsHeard Heard   `json:"rooms_heard"`

	Burst      Traffic `json:"burst"` // one to many
	BurstHeard Heard   `json:"burst_heard"`
	// Serial is how long the server works on a frame: its packets, for every viewer, at what one costs. The last packet cannot
	// leave earlier when the work is in one row.
	Serial time.Duration `json:"serial_ns"`

	Beside      Traffic `json:"beside"` // one to many, video with Opus beside it
	BesideHeard Heard   `json:"beside_heard"`
}

// worst is the figure of the small rooms: whichever medium waits longer.
func (l Latency) worst() time.Duration { return max(l.RoomsHeard.Video.P99, l.RoomsHeard.Audio.P99) }

// ofSerial is how long the last packet of a frame takes, in rows of work: the median over the frames, because a frame has
// the mean number of packets only there.
func (l Latency) ofSerial() float64 { return l.BurstHeard.Last.P50.Seconds() / l.Serial.Seconds() }

func (l Latency) audio() float64 {
	return l.BesideHeard.Audio.P99.Seconds() / l.BesideHeard.Video.P99.Seconds()
}

func (l Latency) write(p *page) {
	p.line("in small rooms, at %s %% of a core:", number(math.Round(100*l.Rooms.Share)))
	l.Rooms.write(p)
	l.RoomsHeard.write(p)
	p.line("one to many, bursts:")
	l.Burst.write(p)
	l.BurstHeard.write(p)
	p.line("  packets × cost of a frame    %s ms; its last packet takes %s × that (p50)", number(millis(l.Serial)), number(l.ofSerial()))
	p.line("one to many, audio beside video:")
	l.Beside.write(p)
	l.BesideHeard.write(p)
}

func (h Heard) write(p *page) {
	for _, d := range []struct {
		name string
		Delays
	}{{"video packet", h.Video}, {"audio packet", h.Audio}, {"last packet of a frame", h.Last}} {
		if d.Count > 0 {
			p.line("  %-28s p50 %s ms, p99 %s ms, max %s ms", d.name, number(millis(d.P50)), number(millis(d.P99)), number(millis(d.Max)))
		}
	}
}

func runLatency(ctx context.Context, l *lab, o Options) (outcome, error) { return l.latency(ctx, o) }

func (l *lab) latency(ctx context.Context, o Options) (Latency, error) {
	var found Latency
	if err := l.on(ctx, o.forwarding(), func(ctx context.Context, s *stage) error { return l.inRooms(ctx, s, o, &found) }); err != nil {
		return found, err
	}
	err := l.on(ctx, o.forwarding(), func(ctx context.Context, s *stage) error { return l.oneToMany(ctx, s, o, &found) })
	return found, err
}

// inRooms adds rooms until the server works as much as was asked, then listens.
func (l *lab) inRooms(ctx context.Context, s *stage, o Options, found *Latency) (err error) {
	what, err := l.score("tiles", 400, o.SRTP)
	if err != nil {
		return err
	}
	s.probing = []int{o.Size}
	for rooms := o.Rooms; ; {
		if err := s.fill(ctx, rooms, 1+o.Size, 1); err != nil {
			return err
		}
		heard := s.clients.hear(s.probes())
		if found.Rooms, err = s.measure(ctx, what, o.window()); err != nil {
			return err
		}
		found.RoomsHeard = heard()
		l.say("%s: %d rooms, server %s %% of a core, p99 %s ms", o.Server, rooms, number(100*found.Rooms.Share), number(millis(found.worst())))
		more := enough(rooms, found.Rooms.Share, float64(o.Load)/100, mostEndpoints/(1+o.Size))
		if more == rooms {
			return nil
		}
		rooms = more
	}
}

// enough is how many rooms it takes for a load, given what so many cause. A tenth below it is near enough.
func enough(rooms int, share, load float64, most int) int {
	if share <= 0 || share >= 0.9*load {
		return rooms
	}
	return max(rooms, min(most, int(math.Ceil(float64(rooms)*load/share))))
}

func (l *lab) oneToMany(ctx context.Context, s *stage, o Options, found *Latency) error {
	s.probing = []int{1, 1 + o.Viewers/2, o.Viewers} // who came first, in the middle and last
	if err := s.fill(ctx, 1, 1+o.Viewers, 1); err != nil {
		return err
	}
	for _, part := range []struct {
		shape string
		kbps  int
		into  *Traffic
		heard *Heard
	}{{"burst", o.Kbps, &found.Burst, &found.BurstHeard}, {"tiles", 400, &found.Beside, &found.BesideHeard}} {
		what, err := l.score(part.shape, part.kbps, o.SRTP)
		if err != nil {
			return err
		}
		l.say("%s: %s to %d viewers", o.Server, part.shape, o.Viewers)
		heard := s.clients.hear(s.probes())
		if *part.into, err = s.measure(ctx, what, o.window()); err != nil {
			return err
		}
		*part.heard = heard()
		if part.shape == "burst" {
			found.Serial = time.Duration(what.perFrame * float64(o.Viewers) * found.Burst.Micros * float64(time.Microsecond))
		}
	}
	return nil
}

func latencyOf(ctx context.Context, w *sweep, run int, o Options) error {
	o.Seconds = int(w.plan.window.Seconds())
	found, err := w.l.latency(ctx, o)
	if err != nil {
		return err
	}
	w.results.add(run, ours, "latency-rooms", millis(found.worst()))
	w.results.add(run, ours, "latency-burst", found.ofSerial())
	w.results.add(run, ours, "latency-audio", found.audio())
	w.results.add(run, ours, "latency-rooms: rooms", float64(found.Rooms.Publishers))
	w.results.add(run, ours, "latency-rooms: server % of a core", 100*found.Rooms.Share)
	w.results.add(run, ours, "latency-rooms: p50 ms", millis(found.RoomsHeard.Video.P50))
	w.results.add(run, ours, "latency-burst: last packet of a frame, p50 ms", millis(found.BurstHeard.Last.P50))
	w.results.add(run, ours, "latency-burst: last packet of a frame, p99 ms", millis(found.BurstHeard.Last.P99))
	w.results.add(run, ours, "latency-burst: packets × cost, ms", millis(found.Serial))
	return nil
}
