package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/metrics"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// spare is the store of sessions that goes on when the disk does not: records then stay in memory and are written as soon
// as the disk takes them. It owes at most one record for each session there is, and one deletion for each there was when
// the disk failed.
type spare struct {
	disk   session.Store
	room   func() *room                // of the disk
	reopen func(context.Context) error // the disk's store
	stuck  func() bool                 // somebody else's writes to that store fail
	log    *slog.Logger
	retry  time.Duration
	late   time.Duration // after it has been opened again, for somebody else's next write

	mu      sync.Mutex
	down    bool
	owed    map[string]*debt // by session
	failing chan struct{}    // of capacity 1: down has become true
}

// debt is a record that is not on the disk.
type debt struct {
	record []byte // nil: it is to be deleted
	old    bool   // the disk may have another one of the session
}

func newSpare(disk session.Store, room func() *room, reopen func(context.Context) error, stuck func() bool, log *slog.Logger) *spare {
	return &spare{
		disk: disk, room: room, reopen: reopen, stuck: stuck, log: log, retry: 2 * time.Second, late: 10 * time.Second,
		owed: map[string]*debt{}, failing: make(chan struct{}, 1),
	}
}

// Create implements session.Store. While the disk is down nobody asks it whether the id is taken: the registry knows the
// sessions of this node.
func (s *spare) Create(ctx context.Context, id string, record []byte) error {
	return s.keep(ctx, id, debt{record: record}, func() error { return s.disk.Create(ctx, id, record) })
}

// Put implements session.Store.
func (s *spare) Put(ctx context.Context, id string, record []byte) error {
	return s.keep(ctx, id, debt{record, true}, func() error { return s.disk.Put(ctx, id, record) })
}

// Delete implements session.Store.
func (s *spare) Delete(ctx context.Context, id string) error {
	return s.keep(ctx, id, debt{nil, true}, func() error { return s.disk.Delete(ctx, id) })
}

// Load implements session.Store: what is on the disk, as nothing is owed when a node begins.
func (s *spare) Load(ctx context.Context, visit func(id string, record []byte) error) error {
	return s.disk.Load(ctx, visit)
}

// keep writes to the disk, or to memory if that fails or has failed.
func (s *spare) keep(ctx context.Context, id string, d debt, write func() error) error {
	if kept, _ := s.owe(id, d, false); kept {
		return nil
	}
	err := write()
	if err == nil || !fault.Is(err, fault.Timeout) && !fault.Is(err, fault.Internal) || errors.Is(ctx.Err(), context.Canceled) {
		return err // done, refused for what it is, or given up by the caller
	}
	d.old = true // what failed may have been done
	if _, news := s.owe(id, d, true); news {
		s.log.Error("the disk does not take the records of sessions: they are kept in memory, and a restart would lose them", "code", inMemory, "error", err)
	}
	return nil
}

// owe notes a record if the disk is down, or is now, and says whether that is news.
func (s *spare) owe(id string, d debt, failed bool) (kept, news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.down && !failed {
		return false, false
	}
	if !s.down {
		s.down, news = true, true
		select {
		case s.failing <- struct{}{}:
		default: // it was down a moment ago
		}
	}
	if before := s.owed[id]; before != nil {
		d.old = before.old || failed
	}
	if s.owed[id] = &d; d.record == nil && !d.old {
		delete(s.owed, id) // it came and went in memory
	}
	return true, news
}

// Run writes what is owed until ctx ends, and then a last time.
func (s *spare) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.retry)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-s.failing:
			s.recover(ctx)
		case <-ticker.C:
			if s.stuck() {
				s.recover(ctx)
			}
		}
	}
	s.flush(context.WithoutCancel(ctx))
	if n := s.waiting(); n > 0 {
		return fault.New(fault.Internal, "the latest changes of %d sessions are not on the disk, and lost; make room on it", n)
	}
	return nil
}

// recover ends when all is on the disk, or with ctx.
func (s *spare) recover(ctx context.Context) {
	ticker := time.NewTicker(s.retry)
	defer ticker.Stop()
	for reopened := (time.Time{}); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		flushed := s.flush(ctx)
		switch {
		case flushed && !s.stuck():
			s.log.Info("the disk takes records again")
			return
		case !s.fits(), flushed && time.Since(reopened) < s.late:
			continue
		}
		reopened = time.Now()
		if err := s.reopen(ctx); err != nil {
			s.log.Warn("the store cannot be opened again", "error", err)
		}
	}
}

// fits: another attempt is worth it, and does not take the last of the disk.
func (s *spare) fits() bool {
	now := s.room()
	s.mu.Lock()
	defer s.mu.Unlock()
	need := uint64(256 << 10)
	for _, d := range s.owed {
		need += 2 * uint64(len(d.record))
	}
	return now.Size == 0 || now.Free > need
}

// flush writes what is owed and reports whether that is all.
func (s *spare) flush(ctx context.Context) bool {
	if !s.fits() {
		return false
	}
	for {
		id, d := s.next()
		if d == nil {
			return true
		}
		var err error
		if d.record == nil {
			err = s.disk.Delete(ctx, id)
		} else {
			err = s.disk.Put(ctx, id, d.record)
		}
		if err != nil {
			return false
		}
		s.mu.Lock()
		if s.owed[id] == d { // else there is another by now
			delete(s.owed, id)
		}
		s.mu.Unlock()
	}
}

// next is something that is owed, and from now on perhaps on the disk. If there is nothing the disk is in use again.
func (s *spare) next() (id string, d *debt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, d := range s.owed {
		d.old = true
		return id, d
	}
	s.down = false
	return "", nil
}

func (s *spare) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.owed)
}

// inMemory is what health and the log say while sessions run from memory.
const inMemory = "STORE_IN_MEMORY"

// check is what health says of the store.
func (s *spare) check() openvidu.RESTCheck {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.down {
		return openvidu.RESTCheck{Name: "store", OK: true, Bearable: true}
	}
	return openvidu.RESTCheck{
		Name: "store", Bearable: true, Code: inMemory,
		Text: fmt.Sprintf("the disk takes no records: %d are kept in memory only, and sessions run from there", len(s.owed)),
		Fix:  "Make room on the disk of the data folder, or replace it; do not restart before: these sessions would be lost.",
	}
}

func (s *spare) samples() []metrics.Sample {
	return []metrics.Sample{{Name: "tertulia_store_owed", Help: "Records of sessions that are in memory only, because the disk does not take them.", Number: float64(s.waiting())}}
}
