package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/api/rest"
	"tertulia/internal/config"
	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
)

// exposure is an edge and what it has told.
func exposure() (*edge, *[]string) {
	told := &[]string{}
	e := &edge{log: slog.New(slog.DiscardHandler), origins: map[string]time.Time{}}
	e.tell = func(code diagnosis.Code, fill map[string]string, evidence ...string) {
		*told = append(*told, fmt.Sprint(code, " ", fill["origin"], ": ", strings.Join(evidence, " ")))
	}
	return e, told
}

func TestFAQ_04__APageIsToldOfOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, told := exposure()
		for range 100 {
			e.secretSeen(rest.SecretUse{Origin: "https://a.example", Referer: "https://a.example/x", Address: "192.0.2.1:5", What: "GET /openvidu/api/sessions"})
		}
		e.joinedBySecret("https://b.example", netip.MustParseAddr("192.0.2.2"))
		e.joinedBySecret("https://a.example", netip.MustParseAddr("192.0.2.2"))
		if len(*told) != 2 || (*told)[0] != "SECRET_IN_BROWSER https://a.example: GET /openvidu/api/sessions from 192.0.2.1:5, sent by https://a.example/x" {
			t.Errorf("told %q", *told)
		}
		time.Sleep(toldEvery)
		e.secretSeen(rest.SecretUse{Origin: "https://a.example"})
		if len(*told) != 3 {
			t.Errorf("an hour later: %q", *told)
		}
	})
}

// Strangers can invent origins: they cost a bounded table, and one line.
func TestFAQ_04__InventedOriginsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, told := exposure()
		for i := range 3 * maxOrigins {
			e.joinedBySecret(fmt.Sprint("https://", i), netip.MustParseAddr("192.0.2.2"))
		}
		if len(e.origins) > maxOrigins+1 || len(*told) > maxOrigins+1 {
			t.Errorf("%d origins are kept, %d were told", len(e.origins), len(*told))
		}
		time.Sleep(toldEvery)
		e.joinedBySecret("https://new", netip.MustParseAddr("192.0.2.2"))
		if len(e.origins) != 1 {
			t.Errorf("an hour later %d are kept", len(e.origins))
		}
	})
}

func TestFAQ_04__WhatIsAccepted(t *testing.T) {
	e, _ := exposure()
	e.now.Store(&config.Config{
		Secret: "new", OldSecrets: []string{"old", "older"}, Keys: []config.Key{{Name: "web", Key: "k", Scope: "sessions"}}, Strict: true, JoinSecret: true,
	})
	list := e.credentials()
	for _, test := range []struct {
		user, password string
		scope          rest.Scope
	}{
		{"OPENVIDUAPP", "new", rest.ScopeAll}, {"OPENVIDUAPP", "old", rest.ScopeAll}, {"OPENVIDUAPP", "older", rest.ScopeAll},
		{"OPENVIDUAPP", "k", rest.ScopeSessions}, {"web", "k", rest.ScopeSessions}, {"web", "new", ""}, {"OPENVIDUAPP", "", ""},
	} {
		var got rest.Scope
		if c := rest.Find(list, test.user, test.password); c != nil {
			got = c.Scope
		}
		if got != test.scope {
			t.Errorf("%s %s may %q, want %q", test.user, test.password, got, test.scope)
		}
	}
	if joining := e.joining(); len(joining.OldSecrets) != 2 || joining.NoSecretJoins || !joining.Strict || !e.strict() {
		t.Errorf("joining %+v", joining)
	}
}

// What is refused changes nothing; what is accepted is in force at once, secrets and routes alike.
func TestTheEdgeAdoptsSettings(t *testing.T) {
	e, _ := exposure()
	first := config.Config{Secret: "one"}
	e.now.Store(&first)
	running, _ := newParts(t.Context())
	handler, err := e.serve(http.NotFoundHandler(), running)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := running.stop(); err != nil {
			t.Error(err)
		}
	}()
	ask := func() int {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/app/", nil))
		return w.Code
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	next := config.Config{Secret: "two", Strict: true, Edge: config.Edge{Routes: []config.Route{{Path: "/app", Target: filepath.Join(dir, "none")}}}}
	if err := e.adopt(next); !fault.Is(err, fault.Invalid) || e.strict() || rest.Find(e.credentials(), rest.User, "one") == nil || ask() != 404 {
		t.Errorf("a folder that is not there: %v", err)
	}
	next.Edge.Routes = []config.Route{{Path: "/app", Target: dir}}
	if err := e.adopt(next); err != nil || !e.strict() || rest.Find(e.credentials(), rest.User, "one") != nil || ask() != 200 {
		t.Errorf("a folder that is there: %v, %d", err, ask())
	}
}

func TestThePageKeepsItsFilesBesideAnApplication(t *testing.T) {
	for _, path := range []string{"/", "/assets/", "/assets/none.js", "/assets/../index.html", "/index.html", "/assets//x"} {
		if ownFile(path) {
			t.Errorf("%s is taken for a file of ours", path)
		}
	}
}
