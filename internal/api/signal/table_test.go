package signal

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// TestEveryKindHasACode reads the kinds from their declaration, so that a new one cannot be forgotten here.
func TestEveryKindHasACode(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../fault/fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "Kind" {
			return true
		}
		if text, ok := spec.Values[0].(*ast.BasicLit); ok && text.Kind == token.STRING {
			kind, _ := strconv.Unquote(text.Value)
			kinds++
			code, ok := codes[fault.Kind(kind)]
			if !ok || !slices.ContainsFunc(openvidu.Codes, func(r openvidu.CodeRow) bool { return r.Code == code }) {
				t.Errorf("kind %s has code %d, which is not in the table", kind, code)
			}
		}
		return true
	})
	if kinds < 20 {
		t.Errorf("only %d kinds found", kinds)
	}
}

func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		text string
		ours bool
	}{
		{fault.New(fault.RoleDenied, "no"), 401, "no. Code: 401", false},
		{fmt.Errorf("around: %w", fault.New(fault.SDPInvalid, "no m=")), 302, "around: no m=. Code: 302", false},
		{fault.New(fault.ReconnectionUnknown, "whatever"), 40007, "reconnection error", false},
		{openvidu.Refuse(406, "none"), 406, "none. Code: 406", false},
		{&openvidu.FieldError{Field: "to", Want: "there"}, -1, "parameter to is missing: there. Code: -1", false},
		{context.DeadlineExceeded, 999, "context deadline exceeded. Code: 999", false},
		{errors.New("password=x"), -1, "the server failed; its log says why. Code: -1", true},
	} {
		told, ours := refusal(c.err)
		if told.Code != c.code || told.Message != c.text || ours != c.ours {
			t.Errorf("%v: %+v %v", c.err, told, ours)
		}
	}
}

// TestEveryMethodIsCarriedOut: no row of the table ends in "there is no method".
func TestEveryMethodIsCarriedOut(t *testing.T) {
	d := newDialect(release{}, "")
	for _, m := range openvidu.Methods {
		var params any
		if m.Params != nil {
			params = m.Params()
		}
		switch m.Name {
		case "ping", "connect", "joinRoom": // the reader's, and join's
			continue
		}
		if _, err := d.command("con_A", m.Name, params); fault.Is(err, fault.UnknownMethod) {
			t.Errorf("%s: %v", m.Name, err)
		}
		if New(Config{}).result(m.Name, "rpc", nil) == nil {
			t.Errorf("%s has no result", m.Name)
		}
	}
	if _, err := d.command("con_A", "other", nil); !fault.Is(err, fault.UnknownMethod) {
		t.Errorf("another method: %v", err)
	}
}

func TestReleases(t *testing.T) {
	type facts struct {
		media, version                    string
		upTo24, upTo215, pull, commonMsid bool
		signals                           session.SignalForm
	}
	for name, c := range map[string]struct {
		path   string
		params openvidu.JoinRoom
		want   facts
	}{
		"1.9":     {"/room", openvidu.JoinRoom{Session: "wss://h/S"}, facts{"kurento", "2.32.1", true, true, false, true, "raw"}},
		"2.0":     {"/openvidu", openvidu.JoinRoom{}, facts{"kurento", "2.32.1", true, true, false, true, "raw"}},
		"2.8":     {"/openvidu", openvidu.JoinRoom{Platform: "Chrome"}, facts{"kurento", "2.32.1", false, true, true, false, ""}},
		"2.20":    {"/openvidu?sessionId=S", openvidu.JoinRoom{Platform: "Chrome"}, facts{"kurento", "2.32.1", false, false, true, false, "prefixed"}},
		"2.21":    {"/openvidu?sessionId=S", openvidu.JoinRoom{Platform: "Chrome", SDKVersion: "2.21.0"}, facts{"mediasoup", "2.21.0", false, false, true, false, "prefixed"}},
		"odd":     {"/openvidu?sessionId=S", openvidu.JoinRoom{Platform: "Chrome", SDKVersion: "2.21"}, facts{"mediasoup", "2.32.1", false, false, true, false, "prefixed"}},
		"beta":    {"/openvidu?sessionId=S", openvidu.JoinRoom{Platform: "Chrome", SDKVersion: "2.31.0-beta.1"}, facts{"mediasoup", "2.31.0-beta.1", false, false, true, false, "prefixed"}},
		"Android": {"/openvidu", openvidu.JoinRoom{Platform: "Android 33", SDKVersion: "2.32.2"}, facts{"kurento", "2.32.2", false, false, false, false, "prefixed"}},
	} {
		s := New(Config{Log: quiet(t)})
		_, r, j := s.admission(caller{first: c.path == "/room", query: strings.Contains(c.path, "?")}, &c.params)
		got := facts{r.mediaServer, r.version(), r.upTo24(), r.upTo215(), r.answersPull(), j.CommonMsid, j.SignalForm}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if j.ServerOffers != (c.want.media == "mediasoup") || r.offered("kurento") != "kurento" {
			t.Errorf("%s: server offers %v", name, j.ServerOffers)
		}
		again := releaseOf(session.Connection{Platform: c.params.Platform, SDKVersion: c.params.SDKVersion})
		if form := resumed(session.Connection{Platform: c.params.Platform, SDKVersion: c.params.SDKVersion, SignalForm: j.SignalForm}).signalForm(); form != c.want.signals {
			t.Errorf("%s: on another socket its signals are %q", name, form)
		}
		if again.upTo24() != r.upTo24() || again.answersPull() != r.answersPull() {
			t.Errorf("%s: on another socket it is taken for %+v", name, again)
		}
	}
}

// TestAdmission: what joinRoom's parameters come to, and that only the right secret opens.
func TestAdmission(t *testing.T) {
	from := caller{address: netip.MustParseAddr("192.0.2.1"), userID: "USER", host: "h:443"}
	for name, c := range map[string]struct {
		secret string
		params openvidu.JoinRoom
		id     string
		want   session.Join
	}{
		"token":            {"S", openvidu.JoinRoom{Session: "A", Token: "wss://h?sessionId=A&token=tok_1"}, "A", session.Join{Token: "tok_1", FinalUserID: "USER"}},
		"bare":             {"S", openvidu.JoinRoom{Session: "A", Token: "tok_1"}, "A", session.Join{Token: "tok_1", FinalUserID: "USER"}},
		"session in token": {"S", openvidu.JoinRoom{Token: "wss://h?sessionId=A&token=tok_1"}, "A", session.Join{Token: "tok_1", FinalUserID: "USER"}},
		"secret":           {"S", openvidu.JoinRoom{Session: "A", Secret: "S", Token: "x"}, "A", session.Join{Insecure: true, LegacyRole: true, FinalUserID: "USER"}},
		"secret in token":  {"S", openvidu.JoinRoom{Session: "A", Token: "wss://h?sessionId=A&secret=S&recorder=true"}, "A", session.Join{Insecure: true, LegacyRole: true, Recorder: true}},
		"speech":           {"S", openvidu.JoinRoom{Session: "A", Secret: "S", SpeechToText: true}, "A", session.Join{Insecure: true, LegacyRole: true, SpeechToText: true}},
		"wrong secret":     {"S", openvidu.JoinRoom{Session: "A", Secret: "s", Token: "tok_1", Recorder: true}, "A", session.Join{Token: "tok_1", FinalUserID: "USER"}},
		"no secret":        {"", openvidu.JoinRoom{Session: "A", Secret: ""}, "A", session.Join{FinalUserID: "USER"}},
	} {
		s := New(Config{Secret: c.secret, Log: quiet(t)})
		id, _, j := s.admission(from, &c.params)
		c.want.Address, c.want.Host, c.want.CommonMsid, c.want.SignalForm = "192.0.2.1", "h:443", true, session.RawSignals
		if id != c.id || j != c.want {
			t.Errorf("%s: %s %+v, want %+v", name, id, j, c.want)
		}
	}
}

func TestTURNAddress(t *testing.T) {
	for url, want := range map[string]string{
		"turns:turn.example:4443?transport=tcp": "turn.example 4443 true", "turn:192.0.2.1:3478": "192.0.2.1 3478 true",
		"turn:[2001:db8::1]:3478": "2001:db8::1 3478 true", "turn:host": "host 3478 true", "turns:host?transport=tcp": "host 5349 true",
		"turn:[2001:db8::1]": "2001:db8::1 3478 true", "stun:host:3478": " 0 false", "turn:": " 3478 false", "turn:host:x": "host 0 false",
	} {
		host, port, ok := turnAddress(url)
		if got := fmt.Sprint(host, " ", port, " ", ok); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

func TestFailedJoinsAreSlowedDownByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFailures()
		a, b := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
		for i := range maxFailed {
			if f.exhausted(a) {
				t.Fatalf("refused after %d failures", i)
			}
			f.count(a)
		}
		if !f.exhausted(a) || f.exhausted(b) {
			t.Errorf("exhausted: %v, the other %v", f.exhausted(a), f.exhausted(b))
		}
		time.Sleep(failedEvery)
		if f.exhausted(a) {
			t.Error("one more try is not allowed after a while")
		}
		for i := range maxFailing + 10 {
			f.count(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32))
		}
		if len(f.by) > maxFailing {
			t.Errorf("%d addresses remembered", len(f.by))
		}
	})
}

// refusing is a node where no token is valid.
type refusing struct{ empty }

func (refusing) Join(context.Context, string, string, session.Join) (*Seat, error) {
	return nil, fault.New(fault.TokenInvalid, "Token is not valid")
}

func TestGuessingIsSlowedDown(t *testing.T) {
	_, url, _ := serveHTTP(t, Config{Sessions: refusing{}, Secret: "S"})
	ws, _ := dial(t, url+"/openvidu", nil)
	for i := range maxFailed + 1 {
		ws.Write(t.Context(), 1, []byte(frame(i, "joinRoom", `{"session":"S","token":"","secret":"guess"}`)))
		want := "Code: 401"
		if i == maxFailed {
			want = "wait a minute. Code: 999"
		}
		if got := read(t, ws); !strings.Contains(got, want) {
			t.Fatalf("%d: %s", i, got)
		}
	}
}
