package frontdoor

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestQuota(t *testing.T) {
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	q := newQuota(3, 2)
	for i, step := range []struct {
		who  netip.Addr
		want bool
	}{{a, true}, {a, true}, {a, false}, {b, true}, {c, false}} {
		if got := q.take(step.who); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	q.give(a)
	if !q.take(c) || q.held() != 3 {
		t.Errorf("what was given back cannot be taken; %d held", q.held())
	}
	q.give(a)
	q.give(b)
	q.give(c)
	if q.held() != 0 || len(q.of) != 0 {
		t.Errorf("after all was given back: %d held, %v", q.held(), q.of)
	}
}

func TestWhoCountsAsOneClient(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.1:1":             "192.0.2.1",
		"[::ffff:192.0.2.1]:1":    "192.0.2.1",
		"[2001:db8:1:2:3::4%e]:1": "2001:db8:1:2::",
	} {
		if got := subnetOf(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))); got.String() != want {
			t.Errorf("%s counts for %s, want %s", from, got, want)
		}
	}
}

func TestSilentConnectionsHaveALimit(t *testing.T) {
	door := open(t, Config{Limits: Limits{UnclassifiedPerAddress: 3}})
	for range 3 {
		door.dial()
	}
	await(t, "three wait", func() bool { return door.Stats().Unclassified == 3 })
	isClosed(t, "the fourth", door.dial())
	if now := door.Stats(); now.Refused != 1 || now.Open != 3 {
		t.Errorf("counted %+v", now)
	}
}

func TestSilentConnectionsHaveALimitInTotal(t *testing.T) {
	door := open(t, Config{Limits: Limits{Unclassified: 1}})
	first := door.dial()
	await(t, "one waits", func() bool { return door.Stats().Unclassified == 1 })
	isClosed(t, "the second", door.dial())
	say(t, first, string(stunRequest), 5) // it is known now, and its place free
	await(t, "the place is free", func() bool { return door.Stats().Unclassified == 0 })
	say(t, door.dial(), string(stunRequest), 5)
}

func TestOpenConnectionsHaveALimit(t *testing.T) {
	for name, limits := range map[string]Limits{"in total": {Open: 2}, "per address": {OpenPerAddress: 2}} {
		t.Run(name, func(t *testing.T) {
			door := open(t, Config{Limits: limits})
			first := door.dial()
			say(t, first, string(stunRequest), 5)
			say(t, door.dialTLS(), string(stunRequest), 5)
			isClosed(t, "the third", door.dial())
			_ = first.Close()
			await(t, "a place is free", func() bool { return door.Stats().Open == 1 })
			say(t, door.dial(), string(stunRequest), 5)
		})
	}
}

// inMemory opens a door without a network, for fake time, and returns how to reach it.
func inMemory(t *testing.T, config Config) (door opened, dial func() net.Conn) {
	t.Helper()
	o := prepare(t, config)
	listener := newQueue(&net.TCPAddr{})
	o.config.Listener = listener
	o.run()
	return o, func() net.Conn {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { _ = theirs.Close() })
		if !listener.deliver(ours) {
			t.Fatal("the door is closed")
		}
		return theirs
	}
}

func TestSlowConnectionsAreClosed(t *testing.T) {
	testTLS() // made outside the bubble, as other tests use it
	for name, c := range map[string]struct {
		says  string
		after time.Duration
		timed bool // counted as not recognised in time
	}{
		"silence":           {"", 10 * time.Second, true},
		"half a STUN":       {string(stunRequest[:5]), 10 * time.Second, true},
		"half a handshake":  {"\x16\x03\x01\x02\x00", 10 * time.Second, true},
		"half a header":     {"GET / HTTP/1.1\r\nHost:", 10 * time.Second, false},
		"half a body":       {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf", 30 * time.Second, false},
		"idle after answer": {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 2 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				door, dial := inMemory(t, Config{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						panic(http.ErrAbortHandler)
					}
				})})
				stream, began := dial(), time.Now()
				if _, err := io.WriteString(stream, c.says); err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, stream)
				if took := time.Since(began); took < c.after || took > c.after+5*time.Second {
					t.Errorf("closed after %v, want %v", took, c.after)
				}
				synctest.Wait()
				if now := door.Stats(); (now.TimedOut == 1) != c.timed || now.Open != 0 {
					t.Errorf("counted %+v", now)
				}
			})
		})
	}
}

func TestTheLimitsEndWithRecognition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial := inMemory(t, Config{})
		stream := dial()
		go func() { _, _ = stream.Write(stunRequest) }()
		if got := say(t, stream, "", 5); got != "TURN " {
			t.Fatalf("%q", got)
		}
		go func() { _, _ = io.Copy(io.Discard, stream) }()
		time.Sleep(time.Hour)
		if _, err := io.WriteString(stream, "still here"); err != nil {
			t.Error(err)
		}
	})
}

func TestALongAnswerAfterABody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial := inMemory(t, Config{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(time.Hour)
			if r.Context().Err() == nil {
				_, _ = io.WriteString(w, "patience")
			}
		})})
		stream := dial()
		if _, err := io.WriteString(stream, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"); err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(stream)
		if got := string(answer); len(got) < 8 || got[len(got)-8:] != "patience" {
			t.Errorf("answered %q", got)
		}
	})
}

// A large body has the time it needs as long as it comes at the least rate.
func TestALargeBodyNeedsItsTime(t *testing.T) {
	const piece, total = 64 << 10, 128 * (64 << 10)
	for name, test := range map[string]struct {
		each time.Duration // of a piece
		want int           // bytes that are taken
	}{
		"twice the least rate": {500 * time.Millisecond, total},   // a minute
		"half the least rate":  {2 * time.Second, 62 * piece / 2}, // it gets 30 s and what the first pieces have earned
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				taken := make(chan int, 1)
				_, dial := inMemory(t, Config{HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					n, _ := io.Copy(io.Discard, r.Body)
					taken <- int(n)
				})})
				stream := dial()
				go func() { _, _ = io.Copy(io.Discard, stream) }()
				if _, err := fmt.Fprintf(stream, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", total); err != nil {
					t.Fatal(err)
				}
				for range total / piece {
					time.Sleep(test.each)
					if _, err := stream.Write(make([]byte, piece)); err != nil {
						break
					}
				}
				got := <-taken
				if test.want == total && got != total || test.want < total && (got >= total || got > test.want) {
					t.Errorf("%d bytes were taken of %d, want %d", got, total, test.want)
				}
			})
		})
	}
}
