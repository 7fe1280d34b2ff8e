package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// What an [*Error] may be, for errors.Is.
var (
	ErrInvalid      = errors.New("the request is not valid")                        // 400, 422
	ErrUnauthorized = errors.New("the secret is wrong, or may not do this")         // 401, 403
	ErrNotFound     = errors.New("no such session, connection or stream")           // 404
	ErrNotAllowed   = errors.New("not possible for this kind of thing")             // 405
	ErrNobody       = errors.New("nobody is there: the session is not active")      // 406
	ErrConflict     = errors.New("it is there already, or in a state against this") // 409
	ErrUnavailable  = errors.New("the server cannot do it now")                     // 501, 503
)

var kinds = map[int]error{
	http.StatusBadRequest: ErrInvalid, http.StatusUnprocessableEntity: ErrInvalid,
	http.StatusUnauthorized: ErrUnauthorized, http.StatusForbidden: ErrUnauthorized,
	http.StatusNotFound: ErrNotFound, http.StatusMethodNotAllowed: ErrNotAllowed, http.StatusNotAcceptable: ErrNobody,
	http.StatusConflict:       ErrConflict,
	http.StatusNotImplemented: ErrUnavailable, http.StatusServiceUnavailable: ErrUnavailable,
}

// Error is an answer that is no success.
type Error struct {
	Method, Path string // of the request
	Status       int    // HTTP status
	Text         string // the server's words; "" if it had none
}

func (e *Error) Error() string {
	text := e.Text
	if text == "" {
		text = http.StatusText(e.Status)
	}
	return fmt.Sprintf("%s %s: %d: %s", e.Method, e.Path, e.Status, text)
}

// Is tells which of the errors above it is.
func (e *Error) Is(target error) bool { return kinds[e.Status] == target }

// refusal reads the body of an answer: OpenVidu's error object (its key "message"), or plain text.
func refusal(method, path string, status int, body []byte) error {
	var answer struct {
		Message string `json:"message"`
	}
	text := strings.TrimSpace(string(body))
	if json.Unmarshal(body, &answer) == nil {
		text = answer.Message
	}
	return &Error{Method: method, Path: path, Status: status, Text: text}
}
