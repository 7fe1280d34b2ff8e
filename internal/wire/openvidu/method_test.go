package openvidu

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files and the reference page")

// TestRequestsAreReadAsMeant: for every method, params of several generations → the parameter struct.
func TestRequestsAreReadAsMeant(t *testing.T) {
	for _, m := range Methods {
		t.Run(m.Name, func(t *testing.T) {
			editGolden(t, filepath.Join("testdata", "requests", m.Name+".txtar"), func(a *txtar.Archive) {
				if len(a.Files) == 0 || len(a.Files)%2 != 0 {
					t.Errorf("%d files; each request stands before what it means, and there is one at least", len(a.Files))
				}
				for i := 0; i+1 < len(a.Files); i += 2 {
					if m.Params == nil {
						a.Files[i+1].Data = []byte("no parameters\n")
						continue
					}
					p := m.Params()
					if err := Decode(bytes.TrimSpace(a.Files[i].Data), p); err != nil {
						t.Errorf("%s: %v", a.Files[i].Name, err)
					}
					a.Files[i+1].Data = pretty(t, p)
				}
			})
		})
	}
}

// TestResultsAndNotifications: every shape the server sends.
func TestResultsAndNotifications(t *testing.T) {
	text, data := "signal:chat", "hi"
	ice := ICEServer{URL: "turns:203.0.113.5:4443?transport=tcp", Username: "u", Credential: "c"}
	stream := Stream{ID: "str_CAM_Ab1C_con_B", CreatedAt: 1700000000001, HasAudio: true, HasVideo: true, AudioActive: true,
		TypeOfVideo: "CAMERA", FrameRate: 30, VideoDimensions: `{"width":640,"height":480}`}
	results := map[string]any{
		"ping": Value{Value: "pong"}, "connect": Value{Value: "reconnection successful", SessionID: "rpc"}, "closeSession": Value{Value: "bye"},
		"sessionStatus": Life{Life: 1699000000000},
		"joinRoom": Joining{ID: "con_A", FinalUserID: "0123456789ABCDEF", CreatedAt: 1700000000000, Metadata: "{}", Session: "ses_A",
			Value:   []Participant{{ID: "con_B", CreatedAt: 1, Streams: []Stream{stream}}, {ID: "con_C", CreatedAt: 2, Metadata: "m"}},
			Version: Version, MediaServer: "mediasoup", Record: true, Role: "PUBLISHER", CoturnIP: "203.0.113.5", CoturnPort: 4443,
			TURNUsername: "u", TURNCredential: "c", CustomICEServer: []ICEServer{ice, {URL: "stun:s:3478"}}, Life: 1699000000000, SessionID: "rpc"},
		"publishVideo":            Publishing{SDPAnswer: "v=0\r\n", ID: "str_A", CreatedAt: 1, SessionID: "rpc"},
		"reconnectStream":         Publishing{SDPAnswer: "v=0\r\n", ID: "str_A", CreatedAt: 1, SessionID: "rpc"},
		"receiveVideoFrom":        Receiving{SDPAnswer: "v=0\r\n", SessionID: "rpc"},
		"prepareReceiveVideoFrom": Preparing{SDPOffer: "v=0\r\n", SessionID: "rpc"},
	}
	notices := map[string]any{
		NameJoined: ParticipantJoined{ID: "con_B", CreatedAt: 1, Metadata: "m"}, NamePublished: ParticipantPublished{ID: "con_B", Streams: []Stream{stream}},
		NameUnpublished: ParticipantGone{"con_B", "con_B", "unpublish"}, NameLeft: ParticipantGone{"con_B", "con_B", "disconnect"},
		NameEvicted:   ParticipantEvicted{"con_A", "sessionClosedByServer"},
		NameCandidate: ICECandidate{"con_B", "con_B", 0, "0", "candidate:1 1 udp 1 127.0.0.1 4443 typ host"},
		NameSignal:    SignalMessage{Type: &text, Data: &data, From: "con_B"}, NameStreamProperty: StreamProperty{"con_B", "str_B", "videoActive", "false", "publishVideo"},
		NameConnectionProperty: ConnectionProperty{"role", "MODERATOR"}, NameQuality: NetworkQuality{"con_B", 2, 5}, NameForcedOffer: ForcedOffer{"con_B", "str_B", "v=0\r\n"},
	}
	editGolden(t, filepath.Join("testdata", "sent.txtar"), func(a *txtar.Archive) {
		a.Files = nil
		for _, m := range Methods {
			result, ok := results[m.Name]
			if !ok {
				result = Done{SessionID: "rpc"}
			}
			if got, want := reflect.TypeOf(result), reflect.TypeOf(m.Result); got != want {
				t.Errorf("the sample of %s is a %v, not a %v", m.Name, got, want)
			}
			a.Files = append(a.Files, txtar.File{Name: m.Name + " result", Data: pretty(t, result)})
		}
		for _, n := range Notifications {
			if got, want := reflect.TypeOf(notices[n.Name]), reflect.TypeOf(n.Shape); got != want {
				t.Errorf("the sample of %s is a %v, not a %v", n.Name, got, want)
			}
			a.Files = append(a.Files, txtar.File{Name: n.Name + " notification", Data: pretty(t, notices[n.Name])})
		}
	})
}

// editGolden compares a golden file with what edit makes of it, or rewrites it.
func editGolden(t *testing.T, name string, edit func(*txtar.Archive)) {
	t.Helper()
	before, err := os.ReadFile(name)
	if err != nil && !*update {
		t.Fatal(err)
	}
	archive := txtar.Parse(before)
	edit(archive)
	after := txtar.Format(archive)
	if *update {
		if err := os.WriteFile(name, after, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(before, after) {
		t.Errorf("%s differs; now it is\n%s", name, after)
	}
}

func pretty(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTablesAreComplete: each row says what the reference page needs, each number stands once.
func TestTablesAreComplete(t *testing.T) {
	for _, m := range Methods {
		if m.Since == "" || m.Doc == "" || m.Result == nil {
			t.Errorf("method %s: %+v", m.Name, m)
		}
		if row, ok := FindMethod(m.Name); !ok || row.Doc != m.Doc {
			t.Errorf("method %s is not found, or stands twice", m.Name)
		}
		if m.Params == nil {
			continue
		}
		for f := range Fields(m.Params()) {
			if f.Name == "" || f.Doc == "" || f.Type == "" {
				t.Errorf("%s: field %+v", m.Name, f)
			}
		}
	}
	for _, n := range Notifications {
		if n.Since == "" || n.Doc == "" || n.Shape == nil {
			t.Errorf("notification %s: %+v", n.Name, n)
		}
	}
	seen := map[Code]bool{}
	for _, c := range Codes {
		if seen[c.Code] || c.Name == "" || c.Doc == "" {
			t.Errorf("code %+v", c)
		}
		seen[c.Code] = true
	}
}

func TestErrorsEndInTheirCode(t *testing.T) {
	for _, c := range Codes {
		got := Refuse(c.Code, "no %s", "way").Message()
		want := "no way. Code: "
		if c.Code == CodeReconnection {
			want = "reconnection error"
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%d: %q", c.Code, got)
		}
	}
	if got := Refuse(CodeUncaught, "x").Message(); got != "x. Code: -1" {
		t.Errorf("got %q", got)
	}
}
