package rest

import (
	"context"
	"net/http"
	"strings"

	"tertulia/internal/fault"
)

// operation answers one request. The response is not looked at if there is an error.
type operation func(context.Context, *request) (response, error)

// response is a status and a body: nil for none, a string for plain text, anything else for JSON.
type response struct {
	status int
	body   any
}

func ok(body any) response { return response{http.StatusOK, body} }

var noContent = response{status: http.StatusNoContent}

// route is one row of the API. Patterns are below /openvidu/api; {x} takes one segment.
type route struct {
	method, pattern string
	run             operation
	doc             string                // for the reference page
	except          map[fault.Kind]answer // where the statuses differ from the table in status.go
	public          bool                  // no authentication
	early           bool                  // served before the registry is ready
	grows           bool                  // it brings participants: refused when there is no room for them
}

// Exceptions of single resources (rest §8.0).
var (
	missingIs400 = map[fault.Kind]answer{fault.SessionNotFound: {http.StatusBadRequest, empty}}
	streamGone   = map[fault.Kind]answer{
		fault.SessionNotFound: {http.StatusBadRequest, empty}, fault.SessionInactive: {http.StatusNotFound, empty},
	}
	sessionGone = map[fault.Kind]answer{
		fault.SessionClosed: {http.StatusNotFound, empty}, fault.Timeout: {http.StatusBadRequest, withText},
	}
	tokenMissing = map[fault.Kind]answer{fault.SessionNotFound: {http.StatusNotFound, withText}}
)

var routes = []route{
	{method: "POST", pattern: "/sessions", run: createSession, grows: true,
		doc: "Make a session. Without `customSessionId` it gets an id."},
	{method: "GET", pattern: "/sessions", run: listSessions,
		doc: "List sessions; `?pendingConnections=true`, `?webRtcStats=true`."},
	{method: "GET", pattern: "/sessions/{session}", run: getSession,
		doc: "Show a session; the same flags."},
	{method: "DELETE", pattern: "/sessions/{session}", run: deleteSession, except: sessionGone,
		doc: "Close a session; everybody in it is told."},

	{method: "POST", pattern: "/sessions/{session}/connection", run: createConnection, grows: true,
		doc: "Make a connection; `token` in the answer is what its client joins with, once."},
	{method: "GET", pattern: "/sessions/{session}/connection", run: listConnections,
		doc: "List connections; `?pendingConnections=false`, `?webRtcStats=true`."},
	{method: "GET", pattern: "/sessions/{session}/connection/{connection}", run: getConnection, except: missingIs400,
		doc: "Show a connection."},
	{method: "PATCH", pattern: "/sessions/{session}/connection/{connection}", run: updateConnection,
		doc: "Change `role` or `record`; its client is told."},
	{method: "DELETE", pattern: "/sessions/{session}/connection/{connection}", run: deleteConnection, except: missingIs400,
		doc: "Put a participant out, or drop a token that is not spent."},
	{method: "GET", pattern: "/sessions/{session}/timeline", run: getTimeline,
		doc: "What happened, in order, of sessions that ended lately too; `?after=` Unix milliseconds, `?limit=` entries (at most 1,000, the default)."},
	{method: "GET", pattern: "/sessions/{session}/connection/{connection}/diagnosis", run: getDiagnosis,
		doc: "Why media does not flow to or from a participant: code, side, evidence and fix of each finding."},
	{method: "DELETE", pattern: "/sessions/{session}/stream/{stream}", run: deleteStream, except: streamGone,
		doc: "End a stream; everybody is told."},

	{method: "POST", pattern: "/tokens", run: createToken, grows: true, except: tokenMissing,
		doc: "Make a connection, in the form before 2.16."},
	{method: "POST", pattern: "/signal", run: sendSignal,
		doc: "Send a signal to `to`, or to everybody."},

	{method: "POST", pattern: "/recordings/start", run: recordingDisabled,
		doc: "Not built yet."},
	{method: "POST", pattern: "/recordings/stop/{recording}", run: recordingDisabled, doc: "Not built yet."},
	{method: "GET", pattern: "/recordings", run: recordingDisabled, doc: "Not built yet."},
	{method: "GET", pattern: "/recordings/{recording}", run: recordingDisabled, doc: "Not built yet."},
	{method: "DELETE", pattern: "/recordings/{recording}", run: recordingDisabled, doc: "Not built yet."},

	{method: "GET", pattern: "/config", run: getConfig, early: true,
		doc: "Show the settings."},
	{method: "GET", pattern: "/config/openvidu-version", run: getVersion, early: true,
		doc: "Show the release of OpenVidu whose API this is."},
	{method: "GET", pattern: "/config/openvidu-publicurl", run: getPublicURL, early: true, public: true,
		doc: "Show the address clients use."},
	{method: "GET", pattern: "/config/openvidu-recording", run: getRecording, early: true,
		doc: "Show whether recording is on."},
	{method: "GET", pattern: "/config/openvidu-recording-path", run: getRecordingPath, early: true,
		doc: "Show where recordings are kept."},
	{method: "GET", pattern: "/config/openvidu-cdr", run: getCDR, early: true,
		doc: "Show whether events are logged to a file."},
	{method: "GET", pattern: "/events", run: getEvents, early: true,
		doc: "What webhooks were told, by number, wanted there or not; `?after=` a number, `?limit=` events (at most 1,000, the default). `oldest` and `latest` say which numbers are kept."},
	{method: "GET", pattern: "/health", run: getHealth, early: true,
		doc: "Show whether all is well (200) or not (503), and why."},
}

// probes are for load balancers and stand outside the API.
var probes = map[string]operation{"/livez": getLive, "/readyz": getReady}

// lookup returns the route of a method and a path below /openvidu/api, with the values of its {}, or nil.
func lookup(method, path string) (*route, map[string]string) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i := range routes {
		if routes[i].method != method {
			continue
		}
		if values, ok := match(routes[i].pattern, path); ok {
			return &routes[i], values
		}
	}
	return nil, nil
}

func match(pattern, path string) (map[string]string, bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	values := map[string]string{}
	for i, w := range want {
		switch {
		case strings.HasPrefix(w, "{") && have[i] != "":
			values[strings.Trim(w, "{}")] = have[i]
		case w != have[i]:
			return nil, false
		}
	}
	return values, true
}

// deprecated are the paths before 2.16 and what they are now (rest §1.6); the tail of a path is kept.
var deprecated = []struct{ old, now string }{
	{"/api/", prefix + "/"},
	{"/config/", prefix + "/config/"},
	{"/config", prefix + "/config"},
	{"/cdr/", cdrPath + "/"},
	{"/cdr", cdrPath},
}

// rewrite returns the present path of a deprecated one.
func rewrite(path string) (now string, ok bool) {
	for _, d := range deprecated {
		if path == d.old || strings.HasSuffix(d.old, "/") && strings.HasPrefix(path, d.old) {
			return d.now + path[len(d.old):], true
		}
	}
	return path, false
}
