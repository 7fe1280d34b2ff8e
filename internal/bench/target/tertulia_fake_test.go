package target

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// tertuliaFake is a server of REST and signalling that follows a script.
func tertuliaFake(t *testing.T, rest http.HandlerFunc, talk func(s *script)) *tertulia {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /openvidu/api/", rest)
	mux.HandleFunc("/openvidu", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow()
		s := &script{conn: c}
		talk(s)
		for s.read() != nil {
		}
	})
	web := httptest.NewTLSServer(mux)
	t.Cleanup(web.Close)
	s := Tertulia(TertuliaConfig{Ping: 50 * time.Millisecond}).(*tertulia)
	s.process, s.secret = &process{}, "hush"
	s.host = strings.TrimPrefix(web.URL, "https://")
	return s
}

func grantToken(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, `{"token":"wss://h?sessionId=r&token=tok_A"}`)
}

func TestTertuliaREST(t *testing.T) {
	for _, c := range []struct {
		name  string
		rest  func(path string, try int) (status int, body string)
		token string
		err   string
		paths string
	}{
		{
			name:  "the session is there",
			rest:  func(string, int) (int, string) { return 200, `{"token":"t"}` },
			token: "t", paths: "/sessions/r/connection",
		}, {
			name: "it has to be made",
			rest: func(path string, try int) (int, string) {
				if try == 0 {
					return 404, ""
				}
				return 200, `{"token":"t"}`
			},
			token: "t", paths: "/sessions/r/connection /sessions /sessions/r/connection",
		}, {
			name: "another participant is making it",
			rest: func(path string, try int) (int, string) {
				return []int{404, 409, 200}[try], `{"token":"t"}`
			},
			token: "t", paths: "/sessions/r/connection /sessions /sessions/r/connection",
		}, {
			name: "it cannot be made",
			rest: func(path string, try int) (int, string) { return []int{404, 500}[try], "broken" },
			err:  "POST /sessions: status 500: broken", paths: "/sessions/r/connection /sessions",
		}, {
			name: "the secret is wrong",
			rest: func(string, int) (int, string) { return 401, "" },
			err:  "status 401", paths: "/sessions/r/connection",
		}, {
			name: "no token",
			rest: func(string, int) (int, string) { return 200, `{"token":null}` },
			err:  "no token", paths: "/sessions/r/connection",
		}, {
			name: "no JSON",
			rest: func(string, int) (int, string) { return 200, `<html>` },
			err:  "invalid character", paths: "/sessions/r/connection",
		},
	} {
		var paths []string
		s := tertuliaFake(t, func(w http.ResponseWriter, r *http.Request) {
			if user, secret, _ := r.BasicAuth(); user != "OPENVIDUAPP" || secret != "hush" {
				t.Errorf("%s: user %s", c.name, user)
			}
			status, body := c.rest(r.URL.Path, len(paths))
			paths = append(paths, strings.TrimPrefix(r.URL.Path, "/openvidu/api"))
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}, func(*script) {})
		token, err := s.token(t.Context(), "r", "anna")
		if token != c.token || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v", c.name, token, err)
		}
		if got := strings.Join(paths, " "); got != c.paths {
			t.Errorf("%s: asked %s", c.name, got)
		}
	}
}

// rpc is a message of a participant.
type rpc struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	ID     int             `json:"id"`
}

// next reads until a message that is no ping, and answers the pings.
func (s *script) next(t *testing.T) (m rpc) {
	for {
		text := s.read()
		if text == nil {
			return rpc{}
		}
		m = rpc{}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Error(err)
		}
		if m.Method != "ping" {
			return m
		}
		s.say(websocket.MessageText, fmt.Appendf(nil, `{"id":%d,"result":{"value":"pong"},"jsonrpc":"2.0"}`, m.ID))
	}
}

func (s *script) answer(id int, result string) {
	s.say(websocket.MessageText, fmt.Appendf(nil, `{"id":%d,"result":%s,"jsonrpc":"2.0"}`, id, result))
}

func TestTertuliaSpeaksAsTheStockClient(t *testing.T) {
	pinged, pulled := make(chan string, 1000), make(chan string, 1)
	s := tertuliaFake(t, grantToken, func(s *script) {
		for left := false; !left; {
			var m rpc
			if json.Unmarshal(s.read(), &m) != nil {
				return
			}
			switch m.Method {
			case "ping":
				pinged <- string(m.Params)
			case "joinRoom":
				if m.ID != 1 || !strings.Contains(string(m.Params), `"token":"wss://h?sessionId=r\u0026token=tok_A"`) {
					t.Errorf("joinRoom has id %d (of the first ping is 0), parameters %s", m.ID, m.Params)
				}
				s.say(websocket.MessageText, []byte(`{"id":-7,"method":"pull","jsonrpc":"2.0"}`))
				s.answer(m.ID, `{"id":"con_A","sessionId":"x"}`)
			case "":
				pulled <- fmt.Sprintf("%d %s", m.ID, m.Result)
			case "leaveRoom":
				s.answer(m.ID, `{}`)
				left = true
			}
		}
	})
	p, err := s.Join(t.Context(), "r", "anna")
	check(t, err)
	for _, want := range []string{`{"interval":50}`, "", ""} {
		if got := <-pinged; got != want {
			t.Errorf("ping %s, want %s", got, want)
		}
	}
	if got := <-pulled; got != `-7 "push"` {
		t.Errorf("pull was answered with %s", got)
	}
	check(t, p.Leave())
}

func TestTertuliaRefusals(t *testing.T) {
	s := tertuliaFake(t, grantToken, func(s *script) {
		m := s.next(t)
		s.say(websocket.MessageText, fmt.Appendf(nil, `{"id":%d,"error":{"code":401,"message":"no"},"jsonrpc":"2.0"}`, m.ID))
	})
	if _, err := s.Join(t.Context(), "r", "anna"); err == nil || err.Error() != `joinRoom: {"code":401,"message":"no"}` {
		t.Errorf("Join = %v", err)
	}
	viewer := &tertuliaParticipant{line: &line{}}
	if err := viewer.Subscribe(t.Context(), &tertuliaParticipant{line: &line{}}, &paper{}); !errors.Is(err, errNoStream) {
		t.Errorf("Subscribe to nothing = %v", err)
	}
	if err := viewer.Subscribe(t.Context(), &janusParticipant{}, &paper{}); !errors.Is(err, errOtherServer) {
		t.Errorf("Subscribe to another server's = %v", err)
	}
}

func TestTertuliaGreeting(t *testing.T) {
	s := Tertulia(TertuliaConfig{Settings: map[string]string{"LOG_LEVEL": "debug"}}).(*tertulia)
	for _, early := range []string{"", "level=WARN msg=x\n", "ready https://127.0.0.1:44"} {
		if s.greeted(early) == nil {
			t.Errorf("%q is a greeting", early)
		}
	}
	if err := s.greeted("level=WARN msg=x\nready https://127.0.0.1:4443\nOpen it\n"); err != nil || s.host != "127.0.0.1:4443" {
		t.Errorf("%q %v", s.host, err)
	}
	if env := string(s.environment()); !strings.Contains(env, "LOG_LEVEL=debug\n") || !strings.Contains(env, "HTTPS_PORT=0\n") {
		t.Errorf(".env %s", env)
	}
}
