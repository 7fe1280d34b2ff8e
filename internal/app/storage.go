package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"tertulia/internal/cluster/kv"
	"tertulia/internal/cluster/natsd"
	"tertulia/internal/cluster/stream"
	"tertulia/internal/config"
	"tertulia/internal/fault"
	"tertulia/internal/metrics"
	"tertulia/internal/wire/openvidu"
)

// storage is what the node keeps on its disk, and goes on without when the disk is full (docs/reference: DISK_LOW).
type storage struct {
	sessions *spare
	events   *stream.Stream
	disk     *disk
	born     time.Time // of the records of sessions
}

// openStore starts the embedded NATS, and opens the bucket of session records and the stream of events on it.
func openStore(ctx context.Context, c config.Config, log *slog.Logger, running *parts) (*storage, error) {
	nats := natsd.New(natsd.Config{Dir: filepath.Join(c.Data, "nats"), MaxStore: maxStore, Log: log})
	running.start("store", nats.Run)
	conn, err := nats.Connect(ctx)
	if err != nil {
		return nil, err
	}
	running.hold("store connection", func() error { conn.Close(); return nil })
	bucket, err := kv.Open(ctx, conn, kv.Config{Name: "sessions", Taken: fault.SessionExists})
	if err != nil {
		return nil, err
	}
	numbered, err := stream.Open(ctx, conn, streamConfig(c, log))
	if err != nil {
		return nil, err
	}
	s := &storage{events: numbered, disk: newDisk(c.Data, numbered, log), born: bucket.Born()}
	s.sessions = newSpare(bucket, s.disk.look, nats.Restart, numbered.Failing, log)
	running.start("records", s.sessions.Run)
	running.start("disk", s.disk.Run)
	return s, nil
}

func (s *storage) checks() []openvidu.RESTCheck {
	return []openvidu.RESTCheck{s.disk.check(), s.sessions.check()}
}

func (s *storage) samples() []metrics.Sample {
	return append(s.disk.samples(), s.sessions.samples()...)
}
