package target

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// callThrough runs a call of one publisher and three viewers through a server, pinned to CPU 0.
func callThrough(t *testing.T, server Server) {
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	check(t, server.Start(ctx, []int{0}))
	t.Cleanup(func() { check(t, server.Stop()) })
	if allowed := allowedCPUs(t, server.PID()); allowed != "0" {
		t.Errorf("%s may run on CPUs %s", server.Name(), allowed)
	}
	if server.Version() == "" {
		t.Error("no version")
	}
	speaker, err := server.Join(ctx, "bench0", "speaker")
	check(t, err)
	microphone := newPeer(t, ClientAddress(server), true)
	check(t, speaker.Publish(ctx, microphone))
	var all []Participant
	var screens []*peer
	for i := range 3 {
		viewer, err := server.Join(ctx, "bench0", fmt.Sprint("viewer", i))
		check(t, err)
		screen := newPeer(t, ClientAddress(server), false)
		check(t, viewer.Subscribe(ctx, speaker, screen))
		all, screens = append(all, viewer), append(screens, screen)
	}
	microphone.play(t) // a viewer may be there before anything is sent
	for i, screen := range screens {
		if err := screen.waitHeard(ctx, 5); err != nil {
			t.Fatalf("viewer %d: %v", i, err)
		}
		t.Logf("%s %s: viewer %d: %s, %d offers answered", server.Name(), server.Version(), i, screen.srtp(), len(screen.offered))
	}
	if err := speaker.Subscribe(ctx, all[0], newPeer(t, ClientAddress(server), false)); err == nil {
		t.Error("subscribed to somebody who publishes nothing")
	}
	for _, p := range append(all, speaker) {
		check(t, p.Leave())
	}
}

// meetThrough runs two rooms in which each of three publishes and receives the two others, starts the server a second time,
// and ends it in mid-call.
func meetThrough(t *testing.T, server Server) {
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	check(t, server.Start(ctx, nil))
	first := server.PID()
	check(t, server.Stop())
	check(t, server.Start(ctx, nil))
	t.Cleanup(func() { check(t, server.Stop()) })
	if server.PID() == first || server.PID() == 0 {
		t.Errorf("PID %d, before %d", server.PID(), first)
	}
	var last Participant
	for room := range 2 {
		var all []Participant
		for i := range 3 {
			p, err := server.Join(ctx, fmt.Sprint("bench", room), fmt.Sprint("p", i))
			check(t, err)
			microphone := newPeer(t, ClientAddress(server), true)
			check(t, p.Publish(ctx, microphone))
			microphone.play(t)
			all = append(all, p)
		}
		for i, viewer := range all {
			for j, from := range all {
				if i == j {
					continue
				}
				screen := newPeer(t, ClientAddress(server), false)
				check(t, viewer.Subscribe(ctx, from, screen))
				if err := screen.waitHeard(ctx, 5); err != nil {
					t.Fatalf("room %d: %d gets %d: %v", room, i, j, err)
				}
			}
		}
		last = all[2]
		check(t, all[0].Leave())
	}
	check(t, server.Stop())
	if err := last.Subscribe(ctx, last, newPeer(t, ClientAddress(server), false)); err == nil {
		t.Error("subscribed on a server that has ended")
	}
	_ = last.Leave() // it may say that the server is gone; it returns
}

// allowedCPUs is the kernel's list of where a process may run.
func allowedCPUs(t *testing.T, pid int) string {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	check(t, err)
	for l := range strings.Lines(string(status)) {
		if list, ok := strings.CutPrefix(l, "Cpus_allowed_list:"); ok {
			return strings.TrimSpace(list)
		}
	}
	return ""
}
