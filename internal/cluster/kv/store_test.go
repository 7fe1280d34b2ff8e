package kv_test

import (
	"testing"

	"tertulia/internal/session"
	"tertulia/internal/session/storetest"
)

// A bucket is a session.Store; the import is this test's alone.
func TestSessionStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) session.Store {
		conn, stop := serve(t, t.TempDir())
		t.Cleanup(stop)
		return open(t, conn)
	})
}
