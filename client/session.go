package client

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Session is a session as the server has it.
type Session struct {
	ID               string
	CustomID         string // as it was asked for, or ""
	CreatedAt        time.Time
	ForcedVideoCodec string // MEDIA_SERVER_PREFERRED, NONE, VP8, VP9, H264
	AllowTranscoding bool
	MediaMode        string
	RecordingMode    string
	Recording        bool
	Connections      []Connection // those that have joined; with Pending, those that have not too
}

// UnmarshalJSON reads the server's form (REST API reference, "The Session object").
func (s *Session) UnmarshalJSON(text []byte) error {
	var w struct {
		ID               string           `json:"id"`
		CustomID         string           `json:"customSessionId"`
		CreatedAt        moment           `json:"createdAt"`
		ForcedVideoCodec string           `json:"forcedVideoCodec"`
		AllowTranscoding bool             `json:"allowTranscoding"`
		MediaMode        string           `json:"mediaMode"`
		RecordingMode    string           `json:"recordingMode"`
		Recording        bool             `json:"recording"`
		Connections      list[Connection] `json:"connections"`
	}
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	*s = Session{
		ID: w.ID, CustomID: w.CustomID, CreatedAt: w.CreatedAt.Time, ForcedVideoCodec: w.ForcedVideoCodec,
		AllowTranscoding: w.AllowTranscoding, MediaMode: w.MediaMode, RecordingMode: w.RecordingMode,
		Recording: w.Recording, Connections: w.Connections.Content,
	}
	return nil
}

// SessionOptions are what a new session may be given. What is left zero is as the server is configured.
type SessionOptions struct {
	CustomSessionID  string `json:"customSessionId,omitempty"` // letters, digits, _ and -; "": the server chooses
	ForcedVideoCodec string `json:"forcedVideoCodec,omitempty"`
	AllowTranscoding *bool  `json:"allowTranscoding,omitempty"`
	MediaMode        string `json:"mediaMode,omitempty"`     // ROUTED
	RecordingMode    string `json:"recordingMode,omitempty"` // MANUAL or ALWAYS
}

// CreateSession makes a session. One that has the custom id already is returned as it is, as OpenVidu's own clients do:
// a session is what its id says, whoever made it.
func (c *Client) CreateSession(ctx context.Context, o SessionOptions) (*Session, error) {
	var s Session
	err := c.call(ctx, "POST", "/sessions", o, &s)
	if errors.Is(err, ErrConflict) && o.CustomSessionID != "" {
		return c.Session(ctx, o.CustomSessionID)
	}
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// Session returns a session with everybody in it; [ErrNotFound].
func (c *Client) Session(ctx context.Context, id string) (*Session, error) {
	var s Session
	if err := c.call(ctx, "GET", "/sessions"+at(id)+"?pendingConnections=true", nil, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// Sessions returns all sessions with everybody in them.
func (c *Client) Sessions(ctx context.Context) ([]Session, error) {
	var all list[Session]
	if err := c.call(ctx, "GET", "/sessions?pendingConnections=true", nil, &all); err != nil {
		return nil, err
	}
	return all.Content, nil
}

// CloseSession ends a session: everybody in it is put out with the reason sessionClosedByServer; [ErrNotFound].
func (c *Client) CloseSession(ctx context.Context, id string) error {
	return c.call(ctx, "DELETE", "/sessions"+at(id), nil, nil)
}

// Signal is a message of the application to participants.
type Signal struct {
	To   []string `json:"to,omitempty"` // connection ids; none: everybody
	Type string   `json:"type,omitempty"`
	Data string   `json:"data,omitempty"`
}

// Signal sends a message. [ErrNotFound] if there is no such session; [ErrNobody] if nobody is in it, or if one of To is
// not: then nobody got it.
func (c *Client) Signal(ctx context.Context, session string, s Signal) error {
	return c.call(ctx, "POST", "/signal", struct {
		Session string `json:"session"`
		Signal
	}{session, s}, nil)
}
