package stream

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Reader reads every record once, in order, and remembers across restarts how far it came. One goroutine at a time
// uses it; Behind and Missed may be read by others.
type Reader struct {
	stream *Stream
	name   string
	done   atomic.Uint64 // the latest record that needs not be read again
	stale  bool          // the disk does not know that
	due    time.Time     // when it should

	missed atomic.Uint64
}

// saveEvery is how much a kill -9 makes a reader read again.
const saveEvery = time.Second

// Reader opens a place by name, letters and digits. A place that is new is the end of the stream as it is now.
func (s *Stream) Reader(ctx context.Context, name string) (*Reader, error) {
	r := &Reader{stream: s, name: name}
	ctx, cancel := context.WithTimeout(ctx, s.config.Limit)
	defer cancel()
	entry, err := s.places.Get(ctx, name)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		r.done.Store(s.queue.latest())
		r.stale = true
		if err := r.Save(ctx); err != nil { // the disk is full: it is tried again
			s.config.Log.Warn("a place among the events is not kept", "reader", name, "error", err)
		}
		return r, nil
	case err != nil:
		return nil, failed(err, "find the place of %s in stream %s", name, s.config.Name)
	}
	done, err := strconv.ParseUint(string(entry.Value()), 10, 64)
	if latest := s.queue.latest(); err != nil || done > latest { // of a stream that was here before this one
		done = latest
	}
	r.done.Store(done)
	return r, nil
}

// Next waits for the record after the one that was last given to Done. io.EOF: the stream has stopped, and there is none.
func (r *Reader) Next(ctx context.Context) (number uint64, name string, text []byte, err error) {
	for {
		latest, more := r.stream.queue.progress()
		if r.done.Load() < latest {
			entry, err := r.read(ctx)
			if !errors.Is(err, jetstream.ErrMsgNotFound) {
				return entry.Number, entry.Name, entry.Text, err
			}
			continue // what was forgotten is passed over
		}
		if err := r.Save(ctx); err != nil {
			return 0, "", nil, err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return 0, "", nil, ctx.Err()
		case <-r.stream.over:
			if r.done.Load() >= r.stream.queue.latest() {
				return 0, "", nil, io.EOF
			}
		}
	}
}

// read returns the next record, or ErrMsgNotFound after passing over those that are forgotten.
func (r *Reader) read(ctx context.Context) (Entry, error) {
	done := r.done.Load()
	entry, err := r.stream.get(ctx, done+1)
	if !errors.Is(err, jetstream.ErrMsgNotFound) {
		return entry, err
	}
	oldest, latest, asked := r.stream.Bounds(ctx)
	if asked != nil {
		return Entry{}, asked
	}
	next := latest // nothing is left
	if oldest != 0 {
		next = max(oldest-1, done+1)
	}
	r.missed.Add(next - done)
	r.stream.config.Log.Warn("events were forgotten before they could be sent; EVENTS_MAX keeps more", "reader", r.name, "first", done+1, "last", next)
	r.done.Store(next)
	r.stale = true
	return Entry{}, err
}

// Done says that the record of a number needs not be read again. It is on the disk within a second, and when Next has
// nothing more to give.
func (r *Reader) Done(ctx context.Context, number uint64) error {
	r.done.Store(number)
	r.stale = true
	if time.Now().Before(r.due) {
		return nil
	}
	return r.Save(ctx)
}

// Skip goes to the end, and forgets the place until something is done: a reader that is opened then begins at the end.
func (r *Reader) Skip(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.stream.config.Limit)
	defer cancel()
	if err := r.stream.places.Purge(ctx, r.name); err != nil {
		return failed(err, "forget the place of %s", r.name)
	}
	r.stale = false
	r.done.Store(r.stream.queue.latest())
	return nil
}

// Begin goes to the end and keeps that place: whatever comes from now on is read, over a restart too.
func (r *Reader) Begin(ctx context.Context) error {
	r.done.Store(r.stream.queue.latest())
	r.stale = true
	return r.Save(ctx)
}

// Save puts the place on the disk. It goes on when ctx ends.
func (r *Reader) Save(ctx context.Context) error {
	if !r.stale {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.stream.config.Limit)
	defer cancel()
	if _, err := r.stream.places.PutString(ctx, r.name, strconv.FormatUint(r.done.Load(), 10)); err != nil {
		return failed(err, "keep the place of %s", r.name)
	}
	r.stale, r.due = false, time.Now().Add(saveEvery)
	return nil
}

// Behind is how many records wait for this reader.
func (r *Reader) Behind() uint64 {
	latest := r.stream.queue.latest()
	return latest - min(latest, r.done.Load())
}

// Missed is how many records were forgotten before it could read them.
func (r *Reader) Missed() uint64 { return r.missed.Load() }

// Place is the number of the latest record that needs not be read again.
func (r *Reader) Place() uint64 { return r.done.Load() }
