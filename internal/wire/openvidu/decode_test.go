package openvidu

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestDecodeNamesWhatIsWrong(t *testing.T) {
	for raw, want := range map[string]string{
		`[]`:                                    "parameter params is `[]`, not an object",
		`{}`:                                    "parameter sdpOffer is missing: of the publisher's peer connection",
		`{"sdpOffer":null}`:                     "parameter sdpOffer is missing: of the publisher's peer connection",
		`{"sdpOffer":7}`:                        "parameter sdpOffer is `7`, not a string",
		`{"sdpOffer":{"a":1}}`:                  "parameter sdpOffer is `{\"a\":1}`, not a string",
		`{"sdpOffer":"","doLoopback":1}`:        "parameter doLoopback is `1`, not a boolean",
		`{"sdpOffer":"","hasAudio":"yes"}`:      "parameter hasAudio is `\"yes\"`, not a boolean",
		`{"sdpOffer":"","frameRate":"fast"}`:    "parameter frameRate is `\"fast\"`, not an integer",
		`{"sdpOffer":"","frameRate":1e300}`:     "parameter frameRate is `1e300`, not an integer",
		`{"sdpOffer":"","frameRate":"NaN"}`:     "parameter frameRate is `\"NaN\"`, not an integer",
		`{"sdpOffer":"","frameRate":true}`:      "parameter frameRate is `true`, not an integer",
		`{"sdpOffer":"","typeOfVideo":["CAM"]}`: "parameter typeOfVideo is `[\"CAM\"]`, not a string",
	} {
		err := Decode(json.RawMessage(raw), new(PublishVideo))
		var field *FieldError
		if !errors.As(err, &field) || err.Error() != want {
			t.Errorf("%s: %v, want %s", raw, err, want)
		}
	}
	long := Decode(json.RawMessage(`{"sdpOffer":[`+strings.Repeat("1,", 500)+`1]}`), new(PublishVideo))
	if long == nil || len(long.Error()) > 120 {
		t.Errorf("a long value is not shortened: %v", long)
	}
}

// TestEveryTextHasALimit takes each parameter of each method to its limit and above.
func TestEveryTextHasALimit(t *testing.T) {
	texts := 0
	for _, m := range Methods {
		if m.Params == nil {
			continue
		}
		for f := range Fields(m.Params()) {
			if f.Type != "string" && f.Type != "any" {
				continue
			}
			texts++
			fill := func(n int) error {
				members := map[string]string{}
				for other := range Fields(m.Params()) {
					if other.Must {
						members[other.Name] = ""
					}
				}
				members[f.Name] = strings.Repeat("x", n)
				raw, err := json.Marshal(members)
				if err != nil {
					t.Fatal(err)
				}
				return Decode(raw, m.Params())
			}
			quotes := 0
			if f.Type == "any" {
				quotes = 2 // JSON text is kept as it is
			}
			if err := fill(f.Max - quotes); err != nil {
				t.Errorf("%s.%s: %v", m.Name, f.Name, err)
			}
			err := fill(f.Max + 1)
			if err == nil || !strings.Contains(err.Error(), "parameter "+f.Name+" is ") || len(err.Error()) > 120 {
				t.Errorf("%s.%s above its limit: %v", m.Name, f.Name, err)
			}
		}
	}
	if texts < 30 {
		t.Errorf("only %d texts found", texts)
	}
}

// TestDecodeIsLenient: the Android client sends everything as text, others leave out what they do not know.
func TestDecodeIsLenient(t *testing.T) {
	var p PublishVideo
	raw := `{"sdpOffer":"v=0","doLoopback":"false","hasAudio":"true","hasVideo":true,"audioActive":null,"frameRate":"29.97","filter":{"type":"x"},"unknown":[1]}`
	if err := Decode(json.RawMessage(raw), &p); err != nil {
		t.Fatal(err)
	}
	if p.SDPOffer != "v=0" || p.DoLoopback || !*p.HasAudio || !*p.HasVideo || p.AudioActive != nil || *p.FrameRate != 29 || string(p.Filter) != `{"type":"x"}` {
		t.Errorf("got %+v", p)
	}
	var c OnICECandidate
	for _, raw := range []string{``, `{}`, `{"sdpMid":null,"sdpMLineIndex":"0","candidate":""}`} {
		if err := Decode(json.RawMessage(raw), &c); err != nil || c != (OnICECandidate{}) {
			t.Errorf("%s: %+v, %v", raw, c, err)
		}
	}
	for raw, want := range map[string]int{`7`: 7, `-1`: -1, `"640"`: 640, `640.9`: 640, `-0.5`: 0, `1e2`: 100} {
		var v VideoReport
		if err := Decode(json.RawMessage(`{"width":`+raw+`}`), &v); err != nil || v.Width != want {
			t.Errorf("%s: %d, %v", raw, v.Width, err)
		}
	}
}

func TestParseSignal(t *testing.T) {
	text := func(s string) *string { return &s }
	show := func(s Signal) string { b, _ := json.Marshal(s); return string(b) }
	for in, want := range map[string]Signal{
		`{"to":[],"data":"hi","type":"signal:chat"}`: {Type: text("signal:chat"), Data: text("hi")},
		`{"to":["con_A"]}`:                           {To: []string{"con_A"}},
		` {"to":null,"data":null,"type":""}`:         {Type: text("")},
		`{"data":7.50,"type":true}`:                  {Type: text("true"), Data: text("7.50")},
	} {
		if got, err := ParseSignal(in); err != nil || show(got) != show(want) {
			t.Errorf("%s: %s %v, want %s", in, show(got), err, show(want))
		}
	}
	for in, code := range map[string]Code{
		``: 600, `hi`: 600, `[]`: 600, `null`: 600, `{"data":`: 600, `{"data":{}}`: 600, `{"type":[7]}`: 600,
		`{"to":"con_A"}`: 601, `{"to":[null]}`: 601, `{"to":[7]}`: 601, `{"to":{}}`: 601,
	} {
		_, err := ParseSignal(in)
		var refusal *CodeError
		if !errors.As(err, &refusal) || refusal.Code != code {
			t.Errorf("%s: %v, want code %d", in, err, code)
		}
	}
}

func TestSignalTypesTravelBothWays(t *testing.T) {
	for old, newer := range map[string]string{"chat": "signal:chat", "": "signal:signal", "a:b": "signal:a:b"} {
		if got, changed := PrefixSignal(old); got != newer || !changed {
			t.Errorf("PrefixSignal(%q) = %q", old, got)
		}
		if got, changed := PrefixSignal(newer); got != newer || changed {
			t.Errorf("PrefixSignal(%q) = %q", newer, got)
		}
		if got := StripSignal(newer); got != old {
			t.Errorf("StripSignal(%q) = %q", newer, got)
		}
	}
}

func TestParseToken(t *testing.T) {
	for in, want := range map[string]TokenRef{
		"wss://localhost:4443?sessionId=ses_A&token=tok_B":                         {Session: "ses_A", Token: "tok_B"},
		"wss://h/path?sessionId=ses_A&token=tok_B&role=PUBLISHER&coturnIp=1.2.3.4": {Session: "ses_A", Token: "tok_B"},
		"ws://h?sessionId=my%20room&secret=S&recorder=true":                        {Session: "my room", Secret: "S", Recorder: true},
		"wss://h?sessionId=a&secret=S&stt=true":                                    {Session: "a", Secret: "S", SpeechToText: true},
		"tok_B":                                                                    {Token: "tok_B"},
		"":                                                                         {},
		"wss://h?token=%zz&token=2":                                                {Token: "%zz"},
		"4kv9x":                                                                    {Token: "4kv9x"},
	} {
		if got := ParseToken(in); got != want {
			t.Errorf("%s: %+v, want %+v", in, got, want)
		}
	}
}

func TestParseSession(t *testing.T) {
	for in, want := range map[string]string{
		"ses_A": "ses_A", "wss://host:8443/MyRoom": "MyRoom", "wss://host/a/b/MyRoom/?x=1": "MyRoom", "wss://host": "", "": "", "://x/y": "://x/y",
	} {
		if got, isURL := ParseSession(in); got != want || isURL != strings.HasPrefix(in, "wss") {
			t.Errorf("%s: %q %v", in, got, isURL)
		}
	}
}

// FuzzDecode: whatever comes, a value or an error that names a field; and what was understood encodes again.
func FuzzDecode(f *testing.F) {
	for i, seed := range []string{`{"interval":"5000"}`, `{"sdpOffer":"v=0","hasAudio":"true","frameRate":-1e9}`, `{"to":[null]}`, `"x"`, `{"x":`, ``} {
		f.Add(uint8(i), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, which uint8, raw []byte) {
		m := Methods[int(which)%len(Methods)]
		if m.Params == nil {
			return
		}
		p := m.Params()
		err := Decode(raw, p)
		var field *FieldError
		if err != nil && (!errors.As(err, &field) || field.Field == "") {
			t.Fatalf("%s %q: %v", m.Name, raw, err)
		}
		if _, bad := json.Marshal(p); err == nil && bad != nil {
			t.Fatalf("%s %q: %v", m.Name, raw, bad)
		}
	})
}

// FuzzTexts: the texts inside parameters, each with its parser.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{`{"to":["a"],"data":"x","type":"signal:y"}`, "wss://h?sessionId=%41&token=b", "wss://h:1/a/?b", "://", "?&="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseSignal(text); err == nil && s.Type != nil {
			p, _ := PrefixSignal(*s.Type)
			if !strings.HasPrefix(p, "signal:") {
				t.Fatalf("%q → %q", *s.Type, p)
			}
		}
		ParseToken(text)
		if id, isURL := ParseSession(text); isURL && strings.ContainsAny(id, "/?") {
			t.Fatalf("%q → %q", text, id)
		}
	})
}
