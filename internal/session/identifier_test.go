package session

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestIdentifiers(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		id, rpc := RandomID("ses_", 10), NewRPC("node-key")
		if !regexp.MustCompile(`^ses_[A-Z][A-Za-z0-9]{9}$`).MatchString(id) {
			t.Fatal(id)
		}
		if !regexp.MustCompile(`^node-k[0-9a-v]{20}$`).MatchString(rpc) {
			t.Fatal(rpc)
		}
		if seen[id] || seen[rpc] {
			t.Fatal("drawn twice")
		}
		seen[id], seen[rpc] = true, true
	}
	if rpc := NewRPC(""); len(rpc) != 26 {
		t.Fatal(rpc)
	}
}

func TestCustomConnectionID(t *testing.T) {
	for data, want := range map[string]string{
		`{"openviduCustomConnectionId":"alice"}`:                     "con_alice",
		`{"openviduCustomConnectionId":"con_a-l.i ce_1","x":1}`:      "con_alice_1",
		`{"openviduCustomConnectionId":"con_"}`:                      "",
		`{"openviduCustomConnectionId":"x_str_CAM_1_cocon_n_y"}`:     "con_x_str_CAM_1_y",
		`{"openviduCustomConnectionId":"é"}`:                         "",
		`{"openviduCustomConnectionId":7}`:                           "",
		`{"OPENVIDUCUSTOMCONNECTIONID":"alice"}`:                     "",
		`openviduCustomConnectionId`:                                 "",
		`["openviduCustomConnectionId"]`:                             "",
		`{"a":{"openviduCustomConnectionId":"alice"}}`:               "",
		`{"openviduCustomConnectionId":"` + strings.Repeat("x", 200): "",
	} {
		if got := customConnectionID(data); got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}

func TestMetadata(t *testing.T) {
	for _, c := range []struct{ client, server, want string }{
		{"", "", ""}, {"a", "", "a"}, {"", "b", "b"}, {"a", "b", "a%/%b"},
	} {
		if got := (&Connection{ClientData: c.client, ServerData: c.server}).Metadata(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestCopy: a copy is equal and shares nothing.
func TestCopy(t *testing.T) {
	kbps := 100
	s := State{ID: "ses", Connections: []*Connection{{
		ID: "con_1", Kurento: &KurentoOptions{VideoMaxRecvBandwidth: &kbps, AllowedFilters: []string{"f"}},
		ICEServers: []ICEServer{{URL: "turn:x"}}, Stream: &Stream{ID: "str"},
		Subscriptions: []*Subscription{{Stream: "str", parked: &parked{offer: "o"}}},
	}}}
	before, _ := json.Marshal(s)
	d := s.Copy()
	if after, _ := json.Marshal(d); string(after) != string(before) {
		t.Fatalf("%s\n%s", before, after)
	}
	shares(t, "State", reflect.ValueOf(s), reflect.ValueOf(d))
	if d.Connections[0].Subscriptions[0].parked != nil {
		t.Fatal("a request was copied")
	}
}

func shares(t *testing.T, path string, a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Pointer, reflect.Slice:
		if a.IsNil() || b.IsNil() {
			return
		}
		if a.Pointer() == b.Pointer() {
			t.Errorf("%s is shared", path)
		}
		if a.Kind() == reflect.Pointer {
			shares(t, path, a.Elem(), b.Elem())
			return
		}
		for i := range a.Len() {
			shares(t, path, a.Index(i), b.Index(i))
		}
	case reflect.Struct:
		for i := range a.NumField() {
			shares(t, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	}
}

func FuzzCustomConnectionID(f *testing.F) {
	f.Add(`{"openviduCustomConnectionId":"alice"}`)
	f.Add(`{"openviduCustomConnectionId":"ccon_on_"}`)
	f.Add(`{"openviduCustomConnectionId":`)
	allowed := regexp.MustCompile(`^(con_[A-Za-z0-9_]{1,128})?$`)
	f.Fuzz(func(t *testing.T, data string) {
		if id := customConnectionID(data); !allowed.MatchString(id) || strings.Count(id, "con_") > 1 {
			t.Fatalf("%q", id)
		}
	})
}

func FuzzChange(f *testing.F) {
	f.Add("audioActive", "true")
	f.Add("videoDimensions", `"{\"width\":1}"`)
	f.Add("videoTrack", `{"label":"x"}`)
	f.Add("filter", `{}`)
	f.Fuzz(func(t *testing.T, property, value string) {
		m := camera
		if m.change(property, value) != nil && (m.AudioActive != camera.AudioActive || m.VideoActive != camera.VideoActive) {
			t.Fatal("a refused value was kept")
		}
		if _, err := json.Marshal(m); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzRecord: whatever a store holds, no record brings a rule to panic.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"id":"ses"}`))
	f.Add([]byte(`{"id":"ses","active":true,"connections":[null,{"id":"a","activeAt":1}]}`))
	f.Add([]byte(`{"id":"ses","active":true,"connections":[{"id":"a","activeAt":1,"stream":{"id":"s","phase":"lost"}}]}`))
	f.Add([]byte(`{"id":"ses","closing":"x","connections":[{"id":"a"},{"id":"a"}]}`))
	f.Fuzz(func(t *testing.T, record []byte) {
		s, err := readRecord("ses", record)
		if err != nil {
			return
		}
		w := newWorld(t, Properties{})
		w.state = s
		w.do(Origin{}, restarted{Epoch: 2})
		for _, c := range s.Copy().Connections {
			w.rpc[c.ID] = c.RPC
			w.client(c.ID, "1", Subscribe{Sender: "s", Offer: "o"})
			w.client(c.ID, "2", Leave{})
		}
	})
}
