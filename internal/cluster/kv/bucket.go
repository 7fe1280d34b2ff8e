package kv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tertulia/internal/fault"
)

// MaxRecord is the largest record in bytes; it leaves room for headers below natsd.MaxPayload.
const MaxRecord = 4 << 20

// markerLife is how long the note that a key was deleted stays: long enough for whoever watches the bucket, and no
// longer, or the bucket would grow by one note per session ever held.
const markerLife = time.Minute

// Config describes one bucket.
type Config struct {
	Name  string        // letters, digits, "_" and "-": "sessions"
	Taken fault.Kind    // what Create answers for an id that exists: fault.SessionExists
	Limit time.Duration // how long one call may take, for Load the wait for each next record; 0 is 1 s (design decision 5)
}

// Bucket is a set of records by id. Its methods may be called from any goroutine; writes to one id must be made one
// after the other by their caller, and the last one stands. Errors are fault.Errors: Invalid for an id that cannot be
// kept, TooLarge beyond MaxRecord, Timeout when the store did not answer in time (the write may still happen), and
// Internal.
type Bucket struct {
	config Config
	store  jetstream.KeyValue
	born   time.Time
}

// Open makes the bucket if there is none; one that is there is opened even if the disk is full. nats stays the caller's to close.
func Open(ctx context.Context, conn *nats.Conn, config Config) (*Bucket, error) {
	if config.Limit == 0 {
		config.Limit = time.Second
	}
	stream, err := jetstream.New(conn)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "open bucket %s", config.Name)
	}
	store, err := stream.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:         config.Name,
		History:        1,
		Storage:        jetstream.FileStorage,
		LimitMarkerTTL: markerLife,
	})
	if err != nil { // a full disk takes no settings: those of the last start are as good
		kept, missing := stream.KeyValue(ctx, config.Name)
		if missing != nil {
			return nil, failed(err, "open bucket %s", config.Name)
		}
		store = kept
	}
	b := &Bucket{config: config, store: store}
	status, err := store.Status(ctx)
	if err != nil {
		return nil, failed(err, "open bucket %s", config.Name)
	}
	if bucket, ok := status.(*jetstream.KeyValueBucketStatus); ok {
		b.born = bucket.StreamInfo().Created
	}
	return b, nil
}

// Born is when the bucket was made: another time means that what was kept before is lost.
func (b *Bucket) Born() time.Time { return b.born }

// Create writes the first record of an id; an id that exists is the kind Config.Taken. Repeating a Create whose answer
// was lost succeeds: the record that is there is then the same, byte for byte.
func (b *Bucket) Create(ctx context.Context, id string, record []byte) error {
	key, err := keyOf(id, record)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.config.Limit)
	defer cancel()
	_, err = b.store.Create(ctx, key, record)
	if errors.Is(err, jetstream.ErrKeyExists) {
		if entry, readErr := b.store.Get(ctx, key); readErr == nil && bytes.Equal(entry.Value(), record) {
			return nil
		}
		return fault.New(b.config.Taken, "%q exists already; choose another id or delete it first", id)
	}
	return failed(err, "create %s/%s", b.config.Name, id)
}

// Put writes the record of an id, whether or not there is one.
func (b *Bucket) Put(ctx context.Context, id string, record []byte) error {
	key, err := keyOf(id, record)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.config.Limit)
	defer cancel()
	_, err = b.store.Put(ctx, key, record)
	return failed(err, "put %s/%s", b.config.Name, id)
}

// Delete removes the record of an id; none is no error.
func (b *Bucket) Delete(ctx context.Context, id string) error {
	key, err := keyOf(id, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.config.Limit)
	defer cancel()
	return failed(b.store.Purge(ctx, key, jetstream.PurgeTTL(markerLife)), "delete %s/%s", b.config.Name, id)
}

// Load calls visit for every record as of now, in no particular order, and ends at its first error. visit may keep
// the record.
func (b *Bucket) Load(ctx context.Context, visit func(id string, record []byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch, err := b.store.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return failed(err, "load %s", b.config.Name)
	}
	defer func() { _ = watch.Stop() }() // fails only when the connection is gone, and the watch with it
	for {
		entry, err := b.next(ctx, watch)
		if err != nil || entry == nil {
			return err
		}
		id, ok := decode(entry.Key())
		if !ok {
			return fault.New(fault.Internal, "load %s: key %q was not written by this program; delete it or name another data folder", b.config.Name, entry.Key())
		}
		if err := visit(id, entry.Value()); err != nil {
			return err
		}
	}
}

// next is the watch's next record; nil is the end of what existed when the watch began.
func (b *Bucket) next(ctx context.Context, watch jetstream.KeyWatcher) (jetstream.KeyValueEntry, error) {
	late := time.NewTimer(b.config.Limit)
	defer late.Stop()
	select {
	case entry, open := <-watch.Updates():
		if !open {
			return nil, fault.New(fault.Internal, "load %s: the connection to the store ended", b.config.Name)
		}
		return entry, nil
	case <-ctx.Done():
		return nil, failed(ctx.Err(), "load %s", b.config.Name)
	case <-late.C:
		return nil, fault.New(fault.Timeout, "load %s: no record within %v; is the store up?", b.config.Name, b.config.Limit)
	}
}

// failed gives a store's error its kind; nil stays nil.
func failed(err error, format string, args ...any) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return fault.Wrap(fault.Timeout, err, "%s: the store did not answer in time", fmt.Sprintf(format, args...))
	}
	return fault.Wrap(fault.Internal, err, format, args...)
}
