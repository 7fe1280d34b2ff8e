package app

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/wire/openvidu"
)

// TestAFailedStartLeavesTheEnds to the next one: what has not looked for begins without an end does not say that there are
// none. Once they are told, later starts tell nothing.
func TestAFailedStartLeavesTheEnds(t *testing.T) {
	c, err := config.Load([]string{"--data=" + t.TempDir(), "--openvidu-secret=MY_SECRET"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	for i, test := range []struct {
		does func(context.Context, *events)
		want uint64 // the latest event then
	}{
		{func(_ context.Context, e *events) { // and is killed
			e.stream.Append(openvidu.EventWebRTCCreated, []byte(`{"sessionId":"a","uniqueSessionId":"a_7","timestamp":9,"streamId":"s","connectionId":"b","connection":"INBOUND","receivingFrom":"c","event":"webrtcConnectionCreated"}`))
		}, 1},
		{func(context.Context, *events) {}, 1},
		{func(ctx context.Context, e *events) { e.endSubscriptions(ctx, log) }, 2},
		{func(ctx context.Context, e *events) { e.endSubscriptions(ctx, log) }, 2},
	} {
		running, ctx := newParts(t.Context())
		store, err := openStore(ctx, c, log, running)
		if err != nil {
			t.Fatal(err)
		}
		told, err := newEvents(ctx, c, store.events, log, running)
		if err != nil {
			t.Fatal(err)
		}
		test.does(ctx, told)
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		if err := told.stream.Written(limited, test.want); err != nil {
			t.Errorf("start %d: %v", i, err)
		}
		if latest := told.stream.Stats().Latest; latest != test.want {
			t.Errorf("start %d: %d events, want %d", i, latest, test.want)
		}
		cancel()
		if err := running.stop(); err != nil {
			t.Errorf("start %d: %v", i, err)
		}
	}
}
