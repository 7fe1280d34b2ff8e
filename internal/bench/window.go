package bench

import (
	"context"
	"errors"
	"time"
)

// score is what a stage plays: which shape at which rate, into its publishers.
type score struct {
	shape string
	kbps  int
	srtp  string // for the report
	// perFrame is how many packets a frame of video has, on average.
	perFrame float64
	player   func(publishers []client) player
}

// player sends for so long. Called again, it goes on where it ended.
type player func(ctx context.Context, length time.Duration) (played, error)

// played is what the publishers sent together, and how late the latest hundredth of it was.
type played struct {
	sent    uint64
	lateP99 time.Duration
}

// The first packets of a stream ask for key frames, fill caches and grow stacks: they are not measured. As long as some do not
// arrive, more are played; how many times, at most, is warmings.
const (
	warming  = time.Second
	warmings = 5
)

// measure plays into the stage and accounts for what it cost. Every packet counts, the last ones too: it waits for them.
func (s *stage) measure(ctx context.Context, what score, length time.Duration) (Traffic, error) {
	publishers, viewers := s.publishers(), s.viewers()
	t := Traffic{
		Server: s.server.Name(), Version: s.server.Version(), Shape: what.shape, Kbps: what.kbps, SRTP: what.srtp, CPUs: s.cpus,
		Publishers: len(publishers), Viewers: len(viewers),
	}
	if len(publishers) == 0 || len(viewers)%len(publishers) != 0 {
		return t, errors.New("every publisher must have as many viewers as any other")
	}
	play := what.player(publishers)
	each := uint64(len(viewers) / len(publishers))
	before, err := s.warm(ctx, play, each)
	if err != nil {
		return t, err
	}
	began := time.Now()
	start, err := s.clocks()
	if err != nil {
		return t, err
	}
	sent, err := play(ctx, length)
	if err != nil {
		return t, err
	}
	t.Window = time.Since(began)
	after, lag, err := s.settle(ctx, before+sent.sent*each)
	if err != nil {
		return t, err
	}
	end, err := s.clocks()
	if err != nil {
		return t, err
	}
	t.Window += lag
	t.Lag, t.LateP99 = lag, sent.lateP99
	t.Sent, t.Delivered = sent.sent, after-before
	t.Expected = t.Sent * each
	if t.Delivered == 0 {
		return t, errNothingArrived
	}
	t.account(end.sub(start))
	return t, nil
}

// warm plays until all that is sent reaches each publisher's viewers, so many, and returns how many packets have arrived. A
// viewer of video hears its sound at once and the video from a key frame on. Who still misses something in the end is not waited
// for: it shows as loss.
func (s *stage) warm(ctx context.Context, play player, each uint64) (uint64, error) {
	count := s.delivered()
	for range warmings {
		before := count
		done, err := play(ctx, warming)
		if err != nil {
			return 0, err
		}
		if count, _, err = s.settle(ctx, 0); err != nil {
			return 0, err
		}
		if count-before >= done.sent*each {
			break
		}
	}
	return count, nil
}

// settle waits until no more packets arrive: for 150 ms once so many as wanted are there, for a second while some are missing,
// since the server may only be waiting for a CPU. It returns how many have arrived, and how long they went on arriving.
func (s *stage) settle(ctx context.Context, wanted uint64) (count uint64, lag time.Duration, err error) {
	const look, still, patient = 50 * time.Millisecond, 3, 20
	began := time.Now()
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	count = s.delivered()
	same := 0
	for range 100 { // of looks: a server that never falls silent is measured as it is
		select {
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		case <-ticker.C:
		}
		now := s.delivered()
		if same++; now != count {
			count, same, lag = now, 0, time.Since(began)
		}
		if same >= still && count >= wanted || same == patient {
			break
		}
	}
	return count, lag, nil
}

var errNothingArrived = errors.New("no packet reached a viewer")
