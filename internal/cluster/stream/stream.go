package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tertulia/internal/fault"
)

// MaxRecord is the largest text of a record in bytes; a longer one is dropped and counted.
const MaxRecord = 1 << 20

// Config says what is kept. Zeros are defaults.
type Config struct {
	Name       string        // letters, digits and "_": "events"
	MaxRecords int           // on disk; 1,000,000
	MaxBytes   int64         // on disk; 1 KiB for each record there may be
	MaxWaiting int           // records in memory that are not written yet; 200,000
	MaxMemory  int           // bytes of them; 64 MiB
	Limit      time.Duration // how long one call of the store may take; 5 s
	Retry      time.Duration // pause after a write that failed; 1 s
	Log        *slog.Logger  // nil discards
}

func (c Config) filled() Config {
	fill(&c.MaxRecords, 1_000_000)
	fill(&c.MaxBytes, int64(c.MaxRecords)<<10)
	fill(&c.MaxWaiting, 200_000)
	fill(&c.MaxMemory, 64<<20)
	fill(&c.Limit, 5*time.Second)
	fill(&c.Retry, time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func fill[T int | int64 | time.Duration](setting *T, value T) {
	if *setting == 0 {
		*setting = value
	}
}

// Entry is a record in the stream.
type Entry struct {
	Number uint64
	Name   string
	Text   []byte
}

// Stream is the log. Its methods may be called from any goroutine; Run is called once.
type Stream struct {
	config Config
	jet    jetstream.JetStream
	log    jetstream.Stream
	places jetstream.KeyValue
	queue  queue
	failed atomic.Bool   // the latest write did
	over   chan struct{} // closed when Run has ended: nothing is written any more
}

// Open makes the stream if there is none; one that is there is opened even if the disk is full. conn stays the caller's to close, after Run and all readers have ended.
func Open(ctx context.Context, conn *nats.Conn, config Config) (*Stream, error) {
	config = config.filled()
	jet, err := jetstream.New(conn, jetstream.WithPublishAsyncTimeout(config.Limit))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "open stream %s", config.Name)
	}
	log, err := jet.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:        config.Name,
		Subjects:    []string{config.Name + ".*"},
		Storage:     jetstream.FileStorage,
		Compression: jetstream.S2Compression,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		MaxMsgs:     int64(config.MaxRecords),
		MaxBytes:    config.MaxBytes,
		AllowDirect: true,
	})
	if err != nil { // a full disk takes no settings: those of the last start are as good
		kept, missing := jet.Stream(ctx, config.Name)
		if missing != nil {
			return nil, fault.Wrap(fault.Internal, err, "open stream %s", config.Name)
		}
		config.Log.Warn("the settings of the events are those of the last start: new ones are not taken", "error", err)
		log = kept
	}
	places, err := jet.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: config.Name + "_places", History: 1, Storage: jetstream.FileStorage})
	if err != nil {
		kept, missing := jet.KeyValue(ctx, config.Name+"_places")
		if missing != nil {
			return nil, fault.Wrap(fault.Internal, err, "open the places of stream %s", config.Name)
		}
		places = kept
	}
	s := &Stream{config: config, jet: jet, log: log, places: places, over: make(chan struct{})}
	s.queue.begin(config.MaxWaiting, config.MaxMemory, log.CachedInfo().State.LastSeq)
	return s, nil
}

// Append gives a record to the stream; name is letters and digits, text is not changed any more. It never waits: a
// store that is too slow, or gone, costs the oldest records that are not written yet.
func (s *Stream) Append(name string, text []byte) {
	if len(text) > MaxRecord {
		s.queue.refuse()
		return
	}
	if s.queue.put(record{name, text}) {
		s.config.Log.Warn("events are lost: the store takes them too slowly or not at all; is its disk full?", "stream", s.config.Name, "waiting", s.config.MaxWaiting)
	}
}

const (
	batch   = 256              // records on their way to the store at a time
	closing = 10 * time.Second // for what still waits when everything stops
)

// Run writes what is given until ctx ends, and then what still waits if the store takes it without delay.
func (s *Stream) Run(ctx context.Context) error {
	defer close(s.over)
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(closing, cancel) })()
	for failed := false; ; {
		records, more := s.queue.head(batch)
		if len(records) == 0 {
			select {
			case <-more:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		err := s.write(late, records)
		switch {
		case err == nil && failed:
			s.config.Log.Info("events are written again", "stream", s.config.Name)
		case err != nil && !failed:
			s.config.Log.Warn("events are not written; they wait in memory", "stream", s.config.Name, "error", err)
		}
		failed = err != nil
		s.failed.Store(failed)
		if !failed {
			continue
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(fault.Internal, err, "%d events were not written and are lost", s.Stats().Waiting)
		case <-time.After(s.config.Retry):
		}
	}
}

// write sends records in order and takes those off the queue that are on the disk. We are the only writer: after a
// failure the store's latest number says how many of them it has taken.
func (s *Stream) write(ctx context.Context, records []record) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Limit)
	defer cancel()
	last, err := s.publish(ctx, records)
	if err == nil {
		s.queue.written(len(records), last)
		return nil
	}
	info, asked := s.log.Info(ctx)
	if asked != nil {
		return errors.Join(err, asked)
	}
	taken := int64(info.State.LastSeq) - int64(s.queue.latest())
	s.queue.written(int(min(max(taken, 0), int64(len(records)))), info.State.LastSeq)
	return err
}

// publish returns the number of the last record. None is taken out of its turn, not even if one before it fails.
func (s *Stream) publish(ctx context.Context, records []record) (last uint64, err error) {
	last = s.queue.latest()
	acks := make([]jetstream.PubAckFuture, len(records))
	for i, r := range records {
		acks[i], err = s.jet.PublishAsync(s.config.Name+"."+r.name, r.text, jetstream.WithExpectLastSequence(last+uint64(i)), jetstream.WithRetryAttempts(0))
		if err != nil {
			return 0, err
		}
	}
	for _, ack := range acks {
		select {
		case told := <-ack.Ok():
			last = told.Sequence
		case err := <-ack.Err():
			return 0, err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return last, nil
}

// After returns up to limit records whose numbers are above after, in order. The first may be further up: what lies
// between is forgotten.
func (s *Stream) After(ctx context.Context, after uint64, limit int) ([]Entry, error) {
	oldest, latest, err := s.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	var list []Entry
	for n := max(after+1, oldest); n <= latest && len(list) < limit && after != ^uint64(0); n++ {
		entry, err := s.get(ctx, n)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound): // forgotten meanwhile
		case err != nil:
			return nil, err
		default:
			list = append(list, entry)
		}
	}
	return list, nil
}

func (s *Stream) get(ctx context.Context, n uint64) (Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Limit)
	defer cancel()
	m, err := s.log.GetMsg(ctx, n)
	if err != nil {
		return Entry{}, failed(err, "read event %d", n)
	}
	return Entry{Number: n, Name: strings.TrimPrefix(m.Subject, s.config.Name+"."), Text: m.Data}, nil
}

// Bounds are the lowest and highest number that can be read; 0 and 0 before the first record.
func (s *Stream) Bounds(ctx context.Context) (oldest, latest uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Limit)
	defer cancel()
	info, err := s.log.Info(ctx)
	if err != nil {
		return 0, 0, failed(err, "read the bounds of stream %s", s.config.Name)
	}
	if info.State.Msgs == 0 {
		return 0, info.State.LastSeq, nil
	}
	return info.State.FirstSeq, info.State.LastSeq, nil
}

// Failing says that the latest write has failed; what is given waits meanwhile.
func (s *Stream) Failing() bool { return s.failed.Load() }

// Forget drops the oldest records but keep of them, to make room on the disk, and says how many went.
func (s *Stream) Forget(ctx context.Context, keep uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Limit)
	defer cancel()
	info, err := s.log.Info(ctx)
	if err != nil {
		return 0, failed(err, "make room in stream %s", s.config.Name)
	}
	if info.State.Msgs <= keep {
		return 0, nil
	}
	if err := s.log.Purge(ctx, jetstream.WithPurgeKeep(keep)); err != nil {
		return 0, failed(err, "make room in stream %s", s.config.Name)
	}
	return info.State.Msgs - keep, nil
}

// Size is what the stream has on the disk: records and bytes.
func (s *Stream) Size(ctx context.Context) (records, bytes uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Limit)
	defer cancel()
	info, err := s.log.Info(ctx)
	if err != nil {
		return 0, 0, failed(err, "read the size of stream %s", s.config.Name)
	}
	return info.State.Msgs, info.State.Bytes, nil
}

// Stats counts since the start.
type Stats struct {
	Written, Dropped uint64
	Waiting          int    // given and not written yet
	Latest           uint64 // number
}

// Stats are the numbers of now.
func (s *Stream) Stats() Stats { return s.queue.stats() }

// failed gives a store's error its kind.
func failed(err error, format string, args ...any) error {
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) {
		return fault.Wrap(fault.Timeout, err, "%s: the store did not answer in time", fmt.Sprintf(format, args...))
	}
	return fault.Wrap(fault.Internal, err, format, args...)
}

// Written waits until the record of a number is on the disk.
func (s *Stream) Written(ctx context.Context, number uint64) error {
	for {
		latest, more := s.queue.progress()
		if latest >= number {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
