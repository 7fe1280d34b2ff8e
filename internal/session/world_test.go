package session

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"tertulia/internal/wire/mediactl"
)

// world is a session, its clock, its media node and its clients, all in the hands of a test.
type world struct {
	t      testing.TB
	state  *State
	now    int64
	ids    map[string]int
	asked  []Ask // not yet settled, in order
	armed  []armed
	mail   map[string][]Message // what each connection was sent, by RPC session id
	rpc    map[string]string    // RPC session id of those whose outbox is open, by connection
	calls  []Reply              // answers to REST
	open   map[Origin]bool      // requests of clients that are not answered yet
	wrong  []string             // answers too many, or missing
	ended  bool
	reason string
}

type armed struct {
	at      int64
	command Command
}

func newWorld(t testing.TB, p Properties) *world {
	return &world{
		t: t, now: 1000, state: &State{ID: "ses", CreatedAt: 1000, Epoch: 1, Properties: p},
		ids: map[string]int{}, mail: map[string][]Message{}, rpc: map[string]string{}, open: map[Origin]bool{},
	}
}

func (w *world) env() Env {
	return Env{
		Now: w.now,
		NewID: func(prefix string, _ int) string {
			w.ids[prefix]++
			return fmt.Sprintf("%s%d", prefix, w.ids[prefix])
		},
		Rules: Rules{
			Grace: 10 * time.Second, RestartGrace: 30 * time.Second, Park: parkTime,
			MaxConnections: 20, MaxRecvKbps: 1000, MaxSendKbps: 800,
		},
	}
}

// rest asks as REST or a joining client does.
func (w *world) rest(c Command) []Effect {
	from := Origin{Call: 1}
	if j, ok := c.(Join); ok {
		from.RPC = j.RPC
	}
	if r, ok := c.(Resume); ok {
		from.RPC = w.rpc[r.Connection]
	}
	return w.do(from, c)
}

// client asks as a connection's socket does.
func (w *world) client(connection, request string, c Command) []Effect {
	from := Origin{Connection: connection, Request: request, RPC: w.rpc[connection]}
	w.open[from] = true
	return w.do(from, c)
}

func (w *world) do(from Origin, c Command) []Effect {
	if w.ended {
		return nil
	}
	effects := w.state.Do(w.env(), from, c)
	for _, effect := range effects {
		switch e := effect.(type) {
		case Reply:
			if e.To.Connection == "" {
				w.calls = append(w.calls, e)
				continue
			}
			if !w.open[e.To] {
				w.wrong = append(w.wrong, fmt.Sprintf("request %+v was answered twice, or never asked", e.To))
			}
			delete(w.open, e.To)
			if w.rpc[e.To.Connection] == e.To.RPC {
				w.send(e.To.Connection, Message{Reply: &Answered{Request: e.To.Request, Result: e.Result, Err: e.Err}})
			}
		case Notify:
			for _, id := range e.To {
				w.send(id, Message{Notice: e.Notice})
			}
		case Admit:
			if e.Result != nil {
				w.rpc[e.Connection.ID] = e.Connection.RPC
				w.send(e.Connection.ID, Message{Reply: &Answered{Result: *e.Result}})
			}
		case Dismiss:
			delete(w.rpc, e.Connection)
			for o := range w.open {
				if o.RPC == e.RPC && o != from { // a client that leaves has its answer right before
					w.wrong = append(w.wrong, fmt.Sprintf("request %+v is not answered, and its connection ends", o))
				}
			}
		case Ask:
			w.asked = append(w.asked, e)
		case Arm:
			w.armed = append(w.armed, armed{w.now + e.After.Milliseconds(), e.Command})
		case End:
			w.ended, w.reason = true, e.Reason
		}
	}
	return effects
}

func (w *world) send(connection string, m Message) {
	if rpc, open := w.rpc[connection]; open {
		w.mail[rpc] = append(w.mail[rpc], m)
	}
}

// settle ends the oldest request for an endpoint.
func (w *world) settle(endpoint string, err error) []Effect {
	i := slices.IndexFunc(w.asked, func(a Ask) bool { return endpointOf(a.Request) == endpoint })
	if i < 0 {
		w.t.Fatalf("nothing is asked for endpoint %s", endpoint)
	}
	a := w.asked[i]
	w.asked = slices.Delete(w.asked, i, i+1)
	d := settled{Ask: a, Err: err}
	if _, answer := a.Request.(mediactl.Answer); err == nil && !answer {
		d.Description = mediactl.Description{SDP: "sdp-of-" + endpoint, Candidates: []mediactl.Candidate{{Candidate: "candidate:1"}}}
	}
	return w.do(Origin{}, d)
}

// alarm delivers the next command that is due within d; it reports false, and the time has passed, if there is none.
func (w *world) alarm(until int64) ([]Effect, bool) {
	slices.SortStableFunc(w.armed, func(a, b armed) int { return int(a.at - b.at) })
	if len(w.armed) == 0 || w.armed[0].at > until {
		w.now = max(w.now, until)
		return nil, false
	}
	next := w.armed[0]
	w.armed = w.armed[1:]
	w.now = max(w.now, next.at)
	return w.do(Origin{}, next.command), true
}

func (w *world) wait(d time.Duration) []Effect {
	var all []Effect
	for until := w.now + d.Milliseconds(); ; {
		effects, more := w.alarm(until)
		all = append(all, effects...)
		if !more {
			return all
		}
	}
}

// restart is what remains when the process dies: the record, and the clients with what they know.
func (w *world) restart() []Effect {
	record, err := json.Marshal(w.state)
	if err != nil {
		w.t.Fatal(err)
	}
	w.state, err = readRecord(w.state.ID, record)
	if err != nil {
		w.t.Fatal(err)
	}
	w.asked, w.armed = nil, nil
	clear(w.open)
	return w.do(Origin{}, restarted{Epoch: w.state.Epoch + 1})
}
