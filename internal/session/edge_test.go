package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// TestCallsBeforeAndAfter: until the records are loaded callers wait, and after the end they are refused.
func TestCallsBeforeAndAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{Store: new(MemoryStore), Media: new(node), Log: slog.New(slog.DiscardHandler)})
		calls := map[string]func(context.Context) error{
			"create": func(ctx context.Context) error { _, err := r.Create(ctx, Properties{}); return err },
			"do":     func(ctx context.Context) error { _, err := r.Do(ctx, "room", Close{}); return err },
			"join":   func(ctx context.Context) error { _, err := r.Join(ctx, "room", "1", Join{}); return err },
			"resume": func(ctx context.Context) error { _, err := r.Resume(ctx, "rpc", time.Now()); return err },
		}
		for name, call := range calls {
			begin := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := call(ctx); !fault.Is(err, fault.Timeout) || time.Since(begin) != time.Second {
				t.Errorf("%s before the start: %v after %v", name, err, time.Since(begin))
			}
			cancel()
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		<-r.Ready()
		if _, err := r.Create(t.Context(), Properties{CustomSessionID: "room"}); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		for name, call := range calls {
			if err := call(t.Context()); !fault.Is(err, fault.NoCapacity) {
				t.Errorf("%s after the end: %v", name, err)
			}
		}
	})
}

// TestStoppingIsNotEnding: a session that the next process takes over is not called ended by this one: a client that
// is told so gives up its call, an application makes another.
func TestStoppingIsNotEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, new(MemoryStore), nil)
		h.create("room")
		a := h.join("room", Publisher)
		n, err := h.directory.find("room")
		if err != nil {
			t.Fatal(err)
		}
		h.stop()
		for _, c := range []Command{Resume{Connection: a.Connection}, Join{}, CreateConnection{}} {
			if _, err := n.call(Origin{RPC: a.RPC}, c); !fault.Is(err, fault.NoCapacity) {
				t.Errorf("%T: %v", c, err)
			}
		}
	})
}

// broken is a store that cannot be read.
type broken struct{ MemoryStore }

func (*broken) Load(context.Context, func(string, []byte) error) error { return errors.New("no disk") }

func TestRunFailsWithItsStore(t *testing.T) {
	r := New(Config{Store: new(broken), Media: new(node), Log: slog.New(slog.DiscardHandler)})
	if err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("got %v", err)
	}
	if _, err := r.Create(t.Context(), Properties{}); !fault.Is(err, fault.NoCapacity) {
		t.Errorf("a session on it: %v", err)
	}
}

// TestJoinBySecret makes the session, once, however many come at the same moment; a closing one is not made again.
func TestJoinBySecret(t *testing.T) {
	bubble(t, func(c *Config) { c.Defaults.ForcedVideoCodec = "H264" }, func(t *testing.T, h *house) {
		var group sync.WaitGroup
		seats := make(chan *Attachment, 10)
		for i := range 10 {
			group.Go(func() {
				a, err := h.Join(t.Context(), "room", "1", Join{Insecure: true, LegacyRole: i%2 == 0})
				if err != nil {
					t.Error(err)
					return
				}
				seats <- a
			})
		}
		group.Wait()
		close(seats)
		roles := map[Role]int{}
		for a := range seats {
			roles[a.Self.Role]++
			if len(a.RPC) != 26 || !strings.HasPrefix(a.RPC, "n1") {
				t.Errorf("RPC session id %q", a.RPC)
			}
		}
		s, err := h.State("room")
		if err != nil || s.participants() != 10 || s.Properties.ForcedVideoCodec != "H264" || roles[Publisher] != 5 || roles[Subscriber] != 5 {
			t.Fatalf("%d participants, %v, roles %v", s.participants(), err, roles)
		}
		_, err = h.Join(t.Context(), "a/b", "1", Join{Insecure: true})
		wantKind(t, err, fault.Invalid)
		_, err = h.Join(t.Context(), "elsewhere", "1", Join{Token: "tok_x"})
		wantKind(t, err, fault.SessionNotFound)

		h.node.takes = time.Second // releasing takes a while
		if _, err := h.Do(t.Context(), "room", Close{Reason: "sessionClosedByServer"}); err != nil {
			t.Fatal(err)
		}
		_, err = h.Join(t.Context(), "room", "1", Join{Insecure: true})
		wantKind(t, err, fault.SessionClosed)
		h.pass(2 * time.Second)
		if _, err := h.Join(t.Context(), "room", "1", Join{Insecure: true}); err != nil {
			t.Fatalf("once it is gone: %v", err)
		}
	})
}

// TestClosingWhileJoining: whoever comes while a session closes gets in before or is refused, and nobody hangs.
func TestClosingWhileJoining(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		for round := range 20 {
			id := fmt.Sprint("room", round)
			h.create(id)
			first := h.join(id, Publisher)
			var tokens []string
			for range 8 {
				made, err := h.Do(t.Context(), id, CreateConnection{Role: Publisher})
				if err != nil {
					t.Fatal(err)
				}
				tokens = append(tokens, made.(*Connection).Token)
			}
			var group sync.WaitGroup
			for i, token := range tokens {
				group.Go(func() {
					if i == round%8 {
						h.Do(t.Context(), id, Close{Reason: "sessionClosedByServer"})
						return
					}
					a, err := h.Join(t.Context(), id, "1", Join{Token: token})
					if err != nil {
						if !fault.Is(err, fault.SessionClosed) && !fault.Is(err, fault.SessionNotFound) {
							t.Errorf("refused with %v", err)
						}
						return
					}
					for m := h.next(a); ; m = h.next(a) {
						if _, out := m.Notice.(Evicted); out {
							return
						}
					}
				})
			}
			group.Wait()
			for m := h.next(first); ; m = h.next(first) {
				if n, out := m.Notice.(Evicted); out {
					if n.Reason != "sessionClosedByServer" {
						t.Errorf("evicted for %s", n.Reason)
					}
					break
				}
			}
		}
	})
}

// TestLeavingDuringPublish: the endpoint that is being made when its client leaves is released once it is there.
func TestLeavingDuringPublish(t *testing.T) {
	for name, leave := range map[string]func(*testing.T, *house, *Attachment){
		"leaves":   func(_ *testing.T, h *house, a *Attachment) { h.send(a, "3", Leave{}) },
		"vanishes": func(_ *testing.T, _ *house, a *Attachment) { a.Detach(event.SocketLost{}) },
		"is evicted": func(t *testing.T, h *house, a *Attachment) {
			if _, err := h.Do(t.Context(), "room", DeleteConnection{Connection: a.Connection}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		bubble(t, nil, func(t *testing.T, h *house) {
			h.create("room")
			a, b := h.join("room", Publisher), h.join("room", Publisher)
			h.node.takes = 5 * time.Second
			h.send(a, "2", Publish{Offer: "o", Media: camera})
			synctest.Wait()
			leave(t, h, a)
			h.pass(time.Minute)
			got := h.node.called()
			if len(got) != 2 || got[0] != "Publish "+a.Connection || got[1] != "Release "+a.Connection {
				t.Errorf("%s: the node was asked %q", name, got)
			}
			for {
				m := h.next(b)
				if _, left := m.Notice.(Left); left {
					break
				}
				if _, published := m.Notice.(StreamPublished); published && name != "vanishes" {
					t.Errorf("%s: its stream was announced", name)
				}
			}
		})
	}
}

// TestLimits: connections of a session, and the texts of refusals.
func TestLimits(t *testing.T) {
	bubble(t, func(c *Config) { c.MaxConnections = 2 }, func(t *testing.T, h *house) {
		h.create("room")
		h.join("room", Publisher)
		h.join("room", Publisher)
		_, err := h.Do(t.Context(), "room", CreateConnection{})
		wantKind(t, err, fault.NoCapacity)
		_, err = h.Join(t.Context(), "room", "1", Join{Insecure: true})
		wantKind(t, err, fault.NoCapacity)
		long := strings.Repeat("x", 1<<20)
		for name, call := range map[string]func() error{
			"token":      func() error { _, err := h.Join(t.Context(), "room", "1", Join{Token: long}); return err },
			"session":    func() error { _, err := h.Join(t.Context(), long, "1", Join{}); return err },
			"custom id":  func() error { _, err := h.Create(t.Context(), Properties{CustomSessionID: long}); return err },
			"connection": func() error { _, err := h.Do(t.Context(), "room", DeleteConnection{Connection: long}); return err },
			"stream":     func() error { _, err := h.Do(t.Context(), "room", DeleteStream{Stream: long}); return err },
			"target":     func() error { _, err := h.Do(t.Context(), "room", SendSignal{To: []string{long}}); return err },
		} {
			if err := call(); err == nil || len(err.Error()) > 400 {
				t.Errorf("%s: an error of %d bytes", name, len(fmt.Sprint(err)))
			}
		}
	})
}

// TestDataIsBounded: whatever the participants' data, the record can be written, and who brings none comes in.
func TestDataIsBounded(t *testing.T) {
	w := newWorld(t, Properties{})
	large := strings.Repeat(`{"name":"x"}`, maxData/2/12) // half of what there is room for
	w.rest(CreateConnection{ServerData: large})
	w.rest(CreateConnection{ServerData: ""})
	full := refusal(t, w.rest(CreateConnection{ServerData: large + large}))
	joined := refusal(t, w.rest(Join{Token: "tok_1", RPC: "a", ClientData: large + large}))
	if full != fault.NoCapacity || joined != fault.NoCapacity {
		t.Errorf("too much data: REST answers %q, a join %q", full, joined)
	}
	if got := refusal(t, w.rest(CreateConnection{ServerData: large[:len(large)-12]})); got != "" {
		t.Errorf("as much as there is room for: %s", got)
	}
	if got := refusal(t, w.rest(CreateConnection{})); got != "" {
		t.Errorf("none: %s", got)
	}
	record, err := encode(w.state)
	if err != nil || len(record) > 4<<20 {
		t.Errorf("the record has %d bytes: %v", len(record), err)
	}
}

// TestTURNCredentials are made for the host the client came to, and only where the connection brings no servers.
func TestTURNCredentials(t *testing.T) {
	bubble(t, func(c *Config) { c.Secrets = credentials{} }, func(t *testing.T, h *house) {
		h.create("room")
		for own, want := range map[string]string{"": "turn:room@h:443", "turn:mine": "turn:mine"} {
			ask := CreateConnection{Role: Publisher}
			if own != "" {
				ask.ICEServers = []ICEServer{{URL: own}}
			}
			made, err := h.Do(t.Context(), "room", ask)
			if err != nil {
				t.Fatal(err)
			}
			a, err := h.Join(t.Context(), "room", "1", Join{Token: made.(*Connection).Token, Host: "h:443"})
			if err != nil {
				t.Fatal(err)
			}
			if got := h.next(a).Reply.Result.(JoinResult).ICEServers; len(got) != 1 || got[0].URL != want {
				t.Errorf("got %+v, want %s", got, want)
			}
		}
	})
}

type credentials struct{}

func (credentials) TURN(session, _, host string) []ICEServer {
	return []ICEServer{{URL: "turn:" + session + "@" + host}}
}

// TestMemoryStoreHeedsItsContext: nothing is written for a caller who has gone.
func TestMemoryStoreHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := new(MemoryStore)
	for name, err := range map[string]error{"create": m.Create(ctx, "a", nil), "put": m.Put(ctx, "a", nil), "delete": m.Delete(ctx, "a")} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stop := errors.New("enough")
	if err := m.Create(t.Context(), "a", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := m.Load(t.Context(), func(string, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a visit that fails: %v", err)
	}
}

// TestCommandsWithoutRule are refused, and requests the node does not know fail as such.
func TestCommandsWithoutRule(t *testing.T) {
	w := crowd(t, 1)
	for name, c := range map[string]Command{"a runner's own": written{}, "nothing": returned{}} {
		if kind := refusal(t, w.client("con_1", "1", c)); kind != fault.Internal {
			t.Errorf("%s: %q", name, kind)
		}
	}
	l := lanes{media: new(node)}
	if _, err := l.send(t.Context(), "what?"); !fault.Is(err, fault.Internal) || endpointOf("what?") != "" {
		t.Errorf("got %v", err)
	}
}

// TestForeignErrorsOfTheNode get a kind, and keep the one they have.
func TestForeignErrorsOfTheNode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want fault.Kind
	}{
		{errors.New("segfault"), fault.MediaFailed}, {context.DeadlineExceeded, fault.Timeout},
		{fmt.Errorf("call: %w", context.DeadlineExceeded), fault.Timeout}, {context.Canceled, fault.MediaFailed},
		{fault.New(fault.SDPInvalid, "no m-line"), fault.SDPInvalid}, {fmt.Errorf("node: %w", fault.New(fault.NoCapacity, "full")), fault.NoCapacity},
	} {
		if got := fault.Of(mediaError(c.err)); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
		w := crowd(t, 1)
		w.client("con_1", "1", Publish{Offer: "o", Media: camera})
		if kind := refusal(t, w.settle("con_1", c.err)[1:]); kind != c.want {
			t.Errorf("%v: the client is told %s", c.err, kind)
		}
	}
	if mediaError(nil) != nil {
		t.Error("no error became one")
	}
}

// TestPolicies: what a session, a connection and the server allow, and whose number counts.
func TestPolicies(t *testing.T) {
	kbps := func(n int) *int { return &n }
	rules := Rules{MaxRecvKbps: 1000, MaxSendKbps: 800}
	for name, c := range map[string]struct {
		properties Properties
		connection Connection
		publisher  mediactl.Policy
		subscriber mediactl.Policy
	}{
		"defaults": {
			publisher: mediactl.Policy{Video: []string{"VP8"}, MaxRecvKbps: 1000}, subscriber: mediactl.Policy{Video: []string{"VP8"}, MaxSendKbps: 800},
		},
		"preferred": {
			properties: Properties{ForcedVideoCodec: "MEDIA_SERVER_PREFERRED"},
			publisher:  mediactl.Policy{Video: []string{"VP8"}, MaxRecvKbps: 1000}, subscriber: mediactl.Policy{Video: []string{"VP8"}, MaxSendKbps: 800},
		},
		"none": {
			properties: Properties{ForcedVideoCodec: "NONE"},
			publisher:  mediactl.Policy{MaxRecvKbps: 1000}, subscriber: mediactl.Policy{MaxSendKbps: 800},
		},
		"created without a body": {
			properties: Properties{ForcedVideoCodec: "VP8", NoCodecPolicy: true},
			publisher:  mediactl.Policy{MaxRecvKbps: 1000}, subscriber: mediactl.Policy{MaxSendKbps: 800},
		},
		"forced": {
			properties: Properties{ForcedVideoCodec: "H264"}, connection: Connection{CommonMsid: true},
			publisher:  mediactl.Policy{Video: []string{"H264"}, Strict: true, MaxRecvKbps: 1000, CommonStream: true},
			subscriber: mediactl.Policy{Video: []string{"H264"}, Strict: true, MaxSendKbps: 800, CommonStream: true},
		},
		// Recv is what the client receives, Send what it sends (rest §4.4).
		"of the connection": {
			properties: Properties{ForcedVideoCodec: "NONE"},
			connection: Connection{Kurento: &KurentoOptions{VideoMaxRecvBandwidth: kbps(70), VideoMaxSendBandwidth: kbps(0)}},
			publisher:  mediactl.Policy{MaxRecvKbps: 0}, subscriber: mediactl.Policy{MaxSendKbps: 70},
		},
		"half of it": {
			properties: Properties{ForcedVideoCodec: "NONE"},
			connection: Connection{Kurento: &KurentoOptions{VideoMaxSendBandwidth: kbps(50)}},
			publisher:  mediactl.Policy{MaxRecvKbps: 50}, subscriber: mediactl.Policy{MaxSendKbps: 800},
		},
	} {
		tr := &turn{State: &State{Properties: c.properties}, env: Env{Rules: rules}}
		if got := fmt.Sprintf("%+v", tr.publisherPolicy(&c.connection)); got != fmt.Sprintf("%+v", c.publisher) {
			t.Errorf("%s: publisher %s, want %+v", name, got, c.publisher)
		}
		if got := fmt.Sprintf("%+v", tr.subscriberPolicy(&c.connection)); got != fmt.Sprintf("%+v", c.subscriber) {
			t.Errorf("%s: subscriber %s, want %+v", name, got, c.subscriber)
		}
	}
}
