package app

import (
	"context"
	"log/slog"
	"time"

	"tertulia/internal/api/signal"
	"tertulia/internal/session"
)

// goodbyeWithin is how long clients get to read that their session is over.
const goodbyeWithin = 3 * time.Second

// endCalls closes every session and waits until the clients, who close their sockets when they are told, are gone.
func endCalls(registry *session.Registry, clients *signal.Server, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeWithin)
	defer cancel()
	for _, s := range registry.List() {
		if _, err := registry.Do(ctx, s.ID, session.Close{Reason: "openviduServerStopped"}); err != nil {
			log.Warn("session not ended", "session", s.ID, "error", err)
		}
	}
	for clients.Stats().Sockets > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}
