package openvidu

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// keys are the members of a value's JSON, nested ones as a.b, those of lists as a[].b.
func keys(t *testing.T, v any) []string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	var all []string
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				all = append(all, prefix+name)
				walk(prefix+name+".", value)
			}
		case []any:
			for _, value := range v {
				walk(strings.TrimSuffix(prefix, ".")+"[].", value)
			}
		}
	}
	walk("", decoded)
	slices.Sort(all)
	return slices.Compact(all)
}

// full is a value of a type with every field set.
func full(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(full(t.Elem()))
	case reflect.Slice:
		v.Set(reflect.Append(v, full(t.Elem())))
	case reflect.Struct:
		for i := range t.NumField() {
			v.Field(i).Set(full(t.Field(i).Type))
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	}
	return v
}

// TestNoReservedNames: Kurento's library takes dest and from for its own; only a signal may have from (spec §2.4).
func TestNoReservedNames(t *testing.T) {
	check := func(what string, v any, from bool) {
		for _, key := range keys(t, full(reflect.TypeOf(v)).Interface()) {
			if key == "dest" || key == "from" && !from {
				t.Errorf("%s has %q", what, key)
			}
		}
	}
	for _, m := range Methods {
		check(m.Name+" result", m.Result, false)
	}
	for _, n := range Notifications {
		check(n.Name, n.Shape, n.Name == NameSignal)
	}
}

// TestWhatGenerationsRead: every key a generation of clients reads is there (spec §4.1, §5, §12.4).
func TestWhatGenerationsRead(t *testing.T) {
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"joinRoom, 1.x":           {Joining{Value: []Participant{}}, "id sessionId value metadata"},
		"joinRoom, 2.16":          {Joining{}, "role session record version createdAt"},
		"joinRoom, 2.18":          {Joining{}, "mediaServer videoSimulcast"},
		"joinRoom, 2.20":          {Joining{Life: 1}, "life"},
		"sessionStatus":           {Life{}, "life"},
		"joinRoom, TURN to 2.22":  {Joining{CoturnIP: "h", CoturnPort: 1, TURNUsername: "u", TURNCredential: "c"}, "coturnIp coturnPort turnUsername turnCredential"},
		"joinRoom, TURN":          {Joining{CustomICEServer: []ICEServer{{URL: "turn:h", Username: "u", Credential: "c"}}}, "customIceServers[].url customIceServers[].username customIceServers[].credential"},
		"value":                   {Participant{Streams: []Stream{{}}}, "id createdAt metadata streams[].id streams[].createdAt streams[].hasAudio streams[].hasVideo streams[].audioActive streams[].videoActive streams[].frameRate streams[].filter"},
		"video":                   {Stream{TypeOfVideo: "CAMERA", VideoDimensions: "{}"}, "typeOfVideo videoDimensions"},
		"publishVideo":            {Publishing{}, "sdpAnswer id createdAt"},
		"receiveVideoFrom":        {Receiving{}, "sdpAnswer"},
		"prepareReceiveVideoFrom": {Preparing{}, "sdpOffer"},
		"left, to 2.2":            {ParticipantGone{}, "name reason"},
		"left":                    {ParticipantGone{}, "connectionId reason"},
		"evicted":                 {ParticipantEvicted{}, "connectionId reason"},
		"candidate, to 2.8":       {ICECandidate{}, "endpointName candidate sdpMid sdpMLineIndex"},
		"candidate":               {ICECandidate{}, "senderConnectionId candidate sdpMid sdpMLineIndex"},
		"property":                {StreamProperty{}, "connectionId streamId property newValue reason"},
		"role":                    {ConnectionProperty{}, "property newValue"},
		"forced offer":            {ForcedOffer{}, "connectionId streamId sdpOffer"},
	} {
		have := keys(t, c.value)
		for want := range strings.FieldsSeq(c.want) {
			if !slices.Contains(have, want) {
				t.Errorf("%s: no %s in %v", name, want, have)
			}
		}
	}
}

// TestWhatMustNotBeThere: a role makes clients take somebody for themselves, null is no list (spec §4.1).
func TestWhatMustNotBeThere(t *testing.T) {
	participant := keys(t, full(reflect.TypeFor[Participant]()).Interface())
	joined := keys(t, full(reflect.TypeFor[ParticipantJoined]()).Interface())
	published := keys(t, full(reflect.TypeFor[ParticipantPublished]()).Interface())
	for _, key := range slices.Concat(participant, joined, published) {
		if key == "role" {
			t.Error("somebody else has a role")
		}
	}
	bare := keys(t, Joining{Value: []Participant{{}}})
	for _, absent := range []string{"coturnIp", "turnUsername", "customIceServers", "finalUserId", "life", "value[].streams"} {
		if slices.Contains(bare, absent) {
			t.Errorf("%s is there with nothing in it", absent)
		}
	}
	if signal := keys(t, SignalMessage{}); len(signal) != 0 {
		t.Errorf("a signal of nothing has %v", signal)
	}
	if text, _ := json.Marshal(Stream{}); !strings.Contains(string(text), `"filter":{}`) || strings.Contains(string(text), "typeOfVideo") {
		t.Errorf("a stream without video: %s", text)
	}
}

// TestEveryMethodTakesNothing: no parameters, null, or an empty object are an answer about what is needed, or fine.
func TestEveryMethodTakesNothing(t *testing.T) {
	for _, m := range Methods {
		if m.Params == nil {
			continue
		}
		need := ""
		for f := range Fields(m.Params()) {
			if f.Must && need == "" {
				need = f.Name
			}
		}
		for _, raw := range []string{``, `null`, `{}`, `{"x":1}`} {
			err := Decode(json.RawMessage(raw), m.Params())
			if need == "" && err != nil || need != "" && (err == nil || !strings.HasPrefix(err.Error(), "parameter "+need+" is missing: ")) {
				t.Errorf("%s with %q: %v", m.Name, raw, err)
			}
		}
		for _, raw := range []string{`[]`, `7`, `"x"`, `true`} {
			if err := Decode(json.RawMessage(raw), m.Params()); err == nil || !strings.HasPrefix(err.Error(), "parameter params is ") {
				t.Errorf("%s with %s: %v", m.Name, raw, err)
			}
		}
	}
}

// TestWrongTypesAreNamed gives every parameter of every method a value of each other type.
func TestWrongTypesAreNamed(t *testing.T) {
	values := map[string][]string{
		"string":  {`7`, `true`, `{}`, `[]`},
		"boolean": {`7`, `"yes"`, `{}`, `[]`, `"TRUE"`},
		"integer": {`true`, `"x"`, `{}`, `[]`, `""`, `1e10`, `"1e999"`},
	}
	for _, m := range Methods {
		if m.Params == nil {
			continue
		}
		for f := range Fields(m.Params()) {
			for _, wrong := range values[f.Type] {
				members := fmt.Sprintf("%q:%s", f.Name, wrong)
				for other := range Fields(m.Params()) {
					if other.Must && other.Name != f.Name {
						members += fmt.Sprintf(`,%q:"x"`, other.Name)
					}
				}
				err := Decode(json.RawMessage("{"+members+"}"), m.Params())
				if field := (*FieldError)(nil); !errors.As(err, &field) || field.Field != f.Name {
					t.Errorf("%s.%s = %s: %v", m.Name, f.Name, wrong, err)
				}
			}
		}
	}
}

// TestTokensOfAllServers: the URL that each line of servers handed out comes to the same session and id (spec §2.2).
func TestTokensOfAllServers(t *testing.T) {
	for line, url := range map[string]string{
		"2.0":  "wss://h:4443?sessionId=ses_A&token=tok_B",
		"2.2":  "wss://h:4443?sessionId=ses_A&token=tok_B&role=PUBLISHER&turnUsername=u&turnCredential=c",
		"2.11": "wss://h:4443?sessionId=ses_A&token=tok_B&role=PUBLISHER&version=2.11.0&turnUsername=u&turnCredential=c",
		"2.12": "wss://h:4443?sessionId=ses_A&token=tok_B&role=PUBLISHER&version=2.12.0&coturnIp=1.2.3.4&turnUsername=u&turnCredential=c",
		"2.17": "wss://h?sessionId=ses_A&token=tok_B",
		"Pro":  "wss://h?sessionId=ses_A&token=tok_B&edition=pro&webrtcStatsInterval=0&sendBrowserLogs=disabled",
		"path": "ws://h:80/some/where/?token=tok_B&sessionId=ses_A",
	} {
		if got := ParseToken(url); got != (TokenRef{Session: "ses_A", Token: "tok_B"}) {
			t.Errorf("%s: %+v", line, got)
		}
	}
	for url, want := range map[string]TokenRef{
		"wss://h?sessionId=a&secret=":          {Session: "a"},
		"wss://h?sessionId=a&recorder=&stt=":   {Session: "a"},
		"wss://h?sessionId=a&sessionId=b":      {Session: "a"},
		"wss://h?xsessionId=a&token":           {},
		"wss://h?token=a=b&secret=%26":         {Token: "a=b", Secret: "&"},
		"wss://h?token=tok_A?x&sessionId=a#no": {Token: "tok_A?x", Session: "a#no"},
	} {
		if got := ParseToken(url); got != want {
			t.Errorf("%s: %+v, want %+v", url, got, want)
		}
	}
}

// TestSignalLimits: lists, and texts that are quoted back.
func TestSignalLimits(t *testing.T) {
	list := func(n int) string { return `{"to":["a"` + strings.Repeat(`,"a"`, n-1) + `]}` }
	if s, err := ParseSignal(list(maxTargets)); err != nil || len(s.To) != maxTargets {
		t.Errorf("the longest list: %v", err)
	}
	for _, text := range []string{list(maxTargets + 1), strings.Repeat("x", 1<<16), `{"type":[` + strings.Repeat("1,", 1<<12) + `1]}`, "{\"data\":7,\"\xff\":\"" + strings.Repeat("é", 1000)} {
		if _, err := ParseSignal(text); err == nil || len(err.Error()) > 200 {
			t.Errorf("%.20s…: %v", text, err)
		}
	}
}

// TestRESTSecretsStayOut: a wrong body is quoted in the answer, a secret in it is not.
func TestRESTSecretsStayOut(t *testing.T) {
	const secret = "hunter2"
	for _, body := range []string{
		`{"customIceServers":[{"url":"turn:a","username":"u","credential":["` + secret + `"]}]}`,
		`{"customIceServers":[{"url":"turn:a","staticAuthSecret":{"` + secret + `":1}}]}`,
		`{"customIceServers":[{"url":"turn:a","username":"u","credential":"` + secret + `","staticAuthSecret":"` + secret + `"}]}`,
		`{"customIceServers":[{"url":"stun:a","credential":"` + secret + `"}]}`,
	} {
		if _, err := ParseRESTConnection([]byte(body)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if text, _ := json.Marshal(RESTICEServer{URL: "turn:a", StaticAuthSecret: secret}); strings.Contains(string(text), secret) {
		t.Errorf("answered: %s", text)
	}
}

// TestRESTLists: too long, and the longest.
func TestRESTLists(t *testing.T) {
	list := func(n int, element string) string { return "[" + element + strings.Repeat(","+element, n-1) + "]" }
	parse := map[string]func(string) error{
		"to": func(l string) error { _, err := ParseRESTSignal([]byte(`{"session":"s","to":` + l + `}`)); return err },
		"customIceServers": func(l string) error {
			_, err := ParseRESTConnection([]byte(`{"customIceServers":` + l + `}`))
			return err
		},
		"allowedFilters": func(l string) error {
			_, err := ParseRESTConnection([]byte(`{"kurentoOptions":{"allowedFilters":` + l + `}}`))
			return err
		},
	}
	for name, c := range map[string]struct {
		most    int
		element string
	}{"to": {restMaxTargets, `"a"`}, "customIceServers": {restMaxICEServers, `{"url":"stun:a"}`}, "allowedFilters": {restMaxFilters, `"f"`}} {
		if err := parse[name](list(c.most, c.element)); err != nil {
			t.Errorf("%s: %d elements: %v", name, c.most, err)
		}
		if err := parse[name](list(c.most+1, c.element)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("at most %d elements", c.most)) {
			t.Errorf("%s: %d elements: %v", name, c.most+1, err)
		}
	}
}

// TestRESTNumbers: edges of what is accepted.
func TestRESTNumbers(t *testing.T) {
	recording := func(field, value string) error {
		_, err := ParseRESTSession([]byte(`{"defaultRecordingProperties":{"` + field + `":` + value + `}}`))
		return err
	}
	for field, values := range map[string]map[string]bool{
		"frameRate":  {"1": true, "120": true, "120.9": true, "0": false, "-1": false, "121": false, `"25"`: false, "1e2": true},
		"shmSize":    {"134217728": true, "134217727": false, "1099511627776": true, "1e18": false},
		"resolution": {`"100x100"`: true, `"1999x1999"`: true, `"2000x100"`: false, `"0100x100"`: false, `"100X100"`: false, `" 100x100"`: false, `"100x100x1"`: false, "7": false},
		"hasVideo":   {"true": true, "false": true, `"true"`: false, "1": false},
		"outputMode": {`"INDIVIDUAL"`: true, `"COMPOSED_QUICK_START"`: true, `"composed"`: false, `""`: false},
		"name":       {`""`: true, `"a-b_c~1"`: true, `"a/b"`: false, `"` + strings.Repeat("x", 257) + `"`: false},
	} {
		for value, want := range values {
			if err := recording(field, value); (err == nil) != want {
				t.Errorf("%s = %s: %v", field, value, err)
			}
		}
	}
	for value, want := range map[string]bool{"0": true, "1000000": true, "1000001": false, "-1": false, "1.0": true, `"5"`: true} {
		if _, err := ParseRESTConnection([]byte(`{"kurentoOptions":{"videoMaxSendBandwidth":` + value + `}}`)); (err == nil) != want {
			t.Errorf("bandwidth %s: %v", value, err)
		}
	}
}
