package jsonrpc

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The error codes of the protocol itself (JSON-RPC 2.0 §5.1).
const (
	CodeParse   = -32700 // the frame is not JSON
	CodeInvalid = -32600 // the JSON is not a request
)

// DefaultMaxDepth bounds how deep a frame may nest; a request needs three levels.
const DefaultMaxDepth = 32

// maxID bounds a request's id, which is echoed.
const maxID = 128

// Message is one frame from a client: a request (Method and ID), a notification (Method only) or a response to a
// request of ours (ID only). Its parts are slices of the frame, verbatim.
type Message struct {
	ID      json.RawMessage // a number or string; nil if absent or null
	Method  string
	Params  json.RawMessage // an object or array; nil if absent or null
	Result  json.RawMessage // of a response
	Failure json.RawMessage // of a response: its error
}

// IsResponse says that the message answers a request of ours.
func (m Message) IsResponse() bool { return m.Method == "" }

// Error is the error member of a response.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

func (e *Error) Error() string { return e.Message }

func failf(code int, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Parse reads one frame. On an error the message has at most its ID, which the error should be sent to.
func Parse(frame []byte, maxDepth int) (Message, *Error) {
	frame = bytes.TrimLeft(frame, " \t\r\n")
	if deeper(frame, maxDepth) {
		return Message{}, failf(CodeInvalid, "the message is nested deeper than %d levels", maxDepth)
	}
	if len(frame) > 0 && frame[0] == '[' {
		return Message{}, failf(CodeInvalid, "batches are not supported; send one request per frame")
	}
	var m struct {
		Version json.RawMessage `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  json.RawMessage `json:"method"`
		Params  json.RawMessage `json:"params"`
		Result  json.RawMessage `json:"result"`
		Error   json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(frame, &m); err != nil {
		return Message{}, failf(CodeParse, "the frame is not a JSON object: %v", err)
	}
	id, err := parseID(present(m.ID))
	if err != nil {
		return Message{}, err
	}
	if string(m.Version) != `"2.0"` {
		return Message{ID: id}, failf(CodeInvalid, `member jsonrpc must be "2.0"`)
	}
	return assemble(id, present(m.Method), present(m.Params), present(m.Result), present(m.Error))
}

func assemble(id, method, params, result, failure json.RawMessage) (Message, *Error) {
	if method == nil {
		if id == nil || (result == nil) == (failure == nil) {
			return Message{ID: id}, failf(CodeInvalid, "a message has a method, or an id and either result or error")
		}
		return Message{ID: id, Result: result, Failure: failure}, nil
	}
	var name string
	if json.Unmarshal(method, &name) != nil || name == "" {
		return Message{ID: id}, failf(CodeInvalid, "member method must be the name of a method")
	}
	if params != nil && params[0] != '{' && params[0] != '[' {
		return Message{ID: id}, failf(CodeInvalid, "member params must be an object")
	}
	return Message{ID: id, Method: name, Params: params}, nil
}

// parseID accepts a number or a string and keeps it as it was written.
func parseID(raw json.RawMessage) (json.RawMessage, *Error) {
	switch {
	case raw == nil:
		return nil, nil
	case len(raw) > maxID:
		return nil, failf(CodeInvalid, "member id has %d bytes; %d are allowed", len(raw), maxID)
	case raw[0] == '"' || raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		return raw, nil
	}
	return nil, failf(CodeInvalid, "member id must be a number or a string")
}

// present treats null as absent.
func present(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	return raw
}

// deeper reports whether arrays and objects nest deeper than most levels. It runs before the parser, whose own bound
// (10,000) is far above what any client sends.
func deeper(frame []byte, most int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(frame); i++ {
		switch c := frame[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > most {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
