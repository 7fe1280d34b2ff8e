package session

import (
	"context"
	"maps"
	"slices"
	"sync"

	"tertulia/internal/fault"
)

// MemoryStore is a Store that lasts as long as the process. Its zero value is ready.
type MemoryStore struct {
	mu      sync.Mutex
	records map[string][]byte
}

// Create writes the first record of a session.
func (m *MemoryStore) Create(ctx context.Context, id string, record []byte) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.records[id]; taken {
		return fault.New(fault.SessionExists, "session %s exists", id)
	}
	m.put(id, record)
	return nil
}

// Put replaces a record.
func (m *MemoryStore) Put(ctx context.Context, id string, record []byte) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(id, record)
	return nil
}

func (m *MemoryStore) put(id string, record []byte) {
	if m.records == nil {
		m.records = map[string][]byte{}
	}
	m.records[id] = slices.Clone(record)
}

// Delete removes a record.
func (m *MemoryStore) Delete(ctx context.Context, id string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, id)
	return nil
}

// Load visits all records as they are now.
func (m *MemoryStore) Load(_ context.Context, visit func(id string, record []byte) error) error {
	m.mu.Lock()
	records := maps.Clone(m.records)
	m.mu.Unlock()
	for id, record := range records {
		if err := visit(id, slices.Clone(record)); err != nil {
			return err
		}
	}
	return nil
}
