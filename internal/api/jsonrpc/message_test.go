package jsonrpc

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		frame string
		want  Message
		code  int
	}{
		"request":          {frame: `{"jsonrpc":"2.0","method":"ping","params":{"interval":5000},"id":0}`, want: Message{ID: raw(`0`), Method: "ping", Params: raw(`{"interval":5000}`)}},
		"no params":        {frame: ` {"jsonrpc":"2.0","method":"ping","id":7}`, want: Message{ID: raw(`7`), Method: "ping"}},
		"null params":      {frame: `{"jsonrpc":"2.0","method":"ping","params":null,"id":7}`, want: Message{ID: raw(`7`), Method: "ping"}},
		"id verbatim":      {frame: `{"jsonrpc":"2.0","method":"m","id":1.50e3}`, want: Message{ID: raw(`1.50e3`), Method: "m"}},
		"string id":        {frame: `{"jsonrpc":"2.0","method":"m","id":"\u0061"}`, want: Message{ID: raw(`"\u0061"`), Method: "m"}},
		"notification":     {frame: `{"jsonrpc":"2.0","method":"m","id":null}`, want: Message{Method: "m"}},
		"response":         {frame: `{"jsonrpc":"2.0","result":"push","id":"a"}`, want: Message{ID: raw(`"a"`), Result: raw(`"push"`)}},
		"error response":   {frame: `{"jsonrpc":"2.0","error":{},"id":"a"}`, want: Message{ID: raw(`"a"`), Failure: raw(`{}`)}},
		"unknown member":   {frame: `{"jsonrpc":"2.0","method":"m","id":1,"x":[1]}`, want: Message{ID: raw(`1`), Method: "m"}},
		"brackets in text": {frame: `{"jsonrpc":"2.0","method":"[[[[[[[[[\"{{{{","id":1}`, want: Message{ID: raw(`1`), Method: `[[[[[[[[["{{{{`}},

		"empty":           {frame: ``, code: CodeParse},
		"not JSON":        {frame: `hello`, code: CodeParse},
		"cut":             {frame: `{"jsonrpc":"2.0","method":"ping","id":`, code: CodeParse},
		"a number":        {frame: `7`, code: CodeParse},
		"batch":           {frame: `[{"jsonrpc":"2.0","method":"ping","id":1}]`, code: CodeInvalid},
		"null":            {frame: `null`, code: CodeInvalid},
		"no version":      {frame: `{"method":"ping","id":3}`, code: CodeInvalid, want: Message{ID: raw(`3`)}},
		"other version":   {frame: `{"jsonrpc":"1.0","method":"ping","id":3}`, code: CodeInvalid, want: Message{ID: raw(`3`)}},
		"version number":  {frame: `{"jsonrpc":2.0,"method":"ping","id":3}`, code: CodeInvalid, want: Message{ID: raw(`3`)}},
		"no method":       {frame: `{"jsonrpc":"2.0","id":3}`, code: CodeInvalid, want: Message{ID: raw(`3`)}},
		"empty method":    {frame: `{"jsonrpc":"2.0","method":"","id":3}`, code: CodeInvalid, want: Message{ID: raw(`3`)}},
		"method a number": {frame: `{"jsonrpc":"2.0","method":4,"id":3}`, code: CodeInvalid, want: Message{ID: raw(`3`)}},
		"params a string": {frame: `{"jsonrpc":"2.0","method":"m","params":"x","id":3}`, code: CodeInvalid, want: Message{ID: raw(`3`)}},
		"id an object":    {frame: `{"jsonrpc":"2.0","method":"m","id":{}}`, code: CodeInvalid},
		"id too long":     {frame: `{"jsonrpc":"2.0","method":"m","id":"` + strings.Repeat("x", 200) + `"}`, code: CodeInvalid},
		"both":            {frame: `{"jsonrpc":"2.0","result":1,"error":{},"id":3}`, code: CodeInvalid, want: Message{ID: raw(`3`)}},
		"deep":            {frame: `{"jsonrpc":"2.0","method":"m","id":1,"params":[[[[[[[[]]]]]]]]}`, code: CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			got, bad := Parse([]byte(c.frame), 8)
			switch {
			case c.code != 0 && (bad == nil || bad.Code != c.code):
				t.Errorf("error = %v, want code %d", bad, c.code)
			case c.code == 0 && bad != nil:
				t.Errorf("unexpected error %v", bad)
			}
			if a, b := show(got), show(c.want); a != b {
				t.Errorf("got %s, want %s", a, b)
			}
			if got.IsResponse() != (c.want.Method == "") {
				t.Errorf("IsResponse = %v", got.IsResponse())
			}
		})
	}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func show(m Message) string {
	return strings.Join([]string{m.Method, string(m.ID), string(m.Params), string(m.Result), string(m.Failure)}, "|")
}

// FuzzParse: whatever comes, a message that is accepted can be answered: its id goes back as valid JSON.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","method":"ping","params":{"interval":5000},"id":0}`,
		`{"jsonrpc":"2.0","result":"push","id":"a"}`,
		`[{"jsonrpc":"2.0"}]`, `{"jsonrpc":"2.0","method":"m","id":1e999}`, `{"id":-}`, "\"\\", `{"a":{"a":{"a":{}}}}`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, bad := Parse(frame, 4)
		if bad != nil && (m.Method != "" || bad.Code == 0 || bad.Message == "") {
			t.Fatalf("%q: error %v with %s", frame, bad, show(m))
		}
		if bad == nil && m.ID == nil && m.Method == "" {
			t.Fatalf("%q: neither request nor response", frame)
		}
		if m.ID != nil && !json.Valid(m.ID) {
			t.Fatalf("%q: id %q is not JSON", frame, m.ID)
		}
	})
}
