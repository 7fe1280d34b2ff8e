package rest

import (
	"net/http"

	"tertulia/internal/fault"
)

// answer is how a fault is told: the status, and whether a body goes with it.
type answer struct {
	status int
	body   bool
}

const (
	withText = true // an openvidu.RESTError
	empty    = false
)

// answers is the table from fault to HTTP (rest §8.0); a kind that is not here is 500 with a text.
var answers = map[fault.Kind]answer{
	fault.Invalid:            {http.StatusBadRequest, withText},
	fault.TooLarge:           {http.StatusRequestEntityTooLarge, withText},
	fault.RateLimited:        {http.StatusTooManyRequests, withText},
	fault.Timeout:            {http.StatusGatewayTimeout, withText},
	fault.Unsupported:        {http.StatusNotImplemented, withText},
	fault.NoCapacity:         {http.StatusServiceUnavailable, withText},
	fault.Unauthorized:       {http.StatusUnauthorized, empty},
	fault.Forbidden:          {http.StatusForbidden, withText},
	fault.SessionNotFound:    {http.StatusNotFound, empty},
	fault.SessionClosed:      {http.StatusNotFound, withText},
	fault.SessionExists:      {http.StatusConflict, empty},
	fault.SessionInactive:    {http.StatusNotAcceptable, empty},
	fault.SignalTarget:       {http.StatusNotAcceptable, withText},
	fault.ConnectionNotFound: {http.StatusNotFound, empty},
	fault.ConnectionClosed:   {http.StatusNotFound, empty},
	fault.StreamNotFound:     {http.StatusNotFound, empty},
	fault.NotPublishing:      {http.StatusNotFound, empty},
	fault.NodeNotFound:       {http.StatusNotFound, withText},
	fault.IPCamera:           {http.StatusMethodNotAllowed, empty},
}

// answerTo finds how err is told to the caller of a route, and with what text. The text of our own failures stays in
// the log.
func answerTo(err error, r *route) (answer, string) {
	kind := fault.Of(err)
	a, known := answers[kind]
	if r != nil {
		if special, ok := r.except[kind]; ok {
			a, known = special, true
		}
	}
	if !known {
		return answer{http.StatusInternalServerError, withText}, "internal error: see the server's log"
	}
	return a, err.Error()
}
