package stream

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tertulia/internal/fault"
)

// sinceBatch is how many records are asked for at a time.
const sinceBatch = 1000

// Since calls visit for each record of one of the names whose number is above after and that was written at a time or later,
// in order, as the disk has them now. It is for a start: it reads tens of thousands in a second, where After asks for each,
// and looks at no others.
func (s *Stream) Since(ctx context.Context, after uint64, from time.Time, names []string, visit func(Entry)) error {
	subjects := make([]string, len(names))
	for i, name := range names {
		subjects[i] = s.config.Name + "." + name
	}
	config := jetstream.OrderedConsumerConfig{
		FilterSubjects: subjects, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
	}
	if m, err := s.log.GetMsg(ctx, after); !from.IsZero() && (err != nil || m.Time.Before(from)) { // after is no record, or an older one
		config.DeliverPolicy, config.OptStartSeq, config.OptStartTime = jetstream.DeliverByStartTimePolicy, 0, &from
	}
	consumer, err := s.log.OrderedConsumer(ctx, config)
	if err != nil {
		return failed(err, "read stream %s", s.config.Name)
	}
	for left := consumer.CachedInfo().NumPending; left > 0; {
		batch, err := consumer.Fetch(int(min(left, sinceBatch)), jetstream.FetchMaxWait(s.config.Limit))
		if err != nil {
			return failed(err, "read stream %s", s.config.Name)
		}
		got := 0
		for m := range batch.Messages() {
			about, err := m.Metadata()
			if err != nil {
				return failed(err, "read stream %s", s.config.Name)
			}
			if about.Sequence.Stream > after {
				visit(Entry{Number: about.Sequence.Stream, Name: strings.TrimPrefix(m.Subject(), s.config.Name+"."), Text: m.Data()})
			}
			left = about.NumPending
			got++
		}
		switch {
		case batch.Error() != nil:
			return failed(batch.Error(), "read stream %s", s.config.Name)
		case ctx.Err() != nil:
			return ctx.Err()
		case got == 0: // what was left is forgotten meanwhile, or the disk is slow
			now, err := consumer.Info(ctx)
			if err != nil {
				return failed(err, "read stream %s", s.config.Name)
			}
			if now.NumPending > 0 {
				return fault.New(fault.Timeout, "stream %s gives no record in %v, and has %d more", s.config.Name, s.config.Limit, now.NumPending)
			}
			return nil
		}
	}
	return nil
}
