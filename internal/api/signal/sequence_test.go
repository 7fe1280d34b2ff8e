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
	"strconv"
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
//	A> METHOD PARAMS             send a request; $A is A's token URL, $A.rpc its RPC session id, $A.id its connection,
//	                             $A.str its stream, $A.token its bare token
//	A= FRAME                     send a frame as it stands
//	A drops                      lose the socket, unseen by the server until it reads
//	A hangs                      from now on what is written to its socket is lost: pulls are not answered
//	rest VERB …                  see (*stage).rest
//	restart                      stop the server and start it again; "restart empty": it has lost its store
//
// A client that is answered sessionStatus says what it makes of it, as openvidu-browser does. Comments set the server up:
// "# media server NAME", "# no joins by secret".
//
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
	stream  string // from the answer to publishVideo
	life    int64  // the same
	closed  bool   // its close has been shown
	hangs   bool
}

type stage struct {
	t        *testing.T
	script   string
	registry *session.Registry
	server   *Server
	store    *session.MemoryStore
	life     int64 // of the store
	ids      int
	actors   map[string]*actor
	running  sync.WaitGroup
	stop     func() // of registry and server
}

// play runs a script inside a bubble and returns it with what happened.
func play(t *testing.T, script string) string {
	s := &stage{t: t, script: script, actors: map[string]*actor{}}
	s.start(true)
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
	s.stop()
	s.running.Wait()
	return out.String()
}

// start runs a server, with the store of the one before or an empty one.
func (s *stage) start(empty bool) {
	if empty {
		s.store, s.life = &session.MemoryStore{}, time.Now().UnixMilli()
	}
	s.registry = session.New(session.Config{
		Store: s.store, Media: echoNode{}, Secrets: turnServer{}, Log: quiet(s.t),
		NewID: func(prefix string, n int) string { s.ids++; return fmt.Sprintf("%s%0*d", prefix, n, s.ids) },
	})
	cfg := Config{Sessions: Local(s.registry), Secret: "MY_SECRET", Life: s.life, Log: quiet(s.t)}
	if m := mediaServer.FindStringSubmatch(s.script); m != nil {
		cfg.MediaServer = m[1]
	}
	cfg.Settings = func() Settings {
		return Settings{NoSecretJoins: strings.Contains(s.script, "# no joins by secret\n")}
	}
	s.server = New(cfg)
	ctx, cancel := context.WithCancel(s.t.Context())
	serving, closed := context.WithCancel(ctx)
	gone := make(chan struct{})
	s.running.Go(func() { s.registry.Run(ctx) })
	s.running.Go(func() { s.server.Run(serving); close(gone) })
	s.stop = func() { closed(); <-gone; cancel() } // as app does: sockets first
}

var (
	expected    = regexp.MustCompile(`^\w+(< | closed | emits )`)
	action      = regexp.MustCompile(`^(\w+)(> |= | opens | drops| hangs)(.*)$`)
	mediaServer = regexp.MustCompile(`(?m)^# media server (\w+)$`)
	userID      = regexp.MustCompile(`"finalUserId":"[A-Z0-9]{16}"`)
)

func (s *stage) act(line string) {
	for name, a := range s.actors {
		line = strings.NewReplacer("$"+name+".rpc", a.rpc, "$"+name+".id", a.id, "$"+name+".token", a.token, "$"+name+".str", a.stream,
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
	case "restart":
		s.stop()
		synctest.Wait()
		s.start(len(words) > 1)
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

// rest does what REST does: close S, disconnect CONNECTION, unpublish STREAM, signal TYPE DATA, role CONNECTION ROLE;
// and what judges uplinks: quality CONNECTION LEVEL.
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
	case "quality":
		level, err := strconv.Atoi(words[2])
		s.check(err)
		c = session.SetQuality{Connection: words[1], Level: level}
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
		Result struct {
			ID, SessionID, SDPAnswer string
			Value                    json.RawMessage
			Life                     int64
		}
	}
	s.check(json.Unmarshal([]byte(frame), &m))
	if a.rpc == "" || m.Result.ID != "" && m.Result.Value != nil {
		a.id, a.rpc, a.life = m.Result.ID, m.Result.SessionID, m.Result.Life
	}
	if m.Result.SDPAnswer != "" && m.Result.ID != "" {
		a.stream = m.Result.ID
	}
	if a.rpc != "" {
		frame = strings.ReplaceAll(frame, a.rpc, "rpc"+name)
	}
	lost := ""
	if a.hangs {
		lost = "lost "
	}
	fmt.Fprintf(out, "%s< %s%s\n", name, lost, userID.ReplaceAllString(frame, `"finalUserId":"…"`))
	if m.Result.Life != 0 && m.Result.Value == nil { // reconnectWebsocketThroughRpcConnectMethod in OpenVidu.ts
		reason := "nodeCrashed"
		if m.Result.Life == a.life {
			reason = "networkDisconnect"
		}
		fmt.Fprintf(out, "%s emits sessionDisconnected %s\n", name, reason)
	}
	if m.Method == "pull" && !a.hangs {
		a.say(fmt.Sprintf(`{"jsonrpc":"2.0","result":"push","id":%s}`, m.ID))
	}
}
