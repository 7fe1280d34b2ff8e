package app

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/diagnosis"
	"tertulia/internal/node"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
)

// judged are the calls whose publishers are judged; a session.Registry is.
type judged interface {
	List() []session.State
	Do(ctx context.Context, id string, c session.Command) (any, error)
}

// judgeWithin bounds what one publisher may take: its facts, and telling of its level.
const judgeWithin = 2 * time.Second

// quality tells sessions how good the uplinks of their publishers are. Run is its one goroutine.
type quality struct {
	every   time.Duration
	maxKbps int // for connections without kurentoOptions; 0 unlimited
	facts   func(ctx context.Context, session, endpoint string) ([]mediactl.Facts, error)
	calls   judged
	log     *slog.Logger
	of      map[published]*diagnosis.Quality
}

// published names a stream, which has another name when it is published anew.
type published struct{ session, stream string }

// judgeUplinks judges every publisher; nil if the settings say not to.
func judgeUplinks(c config.Config, media *node.Node, calls judged, log *slog.Logger) func(context.Context) error {
	if c.NetworkQuality <= 0 {
		return nil
	}
	q := &quality{
		every: time.Duration(c.NetworkQuality) * time.Second, maxKbps: c.Bandwidth.MaxRecv, facts: media.Facts, calls: calls, log: log,
	}
	return q.Run
}

// Run judges until ctx ends.
func (q *quality) Run(ctx context.Context) error {
	ticker := time.NewTicker(q.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			q.judgeAll(ctx)
		}
	}
}

// judgeAll takes a reading of every publisher, and forgets those that are no more.
func (q *quality) judgeAll(ctx context.Context) {
	known := q.of
	q.of = make(map[published]*diagnosis.Quality, len(known))
	for _, state := range q.calls.List() {
		for _, c := range state.Connections {
			if c.Stream == nil {
				continue
			}
			if ctx.Err() != nil {
				return
			}
			name := published{state.ID, c.Stream.ID}
			of := cmp.Or(known[name], new(diagnosis.Quality))
			if q.judge(ctx, state.ID, c, of) {
				q.of[name] = of
			}
		}
	}
}

// judge takes a reading of a publisher and tells its session if the level is news. It reports false if the session has
// not taken it: the level is told again then, as of a new publisher.
func (q *quality) judge(ctx context.Context, id string, c *session.Connection, of *diagnosis.Quality) bool {
	ctx, cancel := context.WithTimeout(ctx, judgeWithin)
	defer cancel()
	facts, err := q.facts(ctx, id, c.ID)
	if err != nil || len(facts) == 0 {
		return true // nothing can be said now
	}
	level, news := of.Judge(uplink(c, &facts[0], q.maxKbps))
	if !news {
		return true
	}
	if _, err := q.calls.Do(ctx, id, session.SetQuality{Connection: c.ID, Level: level}); err != nil {
		q.log.Debug("network quality was not told", "session", id, "connection", c.ID, "level", level, "error", err)
		return false
	}
	return true
}

func uplink(c *session.Connection, f *mediactl.Facts, maxKbps int) diagnosis.Uplink {
	m := &c.Stream.Media
	if k := c.Kurento; k != nil && k.VideoMaxSendBandwidth != nil {
		maxKbps = *k.VideoMaxSendBandwidth
	}
	var picture struct{ Width, Height int }
	_ = json.Unmarshal([]byte(m.Dimensions), &picture) // a client's word: what cannot be read is not known
	within := func(n int) int { return min(max(n, 0), 1<<14) }
	return diagnosis.Uplink{
		At: time.Now().UnixMilli(), Facts: *f, MaxKbps: maxKbps, Pixels: within(picture.Width) * within(picture.Height),
		Announced: diagnosis.Announced{
			Known: true, Screen: m.TypeOfVideo == "SCREEN",
			Audio: m.HasAudio && m.AudioActive, Video: m.HasVideo && m.VideoActive,
		},
	}
}
