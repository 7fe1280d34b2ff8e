package session

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/event/record"
	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

var (
	churnSeed  = flag.Uint64("churn.seed", 1, "first seed of TestChurn")
	churnSeeds = flag.Uint64("churn.seeds", 8, "how many seeds TestChurn tries")
	churnHours = flag.Int("churn.hours", 6, "simulated hours for each seed")
)

// churn is a random history of several sessions on a registry in fake time. After every step three accounts of it must
// agree: what events told (books), what the state says, and what each client was told (mirror).
type churn struct {
	*testing.T
	*rand.Rand
	registry *Registry
	stop     func()
	muted    *atomic.Bool // the process has crashed: what it still tells is not heard
	store    *MemoryStore
	node     *moody
	books    *books
	told     sync.Mutex
	unended  record.Unended // of what events tell to webhooks and files
	clients  []*mirror
	draws    *rand.Rand // for ids
	story    []string   // the latest steps
	steps    int
}

// TestChurn plays -churn.hours hours with -churn.seeds seeds.
func TestChurn(t *testing.T) {
	for seed := *churnSeed; seed < *churnSeed+*churnSeeds; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &churn{
					T: t, Rand: rand.New(rand.NewPCG(seed, 1)), draws: rand.New(rand.NewPCG(seed, 2)),
					store: new(MemoryStore), node: newMoody(seed), books: newBooks(),
				}
				c.start()
				for end := time.Now().Add(time.Duration(*churnHours) * time.Hour); time.Now().Before(end) && !t.Failed(); {
					c.step()
				}
				if !t.Failed() {
					c.finish()
				}
				c.stop()
				if t.Failed() {
					t.Errorf("go test ./internal/session -run TestChurn -churn.seed %d -churn.seeds 1 -churn.hours %d\n%s",
						seed, *churnHours, strings.Join(c.story, "\n"))
				}
				t.Logf("%d steps, events: %v", c.steps, c.books.events)
			})
		})
	}
}

// start begins a process on the store.
func (c *churn) start() {
	muted := new(atomic.Bool)
	c.registry = New(Config{
		Store: c.store, Media: c.node, Log: slog.New(slog.DiscardHandler), Node: "n1",
		GCInterval: 15 * time.Minute, GCThreshold: time.Hour, MaxConnections: 12,
		NewID: func(prefix string, _ int) string { return fmt.Sprintf("%s%08d", prefix, c.draws.IntN(1e8)) },
		Observe: func(e event.Event) {
			if !muted.Load() {
				c.observe(e)
			}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.registry.Run(ctx) }()
	<-c.registry.Ready()
	c.muted = muted
	c.stop = func() {
		cancel()
		if err := <-done; err != nil {
			c.Error(err)
		}
	}
}

// observe books what is told, and reads it as it stands in the stream of events.
func (c *churn) observe(e event.Event) {
	c.books.observe(e)
	if r, told := record.Of(e); told {
		c.told.Lock()
		defer c.told.Unlock()
		c.unended.Read(r.Text)
	}
}

// step carries out something and checks everything.
func (c *churn) step() {
	c.steps++
	total := 0
	for _, a := range acts {
		total += a.weight
	}
	draw := c.IntN(total)
	for _, a := range acts {
		if draw -= a.weight; draw < 0 {
			c.note("%s", a.name)
			a.do(c)
			break
		}
	}
	switch c.IntN(8) {
	case 0:
		c.pass(time.Duration(c.IntN(20_000)) * time.Millisecond)
	case 1, 2, 3:
		c.pass(time.Duration(c.IntN(1_000)) * time.Millisecond)
	}
	c.check()
	for _, m := range c.clients {
		if m.at != nil && !m.deaf && len(m.todo) > 0 && c.IntN(3) > 0 {
			next := m.todo[0]
			m.todo = m.todo[1:]
			c.note("  %s %s goes on: %T %+v", m.session, m.id, next, next)
			c.expect(m.ask(next))
		}
	}
}

func (c *churn) note(format string, args ...any) {
	c.story = append(c.story, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	c.story = c.story[max(0, len(c.story)-60):]
}

func (c *churn) pass(d time.Duration) { <-time.After(d) }

// check compares the three accounts.
func (c *churn) check() {
	synctest.Wait()
	for _, m := range c.clients {
		m.read()
	}
	c.books.mu.Lock()
	defer c.books.mu.Unlock()
	wrong := append(c.books.wrong, c.books.settled()...)
	wrong = append(wrong, c.books.compare(c.registry.List())...)
	present := map[string]bool{}
	for _, m := range c.clients {
		if !m.gone {
			wrong = append(wrong, c.checkClient(m)...)
			present[m.session+" "+m.id] = true
		}
		if m.gone && !m.stale {
			wrong = append(wrong, m.wrong...)
		}
	}
	c.clients = slices.DeleteFunc(c.clients, func(m *mirror) bool { return m.gone })
	for id, b := range c.books.open {
		for connection := range b.people {
			if !present[id+" "+connection] {
				wrong = append(wrong, fmt.Sprintf("%s %s is a ghost: it has no client", id, connection))
			}
		}
	}
	for _, line := range wrong {
		c.Error(line)
	}
}

// checkClient compares one client with the books. Without a socket it has gone when its grace is over, if not before.
func (c *churn) checkClient(m *mirror) (wrong []string) {
	b := c.books.open[m.session]
	if m.at == nil {
		switch {
		case b == nil || b.people[m.id] == nil || !c.seated(m):
			m.gone = true
			p := c.books.left[m.session+" "+m.id]
			if over := m.dropped.Add(m.grace).UnixMilli(); p.reason == networkDisconnect && p.at < over && p.at >= m.dropped.UnixMilli() {
				wrong = append(wrong, fmt.Sprintf("%s %s was given up at %d, its grace ends at %d", m.session, m.id, p.at, over))
			}
		case time.Since(m.dropped) > m.grace:
			wrong = append(wrong, fmt.Sprintf("%s %s is a ghost: it has had no socket for %v", m.session, m.id, time.Since(m.dropped)))
		}
		return wrong
	}
	if b == nil || b.people[m.id] == nil {
		return []string{fmt.Sprintf("%s %s is attached to a session that does not have it", m.session, m.id)}
	}
	return m.compare(b)
}

// seated: ids are used again, by RECORDER and by custom connection ids.
func (c *churn) seated(m *mirror) bool {
	_, ok := c.registry.directory.client(m.rpc)
	return ok
}

// finish lets all clients go, and hours pass: nothing may be left anywhere.
func (c *churn) finish() {
	for _, m := range c.clients {
		if m.at != nil {
			m.lose(c.registry.cfg.Grace)
		}
	}
	c.pass(3 * time.Hour)
	c.check()
	if ends := c.unended.Ends(0); len(ends) > 0 {
		c.Errorf("%d subscriptions were told to begin and not to end: %+v", len(ends), ends[0])
	}
	records := 0
	_ = c.store.Load(context.Background(), func(string, []byte) error { records++; return nil })
	if len(c.books.open)+len(c.clients)+records+len(c.node.held())+len(c.registry.directory.clients) > 0 {
		c.Errorf("left over: %d sessions, %d clients, %d records, %d RPC sessions, endpoints %q",
			len(c.books.open), len(c.clients), records, len(c.registry.directory.clients), c.node.held())
	}
}

// expect takes an error of a call: what a client or an application may be told, never that something broke.
func (c *churn) expect(err error) {
	var known *fault.Error
	if err != nil && (!errors.As(err, &known) || fault.Is(err, fault.Internal)) {
		c.Errorf("unexpected: %v", err)
	}
	if err != nil {
		c.note("  %v", err)
	}
}

// act is something that may happen.
type act struct {
	weight int
	name   string
	do     func(*churn)
}

// acts is everything that may happen.
var acts = []act{
	{6, "create", (*churn).create},
	{40, "join", (*churn).join},
	{4, "join by secret", (*churn).joinInsecure},
	{2, "two tabs, one token", (*churn).joinTwice},
	{200, "client", (*churn).client},
	{8, "socket lost", func(c *churn) { c.with(func(m *mirror) { m.lose(c.registry.cfg.Grace) }) }},
	{4, "network gone", func(c *churn) { c.with(func(m *mirror) { m.deaf = true }) }},
	{14, "socket back", (*churn).resume},
	{20, "REST", (*churn).rest},
	{1, "REST closes", func(c *churn) { c.do(Close{Reason: sessionClosedByServer}) }},
	{6, "frame rate", (*churn).measure},
	{1, "media node", (*churn).loseMedia},
	{1, "restart", (*churn).restart},
	{1, "hours", (*churn).hours},
}

// with picks a client that has a socket which works.
func (c *churn) with(do func(*mirror)) {
	var able []*mirror
	for _, m := range c.clients {
		if m.at != nil && !m.deaf {
			able = append(able, m)
		}
	}
	if len(able) > 0 {
		m := able[c.IntN(len(able))]
		c.note("  %s %s", m.session, m.id)
		do(m)
	}
}

var rooms = []string{"a", "b", "c", "d"}

func (c *churn) create() {
	custom := append(rooms, "")[c.IntN(len(rooms)+1)]
	s, err := c.registry.Create(context.Background(), Properties{CustomSessionID: custom, AllowTranscoding: c.IntN(2) == 0})
	c.expect(err)
	if err == nil && custom == "" && c.IntN(2) == 0 { // else nobody will ever join it
		c.enter(s.ID, c.token(s.ID))
	}
}

// token makes a connection; "" if that cannot be.
func (c *churn) token(session string) string {
	made, err := c.registry.Do(context.Background(), session, CreateConnection{
		Role:       []Role{Subscriber, Publisher, Publisher, Publisher, Moderator, Moderator}[c.IntN(6)],
		ServerData: []string{"", "", `{"openviduCustomConnectionId":"x"}`}[c.IntN(3)],
	})
	c.expect(err)
	if err != nil {
		return ""
	}
	return made.(*Connection).Token
}

// enter joins with a token and returns the error.
func (c *churn) enter(session, token string) error {
	recent := c.IntN(2) == 0
	j := Join{Token: token, RPC: fmt.Sprintf("rpc%020d", c.steps*10+c.IntN(10)), ClientData: "someone"}
	if recent {
		j.SDKVersion = "2.32.2"
	}
	return c.seat(session, j)
}

func (c *churn) seat(session string, j Join) error {
	a, err := c.registry.Join(context.Background(), session, "0", j)
	c.expect(err)
	if err == nil {
		c.note("  %s %s joins", session, a.Connection)
		c.clients = append(c.clients, newMirror(session, a, j.SDKVersion != ""))
	}
	return err
}

func (c *churn) room() string { return rooms[c.IntN(len(rooms))] }

func (c *churn) join() {
	room := c.room()
	if token := c.token(room); token != "" && c.IntN(8) > 0 { // some tokens are never used
		_ = c.enter(room, token)
	}
}

func (c *churn) joinTwice() {
	room := c.room()
	if token := c.token(room); token != "" && c.enter(room, token) == nil {
		if err := c.enter(room, token); !fault.Is(err, fault.TokenInvalid) && !fault.Is(err, fault.SessionNotFound) {
			c.Errorf("a token was used twice: %v", err)
		}
	}
}

func (c *churn) joinInsecure() {
	j := Join{Insecure: true, RPC: fmt.Sprintf("rpc%020d", c.steps*10)}
	switch c.IntN(4) {
	case 0:
		j.Recorder = true
	case 1:
		j.SpeechToText = true
	case 2:
		j.LegacyRole = true
	}
	_ = c.seat(c.room(), j)
}

// resume takes a connection back, from an older socket even if that is still there, or after its grace in vain.
func (c *churn) resume() {
	if len(c.clients) == 0 {
		return
	}
	c.takeBack(c.clients[c.IntN(len(c.clients))])
}

func (c *churn) takeBack(m *mirror) {
	a, err := c.registry.Resume(context.Background(), m.rpc)
	c.note("  %s %s: %v", m.session, m.id, err)
	if err == nil {
		m.back(a)
	} else if m.at = nil; !fault.Is(err, fault.ReconnectionUnknown) {
		c.Errorf("resume: %v", err)
	} else {
		m.gone = true
	}
}

// client has a client ask for something about another one or itself.
func (c *churn) client() {
	c.with(func(m *mirror) {
		other, stream := m.id, m.own
		if others := slices.Sorted(maps.Keys(m.others)); len(others) > 0 && c.IntN(5) > 0 {
			other = others[c.IntN(len(others))]
			for i := 0; i < len(others) && m.others[other] == ""; i++ { // more often one that publishes
				other = others[i]
			}
			stream = m.others[other]
		}
		command := c.clientCommand(other, stream)
		c.note("    %T %+v", command, command)
		c.expect(m.ask(command))
		if _, left := command.(Leave); left {
			synctest.Wait()
			m.read()
			m.gone, m.at = true, nil
		}
	})
}

func (c *churn) clientCommand(other, stream string) Command {
	offer := []string{"", "offer"}[c.IntN(2)]
	switch c.IntN(20) {
	case 0, 1, 2, 3:
		return Publish{Offer: "offer", Media: camera}
	case 4:
		return Unpublish{}
	case 5, 6, 7, 8, 9:
		return Subscribe{Sender: stream, Offer: offer}
	case 10, 11:
		return AnswerSubscription{Sender: stream, SDP: "answer"}
	case 12:
		return Unsubscribe{Sender: other}
	case 13:
		return Reconnect{Stream: stream, SDP: "sdp", IsAnswer: c.IntN(2) == 0}
	case 14:
		return ClientSignal{To: [][]string{nil, {other}, {other, "con_nobody"}}[c.IntN(3)], Type: new("signal:x")}
	case 15:
		return ChangeStream{Property: "videoDimensions", NewValue: `"{\"width\":640,\"height\":480}"`}
	case 16:
		return []Command{ForceUnpublish{Stream: stream}, ForceUnpublish{Stream: "str_CAM_none"}}[c.IntN(2)]
	case 17:
		return []Command{ForceDisconnect{Target: other}, Leave{}, Candidate{}}[c.IntN(3)]
	}
	return Candidate{Endpoint: other, Candidate: mediactl.Candidate{Candidate: "candidate:1"}}
}

// do is a command by REST, to any of the named sessions.
func (c *churn) do(command Command) {
	room := c.room()
	c.note("  %s %T %+v", room, command, command)
	_, err := c.registry.Do(context.Background(), room, command)
	c.expect(err)
}

func (c *churn) rest() {
	connection, stream := "con_none", "str_none"
	if len(c.clients) > 0 {
		m := c.clients[c.IntN(len(c.clients))]
		connection, stream = m.id, m.own
	}
	c.do([]Command{
		DeleteConnection{Connection: connection}, DeleteStream{Stream: stream}, SendSignal{}, SendSignal{To: []string{connection}},
		UpdateConnection{Connection: connection, Role: new(Publisher)},
		SetQuality{Connection: connection, Level: c.IntN(6)}, SetQuality{Connection: connection, Level: c.IntN(6)},
	}[c.IntN(7)])
}

func (c *churn) measure() {
	c.with(func(m *mirror) {
		c.registry.Event(mediactl.Event{Session: m.session, Endpoint: m.id, Type: mediactl.Measured, FrameRate: 1 + c.IntN(60)})
	})
}

func (c *churn) loseMedia() {
	reason := []string{mediaServerReconnect, nodeCrashed, mediaServerDisconnect}[c.IntN(3)]
	c.note("  %s", reason)
	c.node.crash()
	c.registry.MediaGone(reason)
}

// hours pass without anything being asked. Then the media node holds what the states say, and nothing else.
func (c *churn) hours() {
	c.pass(time.Duration(1+c.IntN(90)) * time.Minute)
	synctest.Wait()
	var want []string
	for _, s := range c.registry.List() {
		for _, n := range s.Connections {
			if n.Stream != nil && n.Stream.Phase == Published {
				want = append(want, s.ID+" "+n.ID)
			}
			for _, u := range n.Subscriptions {
				if u.Phase == Flowing || u.Phase == Offered {
					want = append(want, s.ID+" "+endpoint(n.ID, u.Stream))
				}
			}
		}
	}
	slices.Sort(want)
	if held := c.node.held(); !slices.Equal(held, want) {
		c.Errorf("the media node holds\n %q\nwant\n %q", held, want)
	}
}

// restart ends the process, in good order or by a crash, and begins the next. After a crash, who had no socket, or a dead one,
// has lost what was kept for it; all others come back to the same call.
func (c *churn) restart() {
	crash := c.IntN(2) == 0
	c.note("  crash: %v", crash)
	c.check()
	if c.Failed() {
		return
	}
	if crash {
		c.muted.Store(true)
		kept := new(MemoryStore)
		_ = c.store.Load(context.Background(), func(id string, record []byte) error {
			kept.put(id, record)
			return nil
		})
		c.store = kept
	}
	c.stop()
	c.node.crash()
	c.told.Lock()
	ends := c.unended.Ends(time.Now().UnixMilli()) // told by the next process, before its sessions run
	c.told.Unlock()
	if !crash && len(ends) > 0 {
		c.Errorf("a process that stopped in good order has not told %d ends: %+v", len(ends), ends[0])
	}
	for _, e := range ends {
		c.observe(e)
	}
	c.books.forget()
	for _, m := range c.clients {
		m.stale = m.stale || crash && (m.at == nil || m.deaf)
		m.at, m.dropped, m.grace = nil, time.Now(), c.registry.cfg.RestartGrace
		m.cancel()
	}
	c.start()
	for _, m := range c.clients {
		if c.IntN(5) > 0 {
			c.takeBack(m)
			m.again()
		}
	}
}
