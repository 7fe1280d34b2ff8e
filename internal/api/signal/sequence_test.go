package signal

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/session"
)

var update = flag.Bool("update", false, "rewrite the expected frames of testdata/sequences")

// TestSequences replays scripts of whole calls, frame by frame, against the real registry in fake time. A script is
// a list of actions; the lines "NAME< frame" and "NAME closed …" are what the server then sent, rewritten by -update:
//
//	session S                    make a session by REST
//	token A S ROLE               make a connection for client A by REST
//	A opens PATH                 open a socket
//	A> METHOD PARAMS             send a request; $A is A's token URL, $A.rpc its RPC session id, $A.id its connection
//	A= FRAME                     send a frame as it stands
//	A drops                      lose the socket, unseen by the server until it reads
//	A hangs                      from now on what is written to its socket is lost: pulls are not answered
//	rest VERB …                  see (*stage).rest
//	wait DURATION
func TestSequences(t *testing.T) {
	scripts, err := filepath.Glob("testdata/sequences/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, name := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			before, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var after string
			synctest.Test(t, func(t *testing.T) { after = play(t, string(before)) })
			if *update {
				if err := os.WriteFile(name, []byte(after), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if after != string(before) {
				t.Errorf("differs (-update rewrites):\n%s", firstDifference(string(before), after))
			}
		})
	}
}

func firstDifference(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(b), len(a))
}

type actor struct {
	*wire
	request int
	token   string
	rpc, id string // from its joinRoom answer
	closed  bool   // its close has been shown
	hangs   bool
}

type stage struct {
	t        *testing.T
	registry *session.Registry
	server   *Server
	actors   map[string]*actor
	running  sync.WaitGroup
}

// play runs a script inside a bubble and returns it with what happened.
func play(t *testing.T, script string) string {
	ids := 0
	s := &stage{t: t, actors: map[string]*actor{}}
	s.registry = session.New(session.Config{
		Store: memory{}, Media: echoNode{}, Secrets: turnServer{}, Log: quiet(t),
		NewID: func(prefix string, n int) string { ids++; return fmt.Sprintf("%s%0*d", prefix, n, ids) },
	})
	cfg := Config{Sessions: Local(s.registry), Secret: "MY_SECRET", Log: quiet(t)}
	if strings.Contains(script, "# media server kurento\n") {
		cfg.MediaServer = "kurento"
	}
	s.server = New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	s.running.Go(func() { s.registry.Run(ctx) })
	s.running.Go(func() { s.server.Run(ctx) })
	var out strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimRight(line, "\n")
		if expected.MatchString(line) {
			continue
		}
		out.WriteString(line + "\n")
		if line != "" && line[0] != '#' {
			s.act(line)
			synctest.Wait()
			s.show(&out)
		}
	}
	cancel()
	s.running.Wait()
	return out.String()
}

var (
	expected = regexp.MustCompile(`^\w+(< | closed )`)
	action   = regexp.MustCompile(`^(\w+)(> |= | opens | drops| hangs)(.*)$`)
	userID   = regexp.MustCompile(`"finalUserId":"[A-Z0-9]{16}"`)
)

func (s *stage) act(line string) {
	for name, a := range s.actors {
		line = strings.NewReplacer("$"+name+".rpc", a.rpc, "$"+name+".id", a.id, "$"+name+".token", a.token,
			"$"+name, "wss://localhost:4443?sessionId=S&token="+a.token).Replace(line)
	}
	words := strings.Fields(line)
	switch words[0] {
	case "session":
		_, err := s.registry.Create(s.t.Context(), session.Properties{CustomSessionID: words[1]})
		s.check(err)
		return
	case "token":
		answer, err := s.registry.Do(s.t.Context(), words[2], session.CreateConnection{Role: session.Role(words[3]), ServerData: "server"})
		s.check(err)
		s.actor(words[1]).token = answer.(*session.Connection).Token
		return
	case "rest":
		s.rest(words[1:])
		return
	case "wait":
		d, err := time.ParseDuration(words[1])
		s.check(err)
		time.Sleep(d)
		return
	}
	m := action.FindStringSubmatch(line)
	if m == nil {
		s.t.Fatalf("not an action: %s", line)
	}
	a := s.actor(m[1])
	switch strings.TrimSpace(m[2]) {
	case "opens":
		a.wire, a.closed, a.hangs = connect(s.server, m[3], &s.running), false, false
	case "hangs":
		a.hangs = true
	case "drops":
		close(a.gone)
		a.closed = true
	case "=":
		a.say(m[3])
	case ">":
		method, params, _ := strings.Cut(m[3], " ")
		if params != "" {
			params = `,"params":` + params
		}
		a.say(fmt.Sprintf(`{"jsonrpc":"2.0","method":%q%s,"id":%d}`, method, params, a.request))
		a.request++
	}
}

// rest does what REST does: close S, disconnect CONNECTION, unpublish STREAM, signal TYPE DATA, role CONNECTION ROLE.
func (s *stage) rest(words []string) {
	var c session.Command
	switch words[0] {
	case "close":
		c = session.Close{Reason: "sessionClosedByServer"}
	case "disconnect":
		c = session.DeleteConnection{Connection: words[1]}
	case "unpublish":
		c = session.DeleteStream{Stream: words[1]}
	case "signal":
		c = session.SendSignal{Type: &words[1], Data: &words[2]}
	case "role":
		role := session.Role(words[2])
		c = session.UpdateConnection{Connection: words[1], Role: &role}
	default:
		s.t.Fatalf("rest %v", words)
	}
	_, err := s.registry.Do(s.t.Context(), "S", c)
	s.check(err)
}

func (s *stage) actor(name string) *actor {
	if s.actors[name] == nil {
		s.actors[name] = &actor{}
	}
	return s.actors[name]
}

func (s *stage) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// show writes what each client has received, and whether its socket was closed. Clients answer pulls, which may bring
// more.
func (s *stage) show(out *strings.Builder) {
	for _, name := range slices.Sorted(maps.Keys(s.actors)) {
		a := s.actors[name]
		if a.wire == nil {
			continue
		}
		for frames := a.taken(); len(frames) > 0; frames = a.taken() {
			for _, frame := range frames {
				s.receive(out, name, a, frame)
			}
			synctest.Wait()
		}
		select {
		case <-a.wire.closed:
			if !a.closed {
				fmt.Fprintf(out, "%s closed %d %s\n", name, a.code, a.reason)
			}
			a.closed = true
		default:
		}
	}
}

func (s *stage) receive(out *strings.Builder, name string, a *actor, frame string) {
	var m struct {
		ID     json.RawMessage
		Method string
		Result struct{ ID, SessionID string }
	}
	s.check(json.Unmarshal([]byte(frame), &m))
	if a.rpc == "" && m.Result.SessionID != "" {
		a.id, a.rpc = m.Result.ID, m.Result.SessionID
	}
	if a.rpc != "" {
		frame = strings.ReplaceAll(frame, a.rpc, "rpc"+name)
	}
	lost := ""
	if a.hangs {
		lost = "lost "
	}
	fmt.Fprintf(out, "%s< %s%s\n", name, lost, userID.ReplaceAllString(frame, `"finalUserId":"…"`))
	if m.Method == "pull" && !a.hangs {
		a.say(fmt.Sprintf(`{"jsonrpc":"2.0","result":"push","id":%s}`, m.ID))
	}
}
