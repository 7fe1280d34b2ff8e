package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

// lookEvery is how often .env is looked at: an edit is told of, and an undo taken over, within it.
const lookEvery = 2 * time.Second

// live is the configuration of a node that runs: what is in force, who has to be told of a change, and whether .env says
// the same. Its Run is the part that looks.
type live struct {
	log   *slog.Logger
	every time.Duration

	changing sync.Mutex // one change at a time, of everything below
	adopters []func(config.Config) error
	taken    [sha256.Size]byte // of .env as it is in force, with what waits for a start
	looked   os.FileInfo

	now   atomic.Pointer[config.Config]
	drift atomic.Pointer[string] // what .env says otherwise; nil: nothing
}

// newLive begins with the settings a start has read, which makes them a version if they differ from the last.
func newLive(c config.Config, log *slog.Logger) (*live, error) {
	l := &live{log: log, every: lookEvery}
	l.now.Store(&c)
	text, err := c.ReadFile()
	if err != nil {
		return nil, err
	}
	if len(text) > 0 {
		if _, err := config.Keep(c.Data, "start", text); errors.Is(err, syscall.ENOSPC) {
			log.Warn("the disk is full: this version of the settings is not kept", "folder", c.Data)
		} else if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "%s: the history of the settings cannot be kept → let this user write to the folder config there", c.Data)
		}
	}
	return l, nil
}

// config is what is in force.
func (l *live) config() config.Config { return *l.now.Load() }

// adopt has a part told of each change. A part that returns an error keeps what it had, and the change is refused. It is
// called while the node is built, and only then.
func (l *live) adopt(take func(config.Config) error) { l.adopters = append(l.adopters, take) }

// handler is an HTTP handler that is built anew for each change; requests that run end on the one they came to.
func (l *live) handler(build func(config.Config) (http.Handler, error)) (http.Handler, error) {
	var current atomic.Pointer[http.Handler]
	take := func(c config.Config) error {
		h, err := build(c)
		if err == nil {
			current.Store(&h)
		}
		return err
	}
	if err := take(l.config()); err != nil {
		return nil, err
	}
	l.adopt(take)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*current.Load()).ServeHTTP(w, r) }), nil
}

// restart is POST /restart by an author: all of the changes, or none and fault.Invalid. What was edited in .env by hand is
// taken over with them.
func (l *live) restart(_ context.Context, author string, values map[string]any) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	c := l.config()
	before, err := c.ReadFile()
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the settings cannot be read")
	}
	text, err := c.Edit(before, values)
	if err != nil {
		return allInvalid(err)
	}
	next, waiting, err := l.next(text)
	if err != nil {
		return allInvalid(err)
	}
	if err := l.tell(c, next); err != nil {
		return err
	}
	if err := l.keep(author, before, text); err != nil {
		return errors.Join(fault.Wrap(fault.Internal, err, "the settings cannot be kept"), l.tell(next, c))
	}
	l.inForce(next, waiting, text, author)
	return nil
}

// next is what to run with now, with this text of .env, and what waits for a start; an error if that start would fail for
// what the text says.
func (l *live) next(text []byte) (next config.Config, waiting []config.Change, err error) {
	c := l.config()
	whole, err := c.Whole(text)
	if err == nil {
		err = worse(c, whole)
	}
	if err != nil {
		return next, nil, err
	}
	return c.Next(text)
}

// keep writes .env and its version, or neither.
func (l *live) keep(author string, before, text []byte) error {
	data := l.config().Data
	if !bytes.Equal(before, text) {
		if err := config.WriteFile(data, text); err != nil {
			return err
		}
	}
	_, err := config.Keep(data, author, text)
	if err != nil && !bytes.Equal(before, text) {
		err = errors.Join(err, config.WriteFile(data, before))
	}
	return err
}

// tell has every part take next over; if one cannot, those that did go back.
func (l *live) tell(before, next config.Config) error {
	for i, take := range l.adopters {
		if err := take(next); err != nil {
			for _, back := range slices.Backward(l.adopters[:i]) {
				err = errors.Join(err, back(before))
			}
			return allInvalid(err)
		}
	}
	return nil
}

// allInvalid is one fault out of several, so that every caller reads all of it.
func allInvalid(err error) error {
	var texts []string
	for _, one := range fault.All(err) {
		texts = append(texts, one.Error())
	}
	return fault.New(fault.Invalid, "%s", strings.Join(texts, "; "))
}

func (l *live) inForce(next config.Config, waiting []config.Change, text []byte, author string) {
	before := l.config()
	l.now.Store(&next)
	l.taken = sha256.Sum256(text)
	if changes := before.Changes(&next); len(changes) > 0 {
		l.log.Info("settings changed", "author", author, "changes", told(changes))
	}
	if len(waiting) == 0 {
		l.drift.Store(nil)
		return
	}
	l.drifted("a restart takes over, and calls go on over it: " + told(waiting))
}

func told(changes []config.Change) string {
	var texts []string
	for _, c := range changes {
		texts = append(texts, c.String())
	}
	return strings.Join(texts, ", ")
}

func (l *live) drifted(text string) {
	if was := l.drift.Swap(&text); was == nil || *was != text {
		l.log.Warn("the settings in force are not those of .env: "+text, "code", diagnosis.ConfigDrift)
	}
}

// Run looks at .env until ctx ends.
func (l *live) Run(ctx context.Context) error {
	ticker := time.NewTicker(l.every)
	defer ticker.Stop()
	for {
		l.look()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// look tells of an edit by hand, and takes over what the history has: an undo or another change by command.
func (l *live) look() {
	l.changing.Lock()
	defer l.changing.Unlock()
	c := l.config()
	at, err := os.Stat(c.File())
	if err == nil && l.looked != nil && os.SameFile(at, l.looked) && at.ModTime().Equal(l.looked.ModTime()) && at.Size() == l.looked.Size() {
		return
	}
	l.looked = at
	text, err := c.ReadFile()
	if !l.take(c, text, err) {
		l.looked = nil // what is wrong may be mended elsewhere
	}
}

// take makes of a text of .env, or of why it cannot be read, what look is for; it reports whether it is of use.
func (l *live) take(c config.Config, text []byte, err error) bool {
	sum := sha256.Sum256(text)
	if err != nil {
		l.drifted(err.Error())
		return false
	}
	next, waiting, err := l.next(text)
	if err != nil {
		if sum != l.taken {
			l.drifted("what it says cannot be used, the values before it stay in force: " + strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		return false
	}
	changes := slices.Concat(c.Changes(&next), waiting)
	switch last := config.Latest(c.Data); {
	case sum == l.taken:
		if len(waiting) == 0 {
			l.drift.Store(nil)
		}
	case len(changes) == 0: // a comment, the order, or the first look
		l.taken = sum
		l.drift.Store(nil)
	case last.Text == string(text):
		if err := l.tell(c, next); err != nil {
			l.drifted("what it says cannot be used, the values before it stay in force: " + err.Error())
			return false
		}
		l.inForce(next, waiting, text, last.Author)
	default:
		l.drifted("POST /openvidu/api/restart or a restart takes over, `tertulia config undo` puts back: " + told(changes))
	}
	return true
}

// check is what health says: calls go on, so it is no failure.
func (l *live) check() openvidu.RESTCheck {
	c := openvidu.RESTCheck{Name: "config", OK: true}
	if drift := l.drift.Load(); drift != nil {
		c.Code, c.Text = string(diagnosis.ConfigDrift), *drift
	}
	return c
}

// setLevel makes LOG_LEVEL live, if the log has a level that can be set.
func setLevel(log *slog.Logger) func(config.Config) error {
	return func(c config.Config) error {
		level, ok := log.Handler().(interface{ Set(slog.Level) })
		var to slog.Level
		if ok && to.UnmarshalText([]byte(c.LogLevel)) == nil {
			level.Set(to)
		}
		return nil
	}
}
