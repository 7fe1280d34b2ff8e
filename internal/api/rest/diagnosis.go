package rest

import (
	"context"
	"strconv"

	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// Diagnosis is the memory of what happened in sessions, those that ended lately among them. Results are false for what
// it does not know.
type Diagnosis interface {
	// Timeline returns the entries of a session after a time (Unix milliseconds), in order, at most limit.
	Timeline(session string, after int64, limit int) ([]diagnosis.Entry, bool)
	// Diagnosis returns what was found of one connection, in order.
	Diagnosis(session, connection string) ([]diagnosis.Record, bool)
	// ClientLines takes what a client has logged; received is when it came, Unix milliseconds.
	ClientLines(session, connection string, lines []diagnosis.ClientLine, received int64)
	// ClientStats takes what a client has measured, as its SDK says it.
	ClientStats(session, connection string, stats map[string]any)
}

// Entries of a timeline in one answer.
const (
	defaultEntries = maxEntries
	maxEntries     = 1000
)

func getTimeline(_ context.Context, r *request) (response, error) {
	after, err := r.number("after", 0, 1<<53)
	if err != nil {
		return response{}, err
	}
	limit, err := r.number("limit", defaultEntries, maxEntries)
	if err != nil {
		return response{}, err
	}
	if r.Diagnosis != nil {
		if entries, ok := r.Diagnosis.Timeline(r.path["session"], after, int(limit)); ok {
			return listed(entries), nil
		}
	}
	if _, err := r.Registry.State(r.path["session"]); err != nil {
		return response{}, err
	}
	return listed([]diagnosis.Entry{}), nil // it is there, and nothing is told of it yet
}

func getDiagnosis(_ context.Context, r *request) (response, error) {
	if r.Diagnosis != nil {
		if records, ok := r.Diagnosis.Diagnosis(r.path["session"], r.path["connection"]); ok {
			return listed(records), nil
		}
	}
	state, err := r.Registry.State(r.path["session"])
	if err != nil {
		return response{}, err
	}
	if !knows(state, r.path["connection"]) {
		return response{}, fault.New(fault.ConnectionNotFound, "session %s has no connection %q", state.ID, r.path["connection"])
	}
	return listed([]diagnosis.Record{}), nil
}

func knows(s session.State, connection string) bool {
	for _, c := range s.Connections {
		if c.ID == connection {
			return true
		}
	}
	return false
}

func listed[T any](content []T) response { return ok(openvidu.NewRESTList(content)) }

// number reads a query parameter from 0 to most.
func (r *request) number(name string, fallback, most int64) (int64, error) {
	text := r.http.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, fault.New(fault.Invalid, "%s is %.40q: give a whole number from 0 to %d", name, text, most)
	}
	return n, nil
}
