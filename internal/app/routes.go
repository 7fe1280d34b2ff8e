package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"

	"tertulia/internal/api/dashboard"
	"tertulia/internal/api/rest"
	"tertulia/internal/api/signal"
	"tertulia/internal/certs"
	"tertulia/internal/config"
	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
	"tertulia/web"
)

// settings are what GET /config shows, and where sessions take their defaults from.
func settings(c config.Config, port int) openvidu.RESTConfig {
	return completed(c, openvidu.RESTConfig{
		Domain: c.Domain, HTTPSPort: port,
		MaxRecvBandwidth: c.Bandwidth.MaxRecv, MinRecvBandwidth: c.Bandwidth.MinRecv,
		MaxSendBandwidth: c.Bandwidth.MaxSend, MinSendBandwidth: c.Bandwidth.MinSend,
		ForcedVideoCodec: c.ForcedVideoCodec, AllowTranscoding: c.AllowTranscoding,
		GarbageInterval: c.GarbageInterval, GarbageThreshold: c.GarbageThreshold,
	})
}

// routes is everything that speaks HTTP: signalling, REST, and the call page at what is left.
type routes struct {
	port     int
	changes  *live
	clients  *signal.Server
	registry *session.Registry
	checks   func(context.Context) []openvidu.RESTCheck
	journal  rest.Diagnosis
	media    *mediaNode
	told     *events
	edge     *edge
	turn     *credentials
	open     *files
	log      *slog.Logger

	api http.Handler // REST with the settings before
}

func newClients(c config.Config, registry *session.Registry, life int64, edge *edge, open *files, log *slog.Logger) *signal.Server {
	return signal.New(signal.Config{
		Sessions: signal.Local(registry), Secret: c.Secret, Log: log, MediaServer: c.MediaServer, Room: open.Room, Life: life,
		Settings: edge.joining, SecretSeen: edge.joinedBySecret, Locate: edge.locate,
	})
}

// build mounts what these settings want.
func (r *routes) build(c config.Config) (http.Handler, error) {
	shown := settings(c, r.port)
	api, err := rest.Renew(r.api, rest.Config{
		Registry: r.registry, Log: r.log, Secret: c.Secret, Settings: func() openvidu.RESTConfig { return shown }, ICEServers: iceServers(c),
		Credentials: r.edge.credentials, Strict: r.edge.strict, SecretSeen: r.edge.secretSeen, Restart: r.changes.restart,
		Deprecated: c.DeprecatedAPI, Checks: r.checks, Diagnosis: r.journal, Room: newcomers(r.open), Events: r.told, CDR: r.told.cdr.Folder,
		LogParams: rest.LogParams(c.BrowserLogs, c.StatsInterval), PlainHTTP: c.Edge.PlainHTTP, Nodes: r.media.list, NodeID: r.media.id,
		TURN: r.turn.inToken(),
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, path := range rest.Paths {
		mux.Handle(path, api)
	}
	for _, path := range []string{"/openvidu", "/room", "/openvidu/accept-certificate", "/accept-certificate"} {
		mux.Handle(path, r.clients)
	}
	mux.Handle("/openvidu/info", r.edge.info)
	mux.Handle("/", dashboard.New(dashboard.Config{
		Assets: web.Assets(), Rooms: &rooms{newcomers(r.open), r.registry, rest.Defaults(shown), net.JoinHostPort(c.Host(), strconv.Itoa(r.port)), rest.LogParams(c.BrowserLogs, c.StatsInterval)}, Mode: dashboard.Mode(c.CallPage), Log: r.log,
	}))
	r.api = api
	return mux, nil
}

func newcomers(open *files) func() error { return func() error { return open.Room(false) } }

// checks are what health adds to being up: a lone node has nobody to prove its media with (design decision 6).
func checks(keys *certs.Store, reached *reached, changes *live, more ...func() []openvidu.RESTCheck) func(context.Context) []openvidu.RESTCheck {
	return func(context.Context) []openvidu.RESTCheck {
		list := append([]openvidu.RESTCheck{{
			Name: "media", OK: true, Code: "MEDIA_UNPROVEN", Text: "a node alone cannot send media through itself from outside",
		}, changes.check()}, reached.checks()...)
		list = explained(list, certificateCheck(keys.Status()))
		for _, checks := range more {
			list = append(list, checks()...)
		}
		return list
	}
}

// explained says of the certificate what the store knows, which is more than what the door shows; whether it is right
// remains with the live check.
func explained(list []openvidu.RESTCheck, own openvidu.RESTCheck) []openvidu.RESTCheck {
	if at := slices.IndexFunc(list, func(c openvidu.RESTCheck) bool { return c.Name == own.Name }); at >= 0 && own.Code != "" {
		list[at].Code, list[at].Text = own.Code, own.Text
	}
	return list
}

func iceServers(c config.Config) []openvidu.RESTICEServer {
	var list []openvidu.RESTICEServer
	for _, s := range c.ICEServers {
		list = append(list, openvidu.RESTICEServer{
			URL: s.URL, Username: s.Username, Credential: s.Credential, StaticAuthSecret: s.StaticAuthSecret,
		})
	}
	return list
}

// rooms makes the call page's tokens; it is dashboard's Rooms.
type rooms struct {
	room     func() error
	registry *session.Registry
	defaults session.Properties
	host     string // of the URL; the page replaces it with the one it was opened at
	params   string // that follow in it
}

// Token makes the room's session unless it is there, and a place in it.
func (r *rooms) Token(ctx context.Context, room string) (string, error) {
	if err := r.room(); err != nil {
		return "", err
	}
	properties := r.defaults
	properties.CustomSessionID = room
	if _, err := r.registry.Create(ctx, properties); err != nil && !fault.Is(err, fault.SessionExists) {
		return "", err
	}
	made, err := r.registry.Do(ctx, room, session.CreateConnection{Role: session.Publisher, Record: true})
	if err != nil {
		return "", err
	}
	connection, ok := made.(*session.Connection)
	if !ok {
		return "", errors.New("createConnection answered something else")
	}
	return "wss://" + r.host + "?sessionId=" + room + "&token=" + connection.Token + r.params, nil
}
