package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/fault"
)

// listener is a client that reads its outbox, loses its socket now and then, and comes back.
type listener struct {
	h        *house
	seat     *Attachment
	old      *Attachment // the socket before
	r        *rand.Rand
	heard    []int // numbers of the signals, as they came
	repeated int
	proved   int // the last number whose receipt was proved before the socket went
}

// listen reads until the signal numbered last has come. Between messages it may prove what it has got, or lose its
// socket, with or without messages on their way.
func (l *listener) listen(t *testing.T, last int) {
	for {
		m := l.h.next(l.seat)
		if l.old != nil {
			l.old.Ack(1 << 40) // a receipt that comes too late
		}
		if s, ok := m.Notice.(Signal); ok {
			n, err := strconv.Atoi(*s.Data)
			if err != nil {
				t.Error(err)
				return
			}
			if known := len(l.heard); n < known {
				if n <= l.proved {
					t.Errorf("signal %d again, though its receipt was proved", n)
				}
				l.repeated++
			} else if n > known {
				t.Errorf("after signal %d came %d", known-1, n)
			} else {
				l.heard = append(l.heard, n)
			}
			if n == last {
				return
			}
			switch l.r.IntN(8) {
			case 0, 1, 2:
				l.seat.Ack(m.Seq)
				l.proved = n
			case 3:
				l.comeBack(t)
			}
		}
	}
}

// comeBack loses the socket and takes another, before or after the server has noticed. Of what was written and not
// proved received, some was lost on the way.
func (l *listener) comeBack(t *testing.T) {
	old := l.seat
	l.heard = l.heard[:l.proved+1+l.r.IntN(len(l.heard)-l.proved)]
	if l.r.IntN(2) == 0 {
		old.Detach(event.SocketLost{})
		l.h.pass(time.Duration(l.r.IntN(9)) * time.Second)
	}
	again, err := l.h.Resume(t.Context(), old.RPC, time.Now())
	if err != nil {
		t.Error(err)
		return
	}
	l.seat, l.old = again, old
	old.Detach(event.SocketLost{})
}

// TestNothingIsLost, and nothing told twice: whatever sockets do, every signal comes, in order, and none comes again once
// its receipt is proved.
func TestNothingIsLost(t *testing.T) {
	for seed := range uint64(10) {
		bubble(t, nil, func(t *testing.T, h *house) {
			h.create("room")
			speaker := h.join("room", Publisher)
			const clients, signals = 5, 200
			var group sync.WaitGroup
			var listeners []*listener
			for i := range uint64(clients) {
				l := &listener{h: h, seat: h.join("room", Subscriber), r: rand.New(rand.NewPCG(seed, i)), proved: -1}
				listeners = append(listeners, l)
			}
			for _, l := range listeners {
				group.Go(func() { l.listen(t, signals-1) })
			}
			for n := range signals {
				data := strconv.Itoa(n)
				h.send(speaker, data, ClientSignal{Data: &data})
				h.pass(100 * time.Millisecond)
			}
			group.Wait()
			repeated := 0
			for _, l := range listeners {
				if len(l.heard) != signals {
					t.Errorf("seed %d: %s heard %d signals", seed, l.seat.Connection, len(l.heard))
				}
				repeated += l.repeated
			}
			if repeated == 0 {
				t.Errorf("seed %d: no socket was cut where it hurts: the test shows nothing", seed)
			}
		})
	}
}

// TestNextGivesUp with its context, and wakes for what comes.
func TestNextGivesUp(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		a := h.join("room", Publisher)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		woken := make(chan Message, 1)
		go func() { woken <- h.next(a) }()
		synctest.Wait()
		h.send(a, "2", ClientSignal{})
		if m := <-woken; m.Notice == nil {
			t.Errorf("woken by %+v", m)
		}
	})
}

// TestAlarms come in order of their time, those of one time in the order they were armed.
func TestAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAlarms()
		defer a.timer.Stop()
		begin := time.Now()
		for i, after := range []int{5, 1, 3, 1, 4, 1, 5} {
			a.add(begin.Add(time.Duration(after)*time.Second), graceOver{Drops: 10*after + i})
		}
		var came []int
		for len(a.list) > 0 {
			now := <-a.timer.C
			for _, c := range a.due(now) {
				came = append(came, c.(graceOver).Drops)
				if want := begin.Add(time.Duration(c.(graceOver).Drops/10) * time.Second); !now.Equal(want) {
					t.Errorf("%v came at %v", c, now.Sub(begin))
				}
			}
		}
		if want := []int{11, 13, 15, 32, 44, 50, 56}; !slices.Equal(came, want) {
			t.Errorf("came %v, want %v", came, want)
		}
		a.add(begin, graceOver{}) // is late already
		<-a.timer.C
		if got := a.due(time.Now()); len(got) != 1 || len(a.due(time.Now())) != 0 {
			t.Errorf("a late one: %v", got)
		}
	})
}

// TestInbox keeps the order, rings once, and says what becomes of letters after its end.
func TestInbox(t *testing.T) {
	in := newInbox()
	for i := range 3 {
		if !in.put(letter{from: Origin{Call: uint64(i)}}) {
			t.Fatal("refused")
		}
	}
	<-in.bell
	select {
	case <-in.bell:
		t.Error("it rings twice for what can be taken at once")
	default:
	}
	for i, l := range in.take() {
		if l.from.Call != uint64(i) {
			t.Errorf("letter %d is %d", i, l.from.Call)
		}
	}
	in.put(letter{})
	if left := in.close(false); len(left) != 1 || len(in.take()) != 0 || in.put(letter{}) {
		t.Errorf("after the end: %d letters", len(left))
	}
	for kept, want := range map[bool]map[Command]fault.Kind{
		false: {Join{}: fault.SessionClosed, Resume{}: fault.ReconnectionUnknown, Close{}: fault.SessionNotFound},
		true:  {Join{}: fault.NoCapacity, Resume{}: fault.NoCapacity, Close{}: fault.NoCapacity},
	} {
		in := newInbox()
		in.close(kept)
		in.refuse(letter{}) // nobody waits
		for c, kind := range want {
			l := letter{command: c, answer: make(chan answered, 1)}
			in.refuse(l)
			if a := <-l.answer; !fault.Is(a.err, kind) {
				t.Errorf("kept %v: %T is refused with %v", kept, c, a.err)
			}
		}
	}
}

// TestDirectory: an id belongs to one session at a time, from its reservation to its removal.
func TestDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(2)
		session := func(id string) *runner { return &runner{id: id, gone: make(chan struct{}), state: &State{ID: id}} }
		reserve := func(id string, patience time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			return d.reserve(ctx, id)
		}
		if err := reserve("a", 0); err != nil {
			t.Fatal(err)
		}
		wantKind(t, reserve("a", time.Second), fault.SessionExists) // is being made
		if _, err := d.find("a"); !fault.Is(err, fault.SessionNotFound) {
			t.Errorf("found before it is made: %v", err)
		}
		waiting := make(chan error, 1)
		go func() { waiting <- reserve("a", time.Minute) }()
		synctest.Wait()
		d.made("a", nil) // it could not be
		if err := <-waiting; err != nil {
			t.Fatalf("the next in line: %v", err)
		}
		a := session("a")
		d.made("a", a)
		wantKind(t, reserve("a", time.Minute), fault.SessionExists)
		if err := reserve("b", 0); err != nil {
			t.Fatal(err)
		}
		wantKind(t, reserve("c", 0), fault.NoCapacity) // reservations count
		d.made("b", nil)

		d.seat("rpc", a, "con_1")
		d.hide(a)
		if _, err := d.find("a"); !fault.Is(err, fault.SessionNotFound) || d.lookUp("a") != a || len(d.all()) != 0 {
			t.Errorf("a hidden session: %v, %d listed", err, len(d.all()))
		}
		go func() { waiting <- reserve("a", time.Minute) }()
		synctest.Wait()
		d.remove(a)
		close(a.gone)
		if err := <-waiting; err != nil {
			t.Errorf("after it is gone: %v", err)
		}
		if c, ok := d.client("rpc"); !ok || c.connection != "con_1" {
			t.Errorf("client %+v", c)
		}
		d.unseat("rpc")
		if _, ok := d.client("rpc"); ok {
			t.Error("an unseated client is found")
		}
	})
}

// diary is a store that notes what it is asked, and fails as often as it is told.
type diary struct {
	MemoryStore
	mu      sync.Mutex
	entries []string
	fails   int
	only    string // what fails; "": all
	takes   time.Duration
}

func (d *diary) note(what string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, what)
	if d.fails > 0 && (d.only == "" || d.only == what) {
		d.fails--
		return errors.New("not now")
	}
	return nil
}

func (d *diary) Put(ctx context.Context, id string, record []byte) error {
	if sleep(ctx, d.takes); ctx.Err() != nil {
		return ctx.Err()
	}
	if err := d.note("put"); err != nil {
		return err
	}
	return d.MemoryStore.Put(ctx, id, record)
}

func (d *diary) Delete(ctx context.Context, id string) error {
	if err := d.note("delete"); err != nil {
		return err
	}
	return d.MemoryStore.Delete(ctx, id)
}

func (d *diary) count(what string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.entries {
		if e == what {
			n++
		}
	}
	return n
}

// TestWritesAreCoalesced: a slow store gets the latest, not all; a failed write is repeated; the last one is made when
// the process ends, also if one is under way.
func TestWritesAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &diary{takes: time.Second, fails: 2}
		h := open(t, store, nil)
		h.create("room")
		for range 50 {
			if _, err := h.Do(t.Context(), "room", CreateConnection{Role: Publisher}); err != nil {
				t.Fatal(err)
			}
		}
		h.pass(10 * time.Second)
		if n := store.count("put"); n < 3 || n > 5 {
			t.Errorf("%d writes for 50 changes, two of them failed", n)
		}
		if _, err := h.Do(t.Context(), "room", CreateConnection{Role: Moderator}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // its write is under way
		h.stop()
		store.Load(t.Context(), func(id string, record []byte) error {
			if s, err := readRecord(id, record); err != nil || len(s.Connections) != 51 || s.Connections[50].Role != Moderator {
				t.Errorf("the record has %d connections, %v", len(s.Connections), err)
			}
			return nil
		})
	})
}

// TestErasing goes on until the record is gone: what is left would come back with the next start.
func TestErasing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &diary{}
		h := open(t, store, nil)
		h.create("room")
		store.mu.Lock()
		store.fails, store.only = 5, "delete"
		store.mu.Unlock()
		if _, err := h.Do(t.Context(), "room", Close{Reason: "sessionClosedByServer"}); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		if n := store.count("delete"); n != 6 {
			t.Errorf("%d deletions, want 5 that fail and one", n)
		}
		h.create("room") // its id is free
		h.stop()
	})
}

// TestStopDuringErasing ends the wait for a store that is down.
func TestStopDuringErasing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &diary{fails: 1 << 30}
		h := open(t, store, nil)
		h.create("room")
		if _, err := h.Do(t.Context(), "room", Close{}); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		if n := store.count("delete"); n < 5 || n > 25 {
			t.Errorf("%d tries in a minute", n)
		}
		begin := time.Now()
		h.stop()
		if took := time.Since(begin); took > lastDeadline {
			t.Errorf("stopping took %v", took)
		}
	})
}

// TestRecordsOfOthers: what cannot be read is left alone and harms nobody, and the epoch is above all that can.
func TestRecordsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(MemoryStore)
		for id, record := range map[string]string{
			"future": `{"id":"future","epoch":41,"createdAt":1,"somethingNew":{"a":[1]},"connections":[{"id":"con_1","token":"tok_1","mood":"good"}]}`,
			"old":    `{"id":"old","epoch":3,"createdAt":1}`,
			"broken": `{"id":`, "other": `{"id":"else"}`, "list": `[]`, "null": `{"id":"null","createdAt":1,"connections":[null,null]}`,
		} {
			if err := store.Create(t.Context(), id, []byte(record)); err != nil {
				t.Fatal(err)
			}
		}
		h := open(t, store, func(c *Config) { c.Log = slog.New(slog.DiscardHandler) })
		var ids []string
		for _, s := range h.List() {
			ids = append(ids, s.ID)
			if s.Epoch != 42 {
				t.Errorf("%s has epoch %d", s.ID, s.Epoch)
			}
		}
		if got := fmt.Sprint(ids); got != "[future null old]" {
			t.Errorf("restored %s", got)
		}
		if _, err := h.Join(t.Context(), "future", "1", Join{Token: "tok_1"}); err != nil {
			t.Error(err)
		}
		h.stop()
		left := map[string]bool{}
		store.Load(t.Context(), func(id string, _ []byte) error { left[id] = true; return nil })
		if len(left) != 6 {
			t.Errorf("left are %v", left)
		}
	})
}
