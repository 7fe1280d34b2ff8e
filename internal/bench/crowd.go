package bench

import (
	"context"
	"errors"
	"time"

	"tertulia/internal/bench/machine"
)

// Crowd is what coming in and staying cost without media.
type Crowd struct {
	Server       string `json:"server"`
	Version      string `json:"version,omitempty"`
	CPUs         []int  `json:"cpus"`
	SRTP         string `json:"srtp"`
	Participants int    `json:"participants"` // of whom no one had an endpoint yet
	Endpoints    int    `json:"endpoints"`

	Empty int64 `json:"rss_empty_bytes"`

	Join           Entry   `json:"join"`                      // participants: TLS websocket and join
	ParticipantRSS float64 `json:"rss_per_participant_bytes"` //
	Setup          Entry   `json:"setup"`                     // endpoints: signalling, ICE and DTLS until connected
	EndpointRSS    float64 `json:"rss_per_endpoint_bytes"`
	Idle           float64 `json:"idle_us_per_second_and_endpoint"` // beyond what participants without endpoints cost
}

// Entry is what it took to let a number of them in, many at a time.
type Entry struct {
	Count int           `json:"count"`
	Took  time.Duration `json:"took_ns"`
	CPU   time.Duration `json:"server_cpu_ns"`
	P50   time.Duration `json:"p50_ns"` // from asking to being in, while others come in too
	P99   time.Duration `json:"p99_ns"`
}

// each is the server's CPU for one of them.
func (e Entry) each() time.Duration { return e.CPU / time.Duration(max(e.Count, 1)) }

// gathering says who comes.
type gathering struct {
	participants int // who only join; in rooms of 50
	rooms        int // the endpoints: rooms of members, of whom so many publish
	members      int
	publishers   int
	idle         time.Duration // 0 leaves memory and idle cost out
}

const roomOfOnlookers = 50

// cameras is the room in which everyone sees everyone: n members have n publishers and n(n-1) viewers, n² endpoints.
func cameras(endpoints int) gathering {
	n := 2
	for (n+1)*(n+1) <= endpoints {
		n++
	}
	return gathering{rooms: 1, members: n, publishers: n}
}

// audience is one publisher and viewers: as all servers can have it.
func audience(endpoints int) gathering {
	return gathering{rooms: 1, members: endpoints, publishers: 1}
}

// crowd measures a server that was just started and has seen nobody: two stages, because rooms of onlookers stay what they are.
func (s *stage) crowd(ctx context.Context, g gathering, srtp string) (Crowd, error) {
	c := Crowd{Server: s.server.Name(), Version: s.server.Version(), CPUs: s.cpus, SRTP: srtp, Participants: g.participants}
	pid := s.server.PID()
	var err error
	if c.Empty, err = resident(ctx, pid, g.idle > 0); err != nil {
		return c, err
	}
	lobby := max(1, g.participants/roomOfOnlookers)
	if c.Join, err = s.enter(func() ([]time.Duration, error) { return s.join(ctx, lobby, g.participants/lobby) }); err != nil {
		return c, err
	}
	onlookers, err := resident(ctx, pid, g.idle > 0)
	if err != nil {
		return c, err
	}
	c.ParticipantRSS = float64(onlookers-c.Empty) / float64(max(c.Join.Count, 1))
	quiet, err := linger(ctx, pid, g.idle)
	if err != nil {
		return c, err
	}

	inner := &stage{server: s.server, cpus: s.cpus, clients: s.clients}
	defer inner.leave()
	for range g.rooms {
		inner.rooms = append(inner.rooms, &room{name: "cameras" + number(float64(len(inner.rooms)))})
	}
	if _, err := inner.join(ctx, g.rooms, g.members); err != nil {
		return c, err
	}
	joined, err := resident(ctx, pid, g.idle > 0)
	if err != nil {
		return c, err
	}
	if c.Setup, err = s.enter(func() ([]time.Duration, error) { return inner.connect(ctx, g.publishers) }); err != nil {
		return c, err
	}
	c.Endpoints = c.Setup.Count
	full, err := resident(ctx, pid, g.idle > 0)
	if err != nil {
		return c, err
	}
	c.EndpointRSS = float64(full-joined) / float64(max(c.Endpoints, 1))
	busy, err := linger(ctx, pid, g.idle)
	if err != nil {
		return c, err
	}
	if g.idle > 0 {
		c.Idle = float64((busy - quiet).Microseconds()) / g.idle.Seconds() / float64(max(c.Endpoints, 1))
	}
	return c, nil
}

// connect publishes and watches, and says how long each endpoint took.
func (s *stage) connect(ctx context.Context, publishers int) ([]time.Duration, error) {
	published, err1 := s.publish(ctx, publishers)
	if err1 != nil {
		return nil, err1
	}
	watched, err2 := s.watch(ctx)
	return append(published, watched...), errors.Join(err1, err2)
}

// enter accounts for what the server spent while they came in.
func (s *stage) enter(come func() ([]time.Duration, error)) (Entry, error) {
	before, err := machine.SpentBy(s.server.PID())
	if err != nil {
		return Entry{}, err
	}
	began := time.Now()
	took, err := come()
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Count: len(took), Took: time.Since(began), P50: percentile(took, 50), P99: percentile(took, 99)}
	after, err := machine.SpentBy(s.server.PID())
	e.CPU = after.Sub(before).Total
	return e, err
}

// linger is the CPU that a server spends while nothing happens.
func linger(ctx context.Context, pid int, length time.Duration) (time.Duration, error) {
	before, err := machine.SpentBy(pid)
	if err != nil {
		return 0, err
	}
	if err := wait(ctx, length); err != nil {
		return 0, err
	}
	after, err := machine.SpentBy(pid)
	return after.Sub(before).Total, err
}

// resident is the server's memory once it has had time to give some back.
func resident(ctx context.Context, pid int, asked bool) (int64, error) {
	if !asked {
		return 0, nil
	}
	const breath = 2 * time.Second
	if err := wait(ctx, breath); err != nil {
		return 0, err
	}
	return machine.Resident(pid)
}

func wait(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
