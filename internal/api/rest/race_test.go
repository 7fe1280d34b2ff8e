package rest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// crowd sends one request so many times at once, and counts the statuses.
func crowd(h http.Handler, times int, target, body string) map[int]int {
	var mu sync.Mutex
	var sent sync.WaitGroup
	counts := map[int]int{}
	for range times {
		sent.Go(func() {
			code := do(h, target, body).Code
			mu.Lock()
			defer mu.Unlock()
			counts[code]++
		})
	}
	sent.Wait()
	return counts
}

// TestOneOfManyMakesTheSession: of 50 requests for one id one makes it, and of 50 that end it one does.
func TestOneOfManyMakesTheSession(t *testing.T) {
	h, _ := realServer(t)
	for range 20 {
		if got := crowd(h, 50, "POST /openvidu/api/sessions", `{"customSessionId":"Room"}`); got[200] != 1 || got[409] != 49 {
			t.Fatalf("made with %v", got)
		}
		if got := want[openvidu.RESTList[openvidu.RESTSession]](t, h, 200, "GET /openvidu/api/sessions", ""); got.NumberOfElements != 1 {
			t.Fatalf("there are %d", got.NumberOfElements)
		}
		if got := crowd(h, 50, "DELETE /openvidu/api/sessions/Room", ""); got[204] != 1 || got[404] != 49 {
			t.Fatalf("ended with %v", got)
		}
	}
}

// slowStore forgets a session only when it is let go on.
type slowStore struct {
	session.MemoryStore
	goOn chan struct{}
}

func (s *slowStore) Delete(ctx context.Context, id string) error {
	<-s.goOn
	return s.MemoryStore.Delete(ctx, id)
}

// TestCreatingWhatIsClosing: a session of the same id is waited for up to 15 s; then the id is still taken (rest §5.8).
func TestCreatingWhatIsClosing(t *testing.T) {
	for name, c := range map[string]struct {
		after  time.Duration
		status int
	}{
		"it ends": {10 * time.Second, 200}, "it takes too long": {20 * time.Second, 409},
	} {
		synctest.Test(t, func(t *testing.T) {
			store := &slowStore{goOn: make(chan struct{})}
			h, _ := realServer(t, func(c *session.Config) { c.Store = store })
			want[struct{}](t, h, 200, "POST /openvidu/api/sessions", `{"customSessionId":"Room"}`)
			begin := time.Now()
			time.AfterFunc(c.after, func() { close(store.goOn) })
			want[struct{}](t, h, 204, "DELETE /openvidu/api/sessions/Room", "")
			want[struct{}](t, h, 404, "POST /openvidu/api/sessions/Room/connection", "")
			if got := do(h, "POST /openvidu/api/sessions", `{"customSessionId":"Room"}`).Code; got != c.status {
				t.Errorf("%s: %d, want %d", name, got, c.status)
			}
			if late := time.Since(begin) - min(c.after, 15*time.Second); late < 0 || late > time.Second {
				t.Errorf("%s: answered %v after its time", name, late)
			}
			if c.status == 409 {
				<-store.goOn
				synctest.Wait()
				want[struct{}](t, h, 200, "POST /openvidu/api/sessions", `{"customSessionId":"Room"}`)
			}
		})
	}
}

// TestCollectedSessionsAreGone: what nobody joins is collected; its id is free, its tokens are void (rest §5.6).
func TestCollectedSessionsAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, registry := realServer(t, func(c *session.Config) { c.GCInterval, c.GCThreshold = 900*time.Second, 3600*time.Second })
		for _, id := range []string{"Unused", "Used"} {
			want[struct{}](t, h, 200, "POST /openvidu/api/sessions", `{"customSessionId":"`+id+`"}`)
			want[struct{}](t, h, 200, "POST /openvidu/api/sessions/"+id+"/connection", "")
		}
		used, _ := registry.State("Used")
		if _, err := registry.Join(t.Context(), "Used", "1", session.Join{Token: used.Connections[0].Token}); err != nil {
			t.Fatal(err)
		}
		left := func() (ids []string) {
			for _, s := range want[openvidu.RESTList[openvidu.RESTSession]](t, h, 200, "GET /openvidu/api/sessions", "").Content {
				ids = append(ids, s.ID)
			}
			return ids
		}
		<-time.After(3601 * time.Second) // the next collection is at 4500 s
		if got := left(); len(got) != 2 {
			t.Fatalf("after an hour there are %v", got)
		}
		<-time.After(900 * time.Second)
		if got := left(); len(got) != 1 || got[0] != "Used" {
			t.Fatalf("after the collection there are %v", got)
		}
		want[struct{}](t, h, 404, "DELETE /openvidu/api/sessions/Unused", "")
		want[struct{}](t, h, 404, "POST /openvidu/api/tokens", `{"session":"Unused"}`)
		want[struct{}](t, h, 200, "POST /openvidu/api/sessions", `{"customSessionId":"Unused"}`)
	})
}
