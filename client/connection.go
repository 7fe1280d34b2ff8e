package client

import (
	"context"
	"encoding/json"
	"time"
)

// Role is what a participant may do.
type Role string

// The roles. A publisher may do what a subscriber may, a moderator what a publisher may.
const (
	Subscriber Role = "SUBSCRIBER" // receive streams and signals, send signals
	Publisher  Role = "PUBLISHER"  // publish
	Moderator  Role = "MODERATOR"  // end streams of others and put them out
)

// Connection is a participant, or the place kept for one.
type Connection struct {
	ID          string
	SessionID   string
	Token       string // what its client joins with, once; "" for one that came with the server's secret
	Active      bool   // it has joined
	CreatedAt   time.Time
	ActiveAt    time.Time // zero while it has not joined
	Role        Role
	Record      bool
	ServerData  string // of CreateConnection
	ClientData  string // of its client's session.connect
	Location    string // "City, Country" or "unknown"
	Address     string // IP address it has joined from
	Platform    string
	Publishers  []Stream // what it publishes: one at most
	Subscribers []Stream // what it receives
}

// Stream is one stream that a connection publishes or receives. Of one it receives only ID and CreatedAt are known.
type Stream struct {
	ID          string
	CreatedAt   time.Time
	HasAudio    bool
	HasVideo    bool
	AudioActive bool   // not muted
	VideoActive bool   // not muted
	TypeOfVideo string // CAMERA, SCREEN, CUSTOM
	FrameRate   int    // frames a second; 0: unknown
}

// UnmarshalJSON reads the server's form ("The Connection object").
func (c *Connection) UnmarshalJSON(text []byte) error {
	var w struct {
		ID          string   `json:"connectionId"`
		SessionID   string   `json:"sessionId"`
		Token       string   `json:"token"`
		Status      string   `json:"status"`
		CreatedAt   moment   `json:"createdAt"`
		ActiveAt    moment   `json:"activeAt"`
		Role        Role     `json:"role"`
		Record      bool     `json:"record"`
		ServerData  string   `json:"serverData"`
		ClientData  string   `json:"clientData"`
		Location    string   `json:"location"`
		Address     string   `json:"ip"`
		Platform    string   `json:"platform"`
		Publishers  []Stream `json:"publishers"`
		Subscribers []Stream `json:"subscribers"`
	}
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	*c = Connection{
		ID: w.ID, SessionID: w.SessionID, Token: w.Token, Active: w.Status == "active",
		CreatedAt: w.CreatedAt.Time, ActiveAt: w.ActiveAt.Time, Role: w.Role, Record: w.Record,
		ServerData: w.ServerData, ClientData: w.ClientData, Location: w.Location, Address: w.Address,
		Platform: w.Platform, Publishers: w.Publishers, Subscribers: w.Subscribers,
	}
	return nil
}

// UnmarshalJSON reads the server's form ("Publisher" and "Subscriber" of the Connection object).
func (s *Stream) UnmarshalJSON(text []byte) error {
	var w struct {
		ID        string `json:"streamId"`
		CreatedAt moment `json:"createdAt"`
		Media     struct {
			HasAudio    bool   `json:"hasAudio"`
			HasVideo    bool   `json:"hasVideo"`
			AudioActive bool   `json:"audioActive"`
			VideoActive bool   `json:"videoActive"`
			TypeOfVideo string `json:"typeOfVideo"`
			FrameRate   int    `json:"frameRate"`
		} `json:"mediaOptions"`
	}
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	m := w.Media
	*s = Stream{
		ID: w.ID, CreatedAt: w.CreatedAt.Time, HasAudio: m.HasAudio, HasVideo: m.HasVideo, AudioActive: m.AudioActive,
		VideoActive: m.VideoActive, TypeOfVideo: m.TypeOfVideo, FrameRate: m.FrameRate,
	}
	return nil
}

// ConnectionOptions are what a new connection may be given. The zero value is a publisher.
type ConnectionOptions struct {
	Role       Role        `json:"role,omitempty"`
	Data       string      `json:"data,omitempty"` // the other participants see it
	Record     *bool       `json:"record,omitempty"`
	Limits     *Limits     `json:"kurentoOptions,omitempty"`
	ICEServers []ICEServer `json:"customIceServers,omitempty"` // none: as the server is configured
}

// Limits bound a connection's video in kbit/s; nil is as the server is configured, 0 unbounded.
type Limits struct {
	MaxRecv *int `json:"videoMaxRecvBandwidth,omitempty"` // of each stream it receives
	MinRecv *int `json:"videoMinRecvBandwidth,omitempty"`
	MaxSend *int `json:"videoMaxSendBandwidth,omitempty"` // of the stream it sends
	MinSend *int `json:"videoMinSendBandwidth,omitempty"`
}

// ICEServer is a STUN or TURN server that a client is told of.
type ICEServer struct {
	URL              string `json:"url"` // "turn:turn.example.com:3478?transport=tcp"
	Username         string `json:"username,omitempty"`
	Credential       string `json:"credential,omitempty"`
	StaticAuthSecret string `json:"staticAuthSecret,omitempty"` // instead of the two: the server makes them
}

// CreateConnection makes a place in a session; its token goes to the client that is to take it. [ErrNotFound].
func (c *Client) CreateConnection(ctx context.Context, session string, o ConnectionOptions) (*Connection, error) {
	return c.connection(ctx, "POST", "/sessions"+at(session)+"/connection", o)
}

// Connection returns one; [ErrNotFound] if the session is there and it is not, [ErrInvalid] if the session is not, as
// OpenVidu answers.
func (c *Client) Connection(ctx context.Context, session, id string) (*Connection, error) {
	return c.connection(ctx, "GET", "/sessions"+at(session)+"/connection"+at(id), nil)
}

// Update is what may change of a connection; nil leaves a property as it is.
type Update struct {
	Role   *Role `json:"role,omitempty"`
	Record *bool `json:"record,omitempty"`
}

// UpdateConnection changes a connection, whether it has joined or not; its client is told. [ErrNotFound].
func (c *Client) UpdateConnection(ctx context.Context, session, id string, u Update) (*Connection, error) {
	return c.connection(ctx, "PATCH", "/sessions"+at(session)+"/connection"+at(id), u)
}

func (c *Client) connection(ctx context.Context, method, path string, body any) (*Connection, error) {
	var answer Connection
	if err := c.call(ctx, method, path, body, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// Connections returns those of a session, with those that have not joined yet; [ErrNotFound].
func (c *Client) Connections(ctx context.Context, session string) ([]Connection, error) {
	var all list[Connection]
	if err := c.call(ctx, "GET", "/sessions"+at(session)+"/connection?pendingConnections=true", nil, &all); err != nil {
		return nil, err
	}
	return all.Content, nil
}

// Disconnect puts a participant out (forceDisconnectByServer), or makes the token of one that has not joined worthless.
func (c *Client) Disconnect(ctx context.Context, session, connection string) error {
	return c.call(ctx, "DELETE", "/sessions"+at(session)+"/connection"+at(connection), nil, nil)
}

// Unpublish ends a stream (forceUnpublishByServer); [ErrNotFound].
func (c *Client) Unpublish(ctx context.Context, session, stream string) error {
	return c.call(ctx, "DELETE", "/sessions"+at(session)+"/stream"+at(stream), nil, nil)
}
