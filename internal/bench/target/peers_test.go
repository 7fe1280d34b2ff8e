//go:build peers

// These need the servers that scripts/bench-peers installs: go test -tags peers ./internal/bench/target
package target

import (
	"path/filepath"
	"testing"
)

func TestLiveKitCall(t *testing.T) {
	callThrough(t, LiveKit(filepath.Join("../../..", LiveKitBinary)))
}

func TestJanusCall(t *testing.T) { callThrough(t, Janus()) }

func TestLiveKitMeeting(t *testing.T) {
	meetThrough(t, LiveKit(filepath.Join("../../..", LiveKitBinary)))
}

func TestJanusMeeting(t *testing.T) { meetThrough(t, Janus()) }
