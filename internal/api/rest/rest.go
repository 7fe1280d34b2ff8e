package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// Registry is what REST needs of *session.Registry; see there.
type Registry interface {
	Ready() <-chan struct{}
	Create(context.Context, session.Properties) (session.State, error)
	State(id string) (session.State, error)
	List() []session.State
	Do(ctx context.Context, id string, c session.Command) (any, error)
	Stats(ctx context.Context, id string) ([]mediactl.EndpointStats, error)
}

// Config is what New needs.
type Config struct {
	Registry Registry
	Log      *slog.Logger
	Secret   string // OPENVIDU_SECRET; must not be empty
	// Credentials are what is accepted now, in place of Secret; it is asked for each request. nil: Secret alone.
	Credentials func() []Credential
	// Strict refuses secrets that come from pages; nil: never.
	Strict func() bool
	// SecretSeen is told of each call with a secret that comes from a page; it must not wait. nil: nobody is.
	SecretSeen func(SecretUse)
	// Settings is what GET /config answers now; Version and PublicURL are filled in. HTTPSPort is the port that is really
	// open. With an empty Domain, URLs carry the host the request was sent to.
	Settings func() openvidu.RESTConfig
	// Restart takes new values of settings over, all or none, and keeps them for the next start; fault.Invalid says which
	// cannot be, and why. Values are strings, bools, json.Number, []any or map[string]any. nil: POST /restart is not there.
	// author is the caller: the name of its API key, or OPENVIDUAPP.
	Restart func(ctx context.Context, author string, changes map[string]any) error
	// ICEServers are for connections that name none; empty: clients use the built-in TURN server.
	ICEServers []openvidu.RESTICEServer
	// TURN makes the credentials in a token's URL, made at the given time: always the same for the same arguments, without
	// = & + % and #, "" for none. Only clients before 2.16 read them, and they ask port 3478 of our host: leave it nil
	// unless TURN answers there.
	TURN func(session, connection string, made time.Time) (username, credential string)
	// Deprecated serves the paths before 2.16 too, adds to answers what clients of then read, and to tokens' URLs.
	Deprecated bool
	PlainHTTP  bool // FORCE_PLAIN_HTTP: our URLs say http and ws
	// Room refuses what would bring participants that this machine has no room for, with a fault.NoCapacity that says
	// why; nil: never.
	Room func() error
	// Diagnosis tells what happened in sessions; nil: nothing is told of any.
	Diagnosis Diagnosis
	// Events tells what applications were told; nil: nothing was.
	Events Events
	// CDR is the folder of the files of events now, "" if there is none; nil: never.
	CDR func() string
	// LogParams follows in every token's URL; see the function of that name.
	LogParams string
	// Checks are shown by GET /health, and a failed one makes it DOWN; nil: none.
	Checks func(context.Context) []openvidu.RESTCheck
	// Nodes are the media nodes as they are now, without what is shown on demand but KurentoInfo; nil: none are told of.
	Nodes func() []openvidu.RESTMediaNode
	// NodeID is the media node that carries the sessions of this registry; "": not told.
	NodeID string
}

// Paths are the http.ServeMux patterns the handler of New answers. Those before 2.16 give 404 unless they are on.
var Paths = []string{
	prefix + "/", logPath, statsPath, "/livez", "/readyz", "/api/", "/config", "/config/", "/pro/", cdrPath, cdrPath + "/", "/cdr", "/cdr/",
}

const prefix = "/openvidu/api"

// api is the handler of New.
type api struct {
	Config
	*memory
	document json.RawMessage // GET /openapi.json
}

// memory is what a handler knows of its callers.
type memory struct {
	failures  failures
	reporters reporters
	restarts  restarts
}

// New makes the handler. It fails with fault.Invalid if an ICE server of the settings cannot be used.
func New(cfg Config) (http.Handler, error) { return Renew(nil, cfg) }

// Renew makes a handler with other settings that remembers what before does, a handler of this package; nil is none.
func Renew(before http.Handler, cfg Config) (http.Handler, error) {
	if cfg.Secret == "" {
		return nil, fault.New(fault.Invalid, "OPENVIDU_SECRET is empty: set it")
	}
	if err := CheckICEServers(cfg.ICEServers); err != nil {
		return nil, err
	}
	document, err := json.Marshal(openAPI(routes))
	if err != nil {
		return nil, err
	}
	remembered := &memory{restarts: restarts{started: time.Now().UnixMilli()}}
	if old, ok := before.(*api); ok {
		remembered = old.memory
	}
	return &api{Config: cfg, memory: remembered, document: document}, nil
}

// ready reports whether the registry has loaded its records.
func (a *api) ready() bool {
	select {
	case <-a.Registry.Ready():
		return true
	default:
		return false
	}
}

// connection runs a command whose answer is a connection.
func (a *api) connection(ctx context.Context, id string, c session.Command) (*session.Connection, error) {
	answer, err := a.Registry.Do(ctx, id, c)
	if err != nil {
		return nil, err
	}
	connection, ok := answer.(*session.Connection)
	if !ok {
		return nil, fmt.Errorf("session %s answered %T with %T", id, c, answer)
	}
	return connection, nil
}
