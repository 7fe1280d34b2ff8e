package storetest_test

import (
	"testing"

	"tertulia/internal/session"
	"tertulia/internal/session/storetest"
)

func TestMemoryStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) session.Store { return new(session.MemoryStore) })
}
