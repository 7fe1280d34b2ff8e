package session

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/fault"
)

// TestLimitsChangeWhileRunning: new values hold for what is negotiated from then on, and for new sessions.
func TestLimitsChangeWhileRunning(t *testing.T) {
	bubble(t, func(c *Config) { c.MaxRecvKbps, c.MinRecvKbps = 1000, 300 }, func(t *testing.T, h *house) {
		policy := func() (most, least int) {
			r := h.env("room").Rules
			return r.MaxRecvKbps, r.MinRecvKbps
		}
		if most, least := policy(); most != 1000 || least != 300 {
			t.Errorf("at the start %d and %d", most, least)
		}
		var changes sync.WaitGroup
		for range 8 { // from any goroutine
			changes.Go(func() {
				h.Adopt(Live{MaxRecvKbps: 500, MinRecvKbps: 100, Defaults: Properties{ForcedVideoCodec: "H264"}})
			})
		}
		changes.Wait()
		if most, least := policy(); most != 500 || least != 100 {
			t.Errorf("then %d and %d", most, least)
		}
		if _, err := h.Join(t.Context(), "room", "1", Join{Insecure: true}); err != nil {
			t.Fatal(err)
		}
		if s, err := h.State("room"); err != nil || s.Properties.ForcedVideoCodec != "H264" {
			t.Errorf("the new session has %+v, %v", s.Properties, err)
		}
	})
}

// TestCollectionChangesWhileRunning: it is off, then on, then off again.
func TestCollectionChangesWhileRunning(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("one")
		h.pass(24 * time.Hour)
		if _, err := h.State("one"); err != nil {
			t.Fatalf("it was collected: %v", err)
		}
		h.Adopt(Live{GCInterval: time.Minute, GCThreshold: time.Hour})
		h.pass(2 * time.Minute)
		if _, err := h.State("one"); !fault.Is(err, fault.SessionNotFound) {
			t.Fatalf("it is still there: %v", err)
		}
		h.create("two")
		h.Adopt(Live{})
		h.pass(24 * time.Hour)
		if _, err := h.State("two"); err != nil {
			t.Errorf("it was collected: %v", err)
		}
	})
}

// TestMinimaAndMaxima: a connection's own limits win, each over its general one, and the least never exceeds the most.
func TestMinimaAndMaxima(t *testing.T) {
	general := Rules{MaxRecvKbps: 1000, MinRecvKbps: 300, MaxSendKbps: 800}
	for _, test := range []struct {
		name                      string
		own                       *KurentoOptions
		maxRecv, minRecv, maxSend int
	}{
		{"none", nil, 1000, 300, 800},
		{"empty", &KurentoOptions{}, 1000, 300, 800},
		{"all", &KurentoOptions{new(70), new(60), new(50), new(40), nil}, 50, 40, 70},
		{"a lower most", &KurentoOptions{VideoMaxSendBandwidth: new(250), VideoMaxRecvBandwidth: new(150)}, 250, 250, 150},
		{"unlimited", &KurentoOptions{VideoMaxSendBandwidth: new(0), VideoMaxRecvBandwidth: new(0)}, 0, 300, 0},
		{"no least", &KurentoOptions{VideoMinSendBandwidth: new(0), VideoMinRecvBandwidth: new(0)}, 1000, 0, 800},
	} {
		state := &State{}
		turn := &turn{State: state, env: Env{Rules: general}}
		c := &Connection{Kurento: test.own}
		in, out := turn.publisherPolicy(c), turn.subscriberPolicy(c)
		if in.MaxRecvKbps != test.maxRecv || in.MinRecvKbps != test.minRecv || in.MaxSendKbps != 0 {
			t.Errorf("%s: from a publisher %+v", test.name, in)
		}
		if out.MaxSendKbps != test.maxSend || out.MaxRecvKbps+out.MinRecvKbps != 0 {
			t.Errorf("%s: to a subscriber %+v", test.name, out)
		}
	}
}

// TestNoTwoSessionsAreOne: a name that is used again at once has another creation time.
func TestNoTwoSessionsAreOne(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.node.takes = 0
		seen := map[int64]bool{}
		for range 50 {
			s, err := h.Create(t.Context(), Properties{CustomSessionID: "room"})
			if err != nil {
				t.Fatal(err)
			}
			if seen[s.CreatedAt] {
				t.Fatalf("two sessions were created at %d", s.CreatedAt)
			}
			seen[s.CreatedAt] = true
			if _, err := h.Do(t.Context(), "room", Close{Reason: sessionClosedByServer}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestMediaGone: what befalls the media node befalls every session that was joined, and no other.
func TestMediaGone(t *testing.T) {
	for _, reason := range []string{nodeCrashed, mediaServerDisconnect, mediaServerReconnect} {
		observed(t, func(t *testing.T, h *house, w *witness) {
			h.create("one")
			h.create("two")
			h.create("empty")
			a, b := h.join("one", Publisher), h.join("two", Publisher)
			h.publish(a)
			h.publish(b)
			h.MediaGone(reason)
			synctest.Wait()
			for id, stays := range map[string]bool{"one": reason == mediaServerReconnect, "two": reason == mediaServerReconnect, "empty": true} {
				s, err := h.State(id)
				if (err == nil) != stays {
					t.Errorf("%s: session %s: %v", reason, id, err)
				}
				for _, c := range s.Connections {
					if c.Stream != nil {
						t.Errorf("%s: %s still publishes %s", reason, c.ID, c.Stream.ID)
					}
				}
			}
			if reason == mediaServerReconnect {
				h.publish(a) // it may, anew
			}
		})
	}
}
