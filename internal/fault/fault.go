package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind says what went wrong in the words of the domain. The zero value is Internal.
type Kind string

// The kinds. A kind is added when an edge has to answer it differently from all others, and for no other reason.
const (
	Internal            Kind = "internal"             // our own failure; its text stays in the log
	Invalid             Kind = "invalid"              // a field is missing, of the wrong type or out of range
	TooLarge            Kind = "too_large"            // a size limit of ours was exceeded
	RateLimited         Kind = "rate_limited"         // too many requests from one source
	Timeout             Kind = "timeout"              // a deadline passed
	Unsupported         Kind = "unsupported"          // known, but not offered by this deployment
	UnknownMethod       Kind = "unknown_method"       // no such RPC method
	NotJoined           Kind = "not_joined"           // an RPC method before joinRoom
	Unauthorized        Kind = "unauthorized"         // credentials missing or wrong
	Forbidden           Kind = "forbidden"            // credentials are right, and do not allow it
	TokenInvalid        Kind = "token_invalid"        // token unknown, spent or of another session
	RoleDenied          Kind = "role_denied"          // the connection's role does not allow it
	SessionNotFound     Kind = "session_not_found"    //
	SessionExists       Kind = "session_exists"       // customSessionId is taken
	SessionClosed       Kind = "session_closed"       // the session is closing or closed
	SessionInactive     Kind = "session_inactive"     // the session exists, but nobody has joined it
	ConnectionNotFound  Kind = "connection_not_found" //
	ConnectionClosed    Kind = "connection_closed"    // the connection has left
	StreamNotFound      Kind = "stream_not_found"     //
	NotPublishing       Kind = "not_publishing"       // the operation needs a published stream
	AlreadyPublishing   Kind = "already_publishing"   //
	NoCapacity          Kind = "no_capacity"          // no media node can take the session
	SDPInvalid          Kind = "sdp_invalid"          // the session description cannot be used
	CodecMismatch       Kind = "codec_mismatch"       // the forced codec is not in the offer
	MediaFailed         Kind = "media_failed"         // an endpoint could not be created or connected
	SignalMalformed     Kind = "signal_malformed"     // sendMessage.message is not a JSON object
	SignalTarget        Kind = "signal_target"        // a signal is addressed to an unknown connection
	ReconnectionUnknown Kind = "reconnection_unknown" // connect with an unknown RPC session id
	NodeNotFound        Kind = "node_not_found"       // no such media node
	IPCamera            Kind = "ip_camera"            // the operation is not possible on an IP camera
	NoFilter            Kind = "no_filter"            // there is no such filter here
)

// Error is an error with a kind. Text is written for the person who sent the request: it names the field, the value
// and the remedy. It holds no secret. Where it reads "what → remedy", the cause stands between.
type Error struct {
	Kind  Kind
	Text  string
	Cause error // may be nil
}

func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Text
	}
	if what, remedy, ok := strings.Cut(e.Text, Arrow); ok {
		return what + ": " + e.Cause.Error() + Arrow + remedy
	}
	return e.Text + ": " + e.Cause.Error()
}

// All takes joined errors apart; nil is none.
func All(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error }) // the joint itself, not one inside
	if !ok {
		return []error{err}
	}
	var list []error
	for _, one := range joined.Unwrap() {
		list = append(list, All(one)...)
	}
	return list
}

// Arrow stands between what is wrong and what to do about it.
const Arrow = " → "

// Split tells what is wrong from what to do about it: at the arrow, or after the text's last semicolon. remedy is ""
// where there is neither.
func Split(err error) (what, remedy string) {
	text := err.Error()
	if what, remedy, ok := strings.Cut(text, Arrow); ok {
		return what, remedy
	}
	var e *Error
	if !errors.As(err, &e) {
		return text, ""
	}
	i := strings.LastIndex(e.Text, "; ")
	if i < 0 {
		return text, ""
	}
	what = e.Text[:i]
	if e.Cause != nil {
		what += ": " + e.Cause.Error()
	}
	return what, e.Text[i+2:]
}

func (e *Error) Unwrap() error { return e.Cause }

// New makes an error of a kind; the text is formatted as by fmt.Sprintf.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// Wrap makes an error of a kind around cause; its message is the text, a colon and the cause's.
func Wrap(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...), Cause: cause}
}

// Of returns the kind of the first *Error in err's chain, Timeout for an expired context, Internal for anything else.
func Of(err error) Kind {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Internal
}

// Is reports whether err is of that kind.
func Is(err error, kind Kind) bool { return err != nil && Of(err) == kind }
