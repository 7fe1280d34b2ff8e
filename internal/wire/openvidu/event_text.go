package openvidu

import (
	"bytes"
	"encoding/json"
)

// RESTEvents answers GET /events, which is ours.
type RESTEvents struct {
	RESTList[RESTEvent]
	Oldest uint64 `json:"oldest"` // numbers that are kept; 0 and 0: none yet
	Latest uint64 `json:"latest"`
}

// RESTEvent is an event as webhooks carry it, under its number.
type RESTEvent struct {
	Number uint64          `json:"number"`
	Event  json.RawMessage `json:"event"`
}

// Headers of a webhook's request that are ours.
const (
	EventNumberHeader  = "Ov-Event-Number"  // grows by one with each event of this node, the unasked-for ones included
	EventAttemptHeader = "Ov-Event-Attempt" // 1, or more if the receiver may have seen it before
)

// EncodeEvent is the text of an event as webhooks carry it: its object, and its name under the last key.
func EncodeEvent(name string, shape any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // as the original
	if err := e.Encode(shape); err != nil {
		return nil, err
	}
	object := bytes.TrimSuffix(text.Bytes(), []byte("}\n"))
	return append(object, eventTail(name)...), nil
}

// EventLine makes a CDR file's line, without its end, of the text of an event: {"<name>":{…}}.
func EventLine(name string, text []byte) []byte {
	line := append([]byte(`{"`+name+`":`), bytes.TrimSuffix(text, eventTail(name))...)
	return append(line, "}}"...)
}

func eventTail(name string) []byte { return []byte(`,"event":"` + name + `"}`) }
