package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipe is a Socket whose other end is the test.
type pipe struct {
	in, out chan string
	hold    chan struct{} // writes wait for it, if not nil
	once    sync.Once
	closed  chan struct{}
	code    int
	reason  string
}

func newPipe() *pipe {
	return &pipe{in: make(chan string), out: make(chan string, 100), closed: make(chan struct{})}
}

func (p *pipe) Read(context.Context) ([]byte, error) {
	select {
	case s, ok := <-p.in:
		if !ok {
			return nil, io.EOF
		}
		return []byte(s), nil
	case <-p.closed:
		return nil, io.ErrClosedPipe
	}
}

func (p *pipe) Write(ctx context.Context, text []byte) error {
	if p.hold != nil {
		select {
		case <-p.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.out <- string(text)
	return nil
}

// deafPipe never answers a goodbye: its Close waits for the reader, which waits for its context.
type deafPipe struct {
	*pipe
	cut chan struct{}
}

func (p deafPipe) Read(ctx context.Context) ([]byte, error) {
	<-ctx.Done()
	close(p.cut)
	return nil, ctx.Err()
}

func (p deafPipe) Close(code int, reason string) error {
	<-p.cut
	return p.pipe.Close(code, reason)
}

func TestConnCutsOffAPeerThatDoesNotAnswerTheGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := deafPipe{newPipe(), make(chan struct{})}
		c := New(p, Config{})
		stop, wait := run(t, c, func(context.Context, Message) {})
		start := time.Now()
		stop(nil)
		wait()
		if took := time.Since(start); took != time.Second || p.code != StatusGoingAway {
			t.Errorf("took %v, closed with %d", took, p.code)
		}
	})
}

func (p *pipe) Close(code int, reason string) error {
	p.once.Do(func() { p.code, p.reason = code, reason; close(p.closed) })
	return nil
}

// run starts a Conn in a bubble; the returned function waits for its end.
func run(t *testing.T, c *Conn, serve func(context.Context, Message)) (stop context.CancelCauseFunc, wait func() error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	end := make(chan error, 1)
	go func() { end <- c.Run(ctx, serve) }()
	return cancel, func() error { return <-end }
}

func TestConnServesInOrderAndAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		c := New(p, Config{})
		stop, wait := run(t, c, func(_ context.Context, m Message) {
			if m.Method == "fail" {
				c.Fail(m.ID, &Error{Code: 401, Message: "no. Code: 401"})
				return
			}
			c.Reply(m.ID, map[string]string{"value": m.Method})
		})
		p.in <- `{"jsonrpc":"2.0","method":"a<b","id":1}`
		p.in <- `{"jsonrpc":"2.0","method":"fail","id":"x"}`
		p.in <- `{`
		p.in <- `{"method":"m","id":4}`
		synctest.Wait()
		c.Notify("tell", map[string]int{"n": 1})
		c.Ask(-1, "pull")
		synctest.Wait()
		stop(&Closing{Code: 1000, Reason: "enough"})
		if err := wait(); err == nil || err.Error() != "closed: 1000 enough" {
			t.Errorf("Run = %v", err)
		}
		close(p.out)
		want := []string{
			`{"id":1,"result":{"value":"a<b"},"jsonrpc":"2.0"}`,
			`{"id":"x","error":{"code":401,"message":"no. Code: 401"},"jsonrpc":"2.0"}`,
			`{"id":null,"error":{"code":-32700,"message":"the frame is not a JSON object: unexpected end of JSON input"},"jsonrpc":"2.0"}`,
			`{"id":4,"error":{"code":-32600,"message":"member jsonrpc must be \"2.0\""},"jsonrpc":"2.0"}`,
			`{"method":"tell","params":{"n":1},"jsonrpc":"2.0"}`,
			`{"id":-1,"method":"pull","jsonrpc":"2.0"}`,
		}
		var got []string
		for s := range p.out {
			got = append(got, s)
		}
		if !slices.Equal(got, want) {
			t.Errorf("wrote\n%q\nwant\n%q", got, want)
		}
		if p.code != 1000 || p.reason != "enough" {
			t.Errorf("closed with %d %q", p.code, p.reason)
		}
		if err := c.Notify("late", nil); !errors.Is(err, errEnded) {
			t.Errorf("Notify after the end = %v", err)
		}
	})
}

func TestConnEndsWhenThePeerGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		_, wait := run(t, New(p, Config{}), func(context.Context, Message) {})
		close(p.in)
		if err := wait(); !errors.Is(err, io.EOF) {
			t.Errorf("Run = %v, want EOF", err)
		}
	})
}

func TestConnGivesUpAClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		p.hold = make(chan struct{})
		c := New(p, Config{Queue: 2})
		start := time.Now()
		_, wait := run(t, c, func(context.Context, Message) {})
		var err error
		for err == nil {
			err = c.Notify("news", nil) // waits once the queue is full
		}
		if !errors.Is(err, errEnded) {
			t.Errorf("Notify = %v", err)
		}
		if err := wait(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run = %v", err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestCloseWritesWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		p.hold = make(chan struct{})
		c := New(p, Config{})
		_, wait := run(t, c, func(context.Context, Message) {})
		c.Notify("evicted", nil)
		c.Close(1000, "")
		synctest.Wait()
		select {
		case <-p.closed:
			t.Fatal("closed before the queue was written")
		default:
		}
		close(p.hold)
		wait()
		if got := <-p.out; got != `{"method":"evicted","jsonrpc":"2.0"}` || p.code != 1000 {
			t.Errorf("wrote %s, closed with %d", got, p.code)
		}
	})
}

// TestOrderOfManySenders: each sender's messages keep their order, none is lost or cut into another.
func TestOrderOfManySenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const senders, each = 8, 10
		p := newPipe()
		p.out = make(chan string, senders*each)
		c := New(p, Config{Queue: 3})
		stop, wait := run(t, c, func(context.Context, Message) {})
		var group sync.WaitGroup
		for s := range senders {
			group.Go(func() {
				for n := range each {
					if err := c.Notify("n", []int{s, n}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		synctest.Wait()
		stop(nil)
		wait()
		next := [senders]int{}
		for range senders * each {
			var m struct{ Params [2]int }
			if err := json.Unmarshal([]byte(<-p.out), &m); err != nil {
				t.Fatal(err)
			}
			if s, n := m.Params[0], m.Params[1]; n != next[s] {
				t.Errorf("sender %d: %d, want %d", s, n, next[s])
			} else {
				next[s]++
			}
		}
	})
}

// TestWhatCannotBeSaid is the sender's fault, and ends nothing.
func TestWhatCannotBeSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		c := New(p, Config{})
		stop, wait := run(t, c, func(context.Context, Message) {})
		if err := c.Notify("n", func() {}); err == nil || errors.Is(err, errEnded) {
			t.Errorf("got %v", err)
		}
		if err := c.Reply(json.RawMessage("1"), "fine"); err != nil {
			t.Error(err)
		}
		if got := <-p.out; got != `{"id":1,"result":"fine","jsonrpc":"2.0"}` {
			t.Errorf("wrote %s", got)
		}
		stop(nil)
		wait()
	})
}

// TestServeEndsWithItsContext: a message being served when the connection ends is told so; none is served after.
func TestServeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		served := 0
		stop, wait := run(t, New(p, Config{}), func(ctx context.Context, _ Message) {
			served++
			<-ctx.Done()
		})
		p.in <- `{"jsonrpc":"2.0","method":"m","id":1}`
		synctest.Wait()
		stop(&Closing{Code: StatusNormal, Reason: "bye"})
		var closing *Closing
		if err := wait(); !errors.As(err, &closing) || closing.Reason != "bye" || served != 1 {
			t.Errorf("Run = %v after %d messages", err, served)
		}
	})
}
