package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
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

// route is one row of the API. Patterns are below /openvidu/api; {x} takes one segment. The reference page, the OpenAPI
// document and the tests read the rows too.
type route struct {
	method, pattern string
	run             operation
	doc             string
	flags           []parameter           // of the query
	takes           *openvidu.RESTBody    // nil: a body is not read for anything
	gives           any                   // a value of the type that success answers with; nil: no body
	status          int                   // of success; 0: 200. What is not built yet has its only answer here
	also            []int                 // further statuses that come with the same body
	fails           []fault.Kind          // what it may be refused for, beside what every route may
	except          map[fault.Kind]answer // where the statuses differ from the table in status.go
	public          bool                  // no authentication
	early           bool                  // served before the registry is ready
	grows           bool                  // it brings participants: refused when there is no room for them
	old             bool                  // only below /api, with SUPPORT_DEPRECATED_API
}

// parameter is one of a query.
type parameter struct {
	name, doc string
	number    bool // a whole number; else true or false
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
	moduleOff    = map[fault.Kind]answer{fault.Unsupported: {http.StatusNotImplemented, empty}}
	nodesFixed   = map[fault.Kind]answer{fault.Unsupported: {http.StatusMethodNotAllowed, withText}}
)

// Parameters of several rows.
var (
	noPending = parameter{name: "pendingConnections", doc: "show connections whose token is not spent; false if absent"}
	pending   = parameter{name: "pendingConnections", doc: "show connections whose token is not spent; true if absent"}
	withStats = parameter{name: "webRtcStats", doc: "show descriptions, candidates and events of each endpoint"}
	nodeFlags = []parameter{
		{name: "sessions", doc: "show the sessions it carries"}, {name: "recordings", doc: "show what it records and broadcasts"},
		{name: "extra-info", doc: "show what runs on it"},
	}
)

// only makes the list of what a row may be refused for.
func only(kinds ...fault.Kind) []fault.Kind { return kinds }

var routes = []route{
	{method: "POST", pattern: "/sessions", run: createSession, grows: true,
		takes: &openvidu.RESTSessionBody, gives: openvidu.RESTSession{}, fails: only(fault.Invalid, fault.SessionExists),
		doc: "Make a session. Without `customSessionId` it gets an id."},
	{method: "GET", pattern: "/sessions", run: listSessions,
		flags: []parameter{noPending, withStats}, gives: openvidu.RESTList[openvidu.RESTSession]{},
		doc: "List sessions."},
	{method: "GET", pattern: "/sessions/{session}", run: getSession,
		flags: []parameter{noPending, withStats}, gives: openvidu.RESTSession{}, fails: only(fault.SessionNotFound),
		doc: "Show a session."},
	{method: "DELETE", pattern: "/sessions/{session}", run: deleteSession, except: sessionGone,
		status: 204, fails: only(fault.SessionNotFound, fault.SessionClosed, fault.Timeout),
		doc: "Close a session; everybody in it is told."},

	{method: "POST", pattern: "/sessions/{session}/connection", run: createConnection, grows: true,
		takes: &openvidu.RESTConnectionBody, gives: openvidu.RESTConnection{},
		fails: only(fault.Invalid, fault.SessionNotFound, fault.SessionClosed, fault.Unsupported),
		doc:   "Make a connection; `token` in the answer is what its client joins with, once."},
	{method: "GET", pattern: "/sessions/{session}/connection", run: listConnections,
		flags: []parameter{pending, withStats}, gives: openvidu.RESTList[openvidu.RESTConnection]{}, fails: only(fault.SessionNotFound),
		doc: "List connections."},
	{method: "GET", pattern: "/sessions/{session}/connection/{connection}", run: getConnection, except: missingIs400,
		gives: openvidu.RESTConnection{}, fails: only(fault.SessionNotFound, fault.ConnectionNotFound),
		doc: "Show a connection."},
	{method: "PATCH", pattern: "/sessions/{session}/connection/{connection}", run: updateConnection,
		takes: &openvidu.RESTConnectionUpdateBody, gives: openvidu.RESTConnection{},
		fails: only(fault.SessionNotFound, fault.ConnectionNotFound, fault.Invalid),
		doc:   "Change `role` or `record`; its client is told."},
	{method: "DELETE", pattern: "/sessions/{session}/connection/{connection}", run: deleteConnection, except: missingIs400,
		status: 204, fails: only(fault.SessionNotFound, fault.ConnectionNotFound),
		doc: "Put a participant out, or drop a token that is not spent."},
	{method: "GET", pattern: "/sessions/{session}/timeline", run: getTimeline,
		flags: []parameter{
			{name: "after", doc: "only what came after this time, Unix milliseconds", number: true},
			{name: "limit", doc: "entries, at most 1,000, the default", number: true},
		},
		gives: openvidu.RESTList[diagnosis.Entry]{}, fails: only(fault.Invalid, fault.SessionNotFound),
		doc: "What happened, in order, of sessions that ended lately too."},
	{method: "GET", pattern: "/sessions/{session}/connection/{connection}/diagnosis", run: getDiagnosis,
		gives: openvidu.RESTList[diagnosis.Record]{}, fails: only(fault.SessionNotFound, fault.ConnectionNotFound),
		doc: "Why media does not flow to or from a participant: code, side, evidence and fix of each finding."},
	{method: "DELETE", pattern: "/sessions/{session}/stream/{stream}", run: deleteStream, except: streamGone,
		status: 204, fails: only(fault.SessionNotFound, fault.SessionInactive, fault.StreamNotFound, fault.IPCamera),
		doc: "End a stream; everybody is told."},

	{method: "POST", pattern: "/tokens", run: createToken, grows: true, except: tokenMissing,
		takes: &openvidu.RESTTokenBody, gives: openvidu.RESTToken{}, fails: only(fault.Invalid, fault.SessionNotFound, fault.SessionClosed),
		doc: "Make a connection, in the form before 2.16."},
	{method: "POST", pattern: "/signal", run: sendSignal,
		takes: &openvidu.RESTSignalBody, fails: only(fault.Invalid, fault.SessionNotFound, fault.SessionInactive, fault.SignalTarget),
		doc: "Send a signal to `to`, or to everybody."},

	{method: "POST", pattern: "/recordings/start", run: recordingDisabled, except: moduleOff, status: 501,
		doc: "Not built yet."},
	{method: "POST", pattern: "/recordings/stop/{recording}", run: recordingDisabled, except: moduleOff, status: 501,
		doc: "Not built yet."},
	{method: "GET", pattern: "/recordings", run: recordingDisabled, except: moduleOff, status: 501,
		doc: "Not built yet."},
	{method: "GET", pattern: "/recordings/{recording}", run: recordingDisabled, except: moduleOff, status: 501,
		doc: "Not built yet."},
	{method: "DELETE", pattern: "/recordings/{recording}", run: recordingDisabled, except: moduleOff, status: 501,
		doc: "Not built yet."},
	{method: "POST", pattern: "/speech-to-text/load", run: speechDisabled, status: 501, gives: openvidu.RESTError{},
		doc: "Not built yet."},
	{method: "POST", pattern: "/speech-to-text/unload", run: speechDisabled, status: 501, gives: openvidu.RESTError{},
		doc: "Not built yet."},

	{method: "GET", pattern: "/config", run: getConfig, early: true, gives: openvidu.RESTConfig{},
		doc: "Show the settings."},
	{method: "GET", pattern: "/config/openvidu-version", run: getVersion, early: true, gives: "",
		doc: "Show the release of OpenVidu whose API this is."},
	{method: "GET", pattern: "/config/openvidu-publicurl", run: getPublicURL, early: true, public: true, gives: "",
		doc: "Show the address clients use."},
	{method: "GET", pattern: "/config/openvidu-recording", run: getRecording, early: true, gives: true,
		doc: "Show whether recording is on."},
	{method: "GET", pattern: "/config/openvidu-recording-path", run: getRecordingPath, early: true, gives: "",
		doc: "Show where recordings are kept."},
	{method: "GET", pattern: "/config/openvidu-cdr", run: getCDR, early: true, gives: true,
		doc: "Show whether events are logged to a file."},
	{method: "GET", pattern: "/getUpdateSpeakerInterval", run: getSpeakerInterval, early: true, public: true, old: true, gives: 0,
		doc: "Show a setting of 1.7 and 1.8: 1800."},
	{method: "GET", pattern: "/getThresholdSpeaker", run: getSpeakerThreshold, early: true, public: true, old: true, gives: 0,
		doc: "Show a setting of 1.7 and 1.8: -50."},
	{method: "GET", pattern: "/events", run: getEvents, early: true, flags: eventFlags, gives: openvidu.RESTEvents{}, fails: only(fault.Invalid, fault.Timeout),
		doc: "Show what webhooks were told, asked for there or not, in order; `oldest` and `latest` are the numbers that are kept."},
	{method: "GET", pattern: "/health", run: getHealth, early: true, gives: openvidu.RESTHealth{}, also: []int{409, 503},
		doc: "Show whether all is well (200), calls go on in spite of something (409) or not (503), and why."},
	{method: "POST", pattern: "/restart", run: restart, early: true, takes: &openvidu.RESTSettingsBody,
		fails: only(fault.Invalid),
		doc:   "Change settings, all that are named or none; they are kept for the next start. No call ends. Numbers and booleans may be text."},
	{method: "GET", pattern: "/status", run: getStatus, early: true, gives: openvidu.RESTStatus{},
		doc: "Show since when the server runs, and how often its settings were changed."},

	{method: "GET", pattern: "/media-nodes", run: listNodes, flags: nodeFlags, gives: openvidu.RESTList[openvidu.RESTMediaNode]{},
		doc: "List the media nodes: this server."},
	{method: "GET", pattern: "/media-nodes/{node}", run: getNode, flags: nodeFlags, gives: openvidu.RESTMediaNode{}, fails: only(fault.NodeNotFound),
		doc: "Show a media node."},
	{method: "POST", pattern: "/media-nodes", run: changeNodes, except: nodesFixed, status: 405, gives: openvidu.RESTError{},
		doc: "Not built yet."},
	{method: "PUT", pattern: "/media-nodes", run: changeNodes, except: nodesFixed, status: 405, gives: openvidu.RESTError{},
		doc: "Not built yet."},
	{method: "PATCH", pattern: "/media-nodes/{node}", run: changeNodes, except: nodesFixed, status: 405, gives: openvidu.RESTError{},
		doc: "Not built yet."},
	{method: "DELETE", pattern: "/media-nodes/{node}", run: changeNodes, except: nodesFixed, status: 405, gives: openvidu.RESTError{},
		doc: "Not built yet."},

	{method: "GET", pattern: "/openapi.json", run: getOpenAPI, early: true, gives: json.RawMessage{},
		doc: "Show this API as an OpenAPI document."},
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
	{"/pro/", prefix + "/"},
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
