package signal

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// TestFAQ_05__JoinBySecretSwitchedOff: a 1.x page with the secret in its URL is told of tokens, whether or not the
// secret is right, and makes no session; one with a token joins.
func TestFAQ_05__JoinBySecretSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, script: "# no joins by secret\n", actors: map[string]*actor{}}
		s.start(true)
		s.act("session S")
		s.act("token A S PUBLISHER")
		join := func(line string) string {
			s.act("A opens /room")
			s.act("A> joinRoom " + line)
			synctest.Wait()
			return strings.Join(s.actors["A"].taken(), "")
		}
		for _, line := range []string{
			`{"token":"","session":"wss://h:8443/Room","metadata":"","secret":"MY_SECRET","dataChannels":false}`,
			`{"token":"","session":"wss://h:8443/Room","metadata":"","secret":"GUESSED"}`,
			`{"token":"kq0vd0p4bnk","session":"wss://h:8443/S","metadata":"","secret":"MY_SECRET"}`,
			`{"token":"wss://h?sessionId=Room&secret=MY_SECRET&recorder=true","session":"Room","platform":"Chrome","sdkVersion":"2.32.2","metadata":"","secret":"MY_SECRET","recorder":true}`,
		} {
			if got := join(line); !strings.Contains(got, `"code":401`) || !strings.Contains(got, "create a connection by REST") || strings.Contains(got, "SECRET\"") {
				t.Errorf("%s: %s", line, got)
			}
		}
		if _, err := s.registry.State("Room"); !fault.Is(err, fault.SessionNotFound) {
			t.Errorf("session Room: %v", err)
		}
		if got := join(`{"token":"` + s.actors["A"].token + `","session":"wss://h:8443/S","metadata":"","secret":""}`); !strings.Contains(got, `"role":"PUBLISHER"`) {
			t.Errorf("with a token: %s", got)
		}
		s.stop()
		s.running.Wait()
	})
}

// TestFAQ_05__SecretInBrowserIsSeen: the right secret in a web page is reported, joins of our own pages, of programs
// and by token are not; nor is a guess.
func TestFAQ_05__SecretInBrowserIsSeen(t *testing.T) {
	for name, c := range map[string]struct {
		origin string
		params openvidu.JoinRoom
		off    bool
		seen   bool
	}{
		"page":          {"https://app.example", openvidu.JoinRoom{Session: "A", Secret: "S"}, false, true},
		"in its token":  {"https://app.example", openvidu.JoinRoom{Token: "wss://h?sessionId=A&secret=S"}, false, true},
		"switched off":  {"https://app.example", openvidu.JoinRoom{Session: "A", Secret: "S"}, true, true},
		"no page":       {"", openvidu.JoinRoom{Session: "A", Secret: "S"}, false, false},
		"guessed":       {"https://app.example", openvidu.JoinRoom{Session: "A", Secret: "s"}, false, false},
		"token":         {"https://app.example", openvidu.JoinRoom{Session: "A", Token: "tok_1"}, false, false},
		"recorder":      {"https://h", openvidu.JoinRoom{Session: "A", Secret: "S", Recorder: true}, false, false},
		"transcription": {"https://h", openvidu.JoinRoom{Token: "wss://h?sessionId=A&secret=S&stt=true"}, false, false},
	} {
		var seen []string
		s := New(Config{Secret: "S", Settings: func() Settings { return Settings{NoSecretJoins: c.off} }, Log: quiet(t), SecretSeen: func(origin string, a netip.Addr) {
			seen = append(seen, origin+" "+a.String())
		}})
		_, _, j := s.admission(caller{origin: c.origin, address: netip.MustParseAddr("192.0.2.1")}, &c.params)
		if want := []string{c.origin + " 192.0.2.1"}; c.seen != slices.Equal(seen, want) || !c.seen && seen != nil {
			t.Errorf("%s: seen %q", name, seen)
		}
		if c.off && j.Insecure {
			t.Errorf("%s: let in", name)
		}
		s.cfg.Settings = func() Settings { return Settings{Strict: true} }
		_, _, j = s.admission(caller{origin: c.origin}, &c.params)
		if right := name == "no page" || name == "recorder" || name == "transcription"; j.Insecure != right {
			t.Errorf("%s: let in %v by STRICT", name, j.Insecure)
		}
	}
}

// TestFAQ_04__OldSecretsJoin: while a secret is being changed the old one opens as well, and no longer than that; an
// empty one never does.
func TestFAQ_04__OldSecretsJoin(t *testing.T) {
	var now Settings
	s := New(Config{Secret: "new", Settings: func() Settings { return now }, Log: quiet(t)})
	insecure := func(secret string) bool {
		_, _, j := s.admission(caller{}, &openvidu.JoinRoom{Session: "A", Secret: secret})
		return j.Insecure
	}
	for _, c := range []struct {
		settings Settings
		opens    string
	}{
		{Settings{}, "new"}, {Settings{OldSecrets: []string{"old", "", "older"}}, "new old older"}, {Settings{}, "new"}, {Settings{OldSecrets: []string{"old"}, NoSecretJoins: true}, ""},
	} {
		now = c.settings
		for _, secret := range []string{"new", "old", "older", "", "ne", "newer"} {
			if got, want := insecure(secret), slices.Contains(strings.Fields(c.opens), secret); got != want {
				t.Errorf("%+v: %q opens: %v", c.settings, secret, got)
			}
		}
	}
}

// TestENT_05b__AnySecretJoins: whatever characters a secret has, it opens as the clients of each generation send it, and
// nothing near it does.
func TestENT_05b__AnySecretJoins(t *testing.T) {
	for _, secret := range []string{"MY_SECRET", `a:/@"$\&=+#?;, %25%b'<é>`, "100%", "%41", "ключ"} {
		s := New(Config{Secret: secret, Log: quiet(t)})
		insecure := func(p openvidu.JoinRoom) bool {
			_, _, j := s.admission(caller{}, &p)
			return j.Insecure
		}
		encoded := strings.ReplaceAll(url.QueryEscape(secret), "+", "%20") // encodeURIComponent
		token := "wss://h?sessionId=A&secret=" + encoded
		if !insecure(openvidu.JoinRoom{Session: "A", Secret: secret}) || !insecure(openvidu.JoinRoom{Session: "A", Secret: encoded, Token: token}) ||
			!insecure(openvidu.JoinRoom{Session: "A", Secret: decodeURI(encoded), Token: token}) || !insecure(openvidu.JoinRoom{Token: token}) {
			t.Errorf("%s does not open", secret)
		}
		if insecure(openvidu.JoinRoom{Session: "A", Secret: secret + "x"}) || insecure(openvidu.JoinRoom{Session: "A", Secret: secret[1:]}) {
			t.Errorf("something near %s opens", secret)
		}
	}
}

// FuzzRoomName: any name makes an id that may be one, and always the same; only an encoded name shares its id with another.
func FuzzRoomName(f *testing.F) {
	for _, name := range []string{"", "MyRoom", "My%20Room", "My Room", "%", "été", strings.Repeat("a", 257), "a.b"} {
		f.Add(name)
	}
	valid := regexp.MustCompile(`^[a-zA-Z0-9_-]{0,256}$`)
	f.Fuzz(func(t *testing.T, name string) {
		id := roomName(name)
		if !valid.MatchString(id) || id != roomName(name) || roomName(id) != id {
			t.Fatalf("%q makes %q", name, id)
		}
		if other := roomName(name + "!"); other == id || valid.MatchString(name) && id != name {
			t.Fatalf("%q makes %q", name, id)
		}
	})
}

// decodeURI is JavaScript's: reserved characters stay encoded.
func decodeURI(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' {
			if c, err := url.PathUnescape(s[i : i+3]); err == nil && !strings.Contains(";/?:@&=+$,#", c) {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// TestWhereAClientIs: the handshake's address is located, and its page told apart, through a real websocket.
func TestWhereAClientIs(t *testing.T) {
	node := &joins{script: newScript()}
	s, url, stop := serveHTTP(t, Config{Sessions: node, Secret: "S",
		Locate:     func(a netip.Addr) string { return "Madrid, " + a.String() },
		SecretSeen: func(origin string, a netip.Addr) { node.seen = append(node.seen, origin) },
	})
	ws, _ := dial(t, url+"/openvidu", http.Header{"Origin": {"https://app.example"}, "X-Test-Address": {"198.51.100.7"}})
	ws.Write(t.Context(), 1, []byte(frame(1, "joinRoom", `{"session":"S","secret":"S"}`)))
	ws.Write(t.Context(), 1, []byte(frame(2, "echo", `{}`)))
	read(t, ws) // the worker has joined before it answers the echo
	ws.CloseNow()
	stop()
	if len(node.asked) != 1 || node.asked[0].Location != "Madrid, 198.51.100.7" || node.asked[0].Address != "198.51.100.7" {
		t.Errorf("joins %+v", node.asked)
	}
	if !slices.Equal(node.seen, []string{"https://app.example"}) || s.Stats().Sockets != 0 {
		t.Errorf("seen %q", node.seen)
	}
}

// joins remembers what it was asked.
type joins struct {
	*script
	asked []session.Join
	seen  []string
}

func (n *joins) Join(ctx context.Context, id, request string, j session.Join) (*Seat, error) {
	n.asked = append(n.asked, j)
	return n.script.Join(ctx, id, request, j)
}
