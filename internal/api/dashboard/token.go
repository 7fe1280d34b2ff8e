package dashboard

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"tertulia/internal/fault"
)

const maxBody = 4 << 10 // bytes; the page sends none, more is somebody else

var roomName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// tokens answers POST /call/{room} with {"token": "wss://…"}, POST /dashboard/test with {"tokens": […]}, and either
// with {"error": kind, "message": text}.
type tokens struct {
	rooms   Rooms
	mode    Mode
	log     *slog.Logger
	limit   *limit
	origins *http.CrossOriginProtection
}

func newTokens(cfg Config, l *limit) *tokens {
	return &tokens{
		rooms:   cfg.Rooms,
		mode:    cfg.Mode,
		log:     cfg.Log,
		limit:   l,
		origins: http.NewCrossOriginProtection(),
	}
}

// join gives a place in a room.
func (t *tokens) join(w http.ResponseWriter, r *http.Request) {
	err := t.admit(w, r)
	room := r.PathValue("room")
	if err == nil && !roomName.MatchString(room) {
		err = fault.New(fault.Invalid, "room %q: use 1 to 64 of the characters a-z, A-Z, 0-9, _ and -", clip(room))
	}
	var token string
	if err == nil {
		token, err = t.rooms.Token(r.Context(), room)
	}
	if err != nil {
		t.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"token": token})
}

// admit checks the caller, cheapest test first.
func (t *tokens) admit(w http.ResponseWriter, r *http.Request) error {
	from, err := callerOf(r)
	if err != nil {
		return err
	}
	if wait := t.limit.take(from); wait > 0 {
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		return fault.New(fault.RateLimited, "too many tokens asked for from %s: try again in %d s", from, seconds)
	}
	if err := t.origins.Check(r); err != nil {
		return fault.New(fault.Unauthorized,
			"this request comes from a page of another site (Origin %q): open the call page on this server itself",
			r.Header.Get("Origin"))
	}
	if t.mode != ModeAll && !isLocal(r, from) {
		return fault.New(fault.Unsupported,
			"the call page gives tokens to loopback and private addresses only, not to %s: "+
				"set CALL_PAGE=all to open it to everyone, name the proxy in TRUSTED_PROXIES if there is one, "+
				"or make tokens by the REST API", from)
	}
	return drain(w, r)
}

// drain reads the body, which says nothing yet, so that the connection can be used again.
func drain(w http.ResponseWriter, r *http.Request) error {
	_, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody))
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return fault.New(fault.TooLarge, "the body has more than %d bytes: send none", maxBody)
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "read the request's body")
	}
	return nil
}

// statuses is this edge's table from kind to HTTP status; other kinds are 500 and keep their text to the log.
var statuses = map[fault.Kind]int{
	fault.Invalid:      http.StatusBadRequest,
	fault.Unauthorized: http.StatusForbidden, // nothing to log in with
	fault.Unsupported:  http.StatusForbidden,
	fault.TooLarge:     http.StatusRequestEntityTooLarge,
	fault.RateLimited:  http.StatusTooManyRequests,
	fault.NoCapacity:   http.StatusServiceUnavailable,
	fault.Timeout:      http.StatusServiceUnavailable,
}

func (t *tokens) refuse(w http.ResponseWriter, r *http.Request, err error) {
	kind, text := fault.Of(err), err.Error()
	status, known := statuses[kind]
	if !known {
		status, text = http.StatusInternalServerError, "the server could not make a token: its log says why"
		t.log.ErrorContext(r.Context(), "call page: no token", "session", clip(r.PathValue("room")), "error", err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	}
	answer(w, status, map[string]string{"error": string(kind), "message": text})
}

const retryAfter = 5 * time.Second // for a server that is full or slow

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a caller who has gone needs no answer
}

// clip shortens foreign text for a message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
