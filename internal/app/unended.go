package app

import (
	"context"
	"log/slog"
	"time"

	"tertulia/internal/cluster/stream"
	"tertulia/internal/event/record"
)

// clocksApart is how far this machine's clock may have been set back since the oldest session was made.
const clocksApart = time.Hour

// endsWithin bounds the wait for the disk to have what endSubscriptions tells.
const endsWithin = 5 * time.Second

// endSubscriptions tells the ends of the subscriptions that a process had when it was killed, before sessions run again: the
// records of sessions do not hold them, the stream of events does. A process that stops in good order tells them itself, and
// leaves its place there. Only sessions that go on can have any, so nothing is read from before the oldest of them. Calls do
// not depend on it.
func (e *events) endSubscriptions(ctx context.Context, oldest time.Time, log *slog.Logger) {
	if oldest.IsZero() {
		e.looked = true
		return
	}
	var told record.Unended
	err := e.stream.Since(ctx, e.balanced.Place(), oldest.Add(-clocksApart), record.UnendedNames, func(entry stream.Entry) { told.Read(entry.Text) })
	if err != nil {
		log.Warn("what a killed process had told cannot be read: the ends of its viewers' connections may be missing", "error", err)
		return
	}
	e.looked = true
	ends := told.Ends(time.Now().UnixMilli())
	if len(ends) == 0 {
		return
	}
	log.Info("the process before was killed: the ends of its viewers' connections are told now", "connections", len(ends))
	before := e.stream.Stats().Latest
	for _, end := range ends {
		e.tell(end)
	}
	limited, cancel := context.WithTimeout(ctx, endsWithin)
	defer cancel()
	if e.stream.Written(limited, before+uint64(len(ends))) == nil {
		e.leaveBalanced(log)
	}
}

// leaveBalanced notes that every subscription that was told to begin was told to end: the next start looks from here on.
func (e *events) leaveBalanced(log *slog.Logger) {
	if !e.looked || e.stream.Stats().Waiting > 0 { // a start that failed, or the disk has not taken all of it
		return
	}
	if err := e.balanced.Begin(context.Background()); err != nil {
		log.Warn("the place up to which events have their ends is not kept; the next start looks for it", "error", err)
	}
}
