package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tertulia/internal/cluster/natsd"
	"tertulia/internal/cluster/stream"
	"tertulia/internal/config"
	"tertulia/internal/event"
	"tertulia/internal/event/record"
	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

// telling starts what tells on an empty folder.
func telling(t *testing.T, c config.Config) *events {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	running, ctx := newParts(t.Context())
	t.Cleanup(func() {
		if err := running.stop(); err != nil {
			t.Error(err)
		}
	})
	nats := natsd.New(natsd.Config{Dir: t.TempDir(), MaxStore: maxStore})
	running.start("store", nats.Run)
	conn, err := nats.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	running.hold("connection", func() error { conn.Close(); return nil })
	s, err := stream.Open(ctx, conn, streamConfig(c, log))
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEvents(ctx, c, s, log, running)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Settings are taken over together or not at all, and hold from the next event on.
func TestEventSettingsThatChange(t *testing.T) {
	got := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
	}))
	defer receiver.Close()
	one, two := t.TempDir(), t.TempDir()
	set := func(folder, endpoint string, names ...string) config.Config {
		return config.Config{CDR: config.CDR{Path: folder}, Webhook: config.Webhook{Endpoint: endpoint, Events: names}}
	}
	e := telling(t, set(one, receiver.URL, openvidu.EventDiagnosis))
	e.tell(event.Event{At: 1, Session: "a", Body: event.SessionCreated{}}) // is not asked for
	e.tell(event.Event{At: 2, Session: "a", Body: event.Diagnosed{Code: "NO_MEDIA_SENT", Severity: "error", Side: "client"}})
	want := `{"sessionId":"a","timestamp":2,"code":"NO_MEDIA_SENT","severity":"error","side":"client","ended":false,"event":"diagnosis"}`
	if body := <-got; body != want {
		t.Errorf("sent %s\nwant %s", body, want)
	}
	for _, wrong := range []config.Config{set(two, "ftp://a", openvidu.EventSessionCreated), set(filepath.Join("/dev/null", "cdr"), receiver.URL)} {
		if err := e.adopt(wrong); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", wrong.Webhook, err)
		}
		if e.cdr.Folder() != one {
			t.Errorf("after a refusal files are in %s, want %s", e.cdr.Folder(), one)
		}
	}
	if err := e.adopt(set(two, receiver.URL, openvidu.EventSessionCreated)); err != nil {
		t.Fatal(err)
	}
	e.tell(event.Event{At: 3, Session: "b", Body: event.SessionCreated{}})
	if body := <-got; !strings.Contains(body, `"timestamp":3,"event":"sessionCreated"`) {
		t.Errorf("sent %s", body)
	}
	list, err := e.After(t.Context(), 1, 10)
	if err != nil || list.Oldest != 1 || list.Latest != 3 || list.NumberOfElements != 2 || string(list.Content[0].Event) != want {
		t.Errorf("after 1: %+v, %v", list, err)
	}
}

// Another listener is told of every event, with its record if there is one.
func TestWhoElseIsTold(t *testing.T) {
	var heard []string
	e := telling(t, config.Config{})
	e.also = func(happened event.Event, r record.Record, told bool) {
		heard = append(heard, fmt.Sprint(happened.Body.Kind(), r.Name, told))
	}
	e.tell(event.Event{Body: event.SessionCreated{}})
	e.tell(event.Event{Body: event.SocketBack{}})
	if fmt.Sprint(heard) != "[session.createdsessionCreatedtrue socket.backfalse]" {
		t.Errorf("heard %v", heard)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := e.stream.Written(ctx, 1); err != nil {
		t.Fatal(err)
	}
	for _, s := range e.samples() { // both are off: nothing waits for them
		if s.Name == "tertulia_events_behind" && s.Number != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// The names of the setting and its default are those of the table.
func TestEventNamesOfTheSetting(t *testing.T) {
	load := func(events string) (config.Config, error) {
		args := []string{"--data=" + t.TempDir(), "--openvidu-secret=MY_SECRET", "--openvidu-webhook=true", "--openvidu-webhook-endpoint=http://127.0.0.1/hook"}
		if events != "" {
			args = append(args, "--openvidu-webhook-events="+events)
		}
		return config.Load(args, nil)
	}
	var all, byDefault []string
	for _, row := range openvidu.Events {
		all = append(all, row.Name)
		if row.Default {
			byDefault = append(byDefault, row.Name)
		}
	}
	if c, err := load(""); err != nil || !slices.Equal(c.Webhook.Events, byDefault) {
		t.Errorf("by default %v, want %v (%v)", c.Webhook.Events, byDefault, err)
	}
	if c, err := load("[" + strings.Join(all, ",") + "]"); err != nil || !slices.Equal(c.Webhook.Events, all) {
		t.Errorf("all: %v (%v)", c.Webhook.Events, err)
	}
	if c, err := load("[]"); err != nil || len(c.Webhook.Events) != 0 {
		t.Errorf("none: %v (%v)", c.Webhook.Events, err)
	}
}
