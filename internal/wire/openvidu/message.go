package openvidu

import (
	"encoding/json"
	"strings"
)

// SendMessage carries a signal as JSON text.
type SendMessage struct {
	Message string `json:"message" must:"yes" max:"65536" doc:"JSON text {to: [connection ids], data: string, type: string}"`
}

// Signal is the text of SendMessage. An empty To means everybody.
type Signal struct {
	To         []string
	Type, Data *string // nil: absent
}

// maxTargets bounds whom one signal names.
const maxTargets = 10_000

// ParseSignal reads the text of SendMessage; the error is a *[CodeError] of code 600 or 601.
func ParseSignal(text string) (Signal, error) {
	var m struct {
		To   json.RawMessage `json:"to"`
		Type json.RawMessage `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") || json.Unmarshal([]byte(text), &m) != nil {
		return Signal{}, Refuse(CodeSignalFormat, "message %s is not JSON text of an object {to, data, type}", shortText(text))
	}
	var s Signal
	var ids []*string
	if m.To != nil && json.Unmarshal(m.To, &ids) != nil {
		return Signal{}, Refuse(CodeSignalTo, "to %s is not a list of connection ids", shortText(string(m.To)))
	}
	if len(ids) > maxTargets {
		return Signal{}, Refuse(CodeSignalTo, "to lists %d connections; %d are allowed", len(ids), maxTargets)
	}
	for _, id := range ids {
		if id == nil {
			return Signal{}, Refuse(CodeSignalTo, "to holds null; list connection ids, or leave it out to reach everybody")
		}
		s.To = append(s.To, *id)
	}
	var ok bool
	if s.Type, ok = textOf(m.Type); !ok {
		return Signal{}, Refuse(CodeSignalFormat, "type %s is not a string", shortText(string(m.Type)))
	}
	if s.Data, ok = textOf(m.Data); !ok {
		return Signal{}, Refuse(CodeSignalFormat, "data %s is not a string; stringify it", shortText(string(m.Data)))
	}
	return s, nil
}

// textOf reads a text. Numbers and booleans are taken as they are written: what applications pass as data is not
// checked by the clients, and the original takes them too.
func textOf(raw json.RawMessage) (text *string, ok bool) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, true
	case raw[0] == '{' || raw[0] == '[':
		return nil, false
	case raw[0] != '"':
		s := string(raw)
		return &s, true
	}
	return text, json.Unmarshal(raw, &text) == nil
}

// Signal types have a prefix on the wire from 2.9 on, of which the applications know nothing; before, they travelled
// as they were, and "" was a signal without type (spec §5.7).
const (
	signalPrefix = "signal:"
	signalPlain  = "signal:signal"
)

// PrefixSignal turns the type of a client up to 2.8, or of REST, into the newer form. changed is false if it was that.
func PrefixSignal(kind string) (prefixed string, changed bool) {
	switch {
	case strings.HasPrefix(kind, signalPrefix):
		return kind, false
	case kind == "" || kind == "signal":
		return signalPlain, true
	}
	return signalPrefix + kind, true
}

// StripSignal turns a type into the form that clients up to 2.8 understand.
func StripSignal(kind string) string {
	if kind == signalPlain {
		return ""
	}
	return strings.TrimPrefix(kind, signalPrefix)
}

// shortText quotes a value for an error message, cut to a readable length.
func shortText(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return "`" + s + "`"
}
