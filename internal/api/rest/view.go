package rest

import (
	"cmp"
	"strings"

	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// sessionView shows a session. A session made inside the server (the call page) may have left properties open.
func (r *request) sessionView(s session.State, pending bool, stats endpoints) openvidu.RESTSession {
	p := s.Properties
	view := openvidu.RESTSession{
		ID:                         s.ID,
		Object:                     "session",
		SessionID:                  s.ID,
		CreatedAt:                  s.CreatedAt,
		MediaMode:                  cmp.Or(p.MediaMode, "ROUTED"),
		RecordingMode:              cmp.Or(p.RecordingMode, "MANUAL"),
		DefaultRecordingProperties: recordingView(p.DefaultRecording),
		CustomSessionID:            p.CustomSessionID,
		ForcedVideoCodec:           cmp.Or(p.ForcedVideoCodec, openvidu.RESTMediaServerPreferred),
		AllowTranscoding:           p.AllowTranscoding,
		Connections:                r.connectionViews(s, pending, stats),
	}
	if p.MediaNode != "" {
		view.MediaNode = &openvidu.RESTMediaNodeID{ID: p.MediaNode}
	}
	if s.Active {
		view.MediaNodeID = r.NodeID
	}
	if r.Deprecated {
		view.RESTOldRecording = view.DefaultRecordingProperties.Old()
	}
	return view
}

// connectionViews shows a session's connections, without the recorder, and pending ones only if asked for.
func (r *request) connectionViews(s session.State, pending bool, stats endpoints) openvidu.RESTList[openvidu.RESTConnection] {
	var views []openvidu.RESTConnection
	for _, c := range s.Connections {
		if !c.Recorder && (pending || c.ActiveAt != 0) {
			views = append(views, r.connectionView(s.ID, c, stats))
		}
	}
	return openvidu.NewRESTList(views)
}

func (r *request) connectionView(sessionID string, c *session.Connection, stats endpoints) openvidu.RESTConnection {
	role := string(c.Role)
	view := openvidu.RESTConnection{
		ID:               c.ID,
		ConnectionID:     c.ID,
		Object:           "connection",
		Status:           openvidu.RESTPending,
		SessionID:        sessionID,
		CreatedAt:        c.CreatedAt,
		Type:             openvidu.RESTWebRTC,
		Record:           c.Record,
		Role:             &role,
		KurentoOptions:   (*openvidu.RESTKurentoOptions)(c.Kurento),
		CustomICEServers: make([]openvidu.RESTICEServer, len(c.ICEServers)),
		ServerData:       c.ServerData,
	}
	for i, s := range c.ICEServers {
		view.CustomICEServers[i] = openvidu.RESTICEServer{URL: s.URL, Username: s.Username, Credential: s.Credential}
	}
	if c.Token != "" {
		token := r.tokenURL(sessionID, c)
		view.Token = &token
	}
	if c.ActiveAt != 0 {
		activate(&view, c, stats)
	}
	if !r.who.Scope.secrets() {
		hide(&view)
	}
	return view
}

// activate adds what only an active connection has.
func activate(view *openvidu.RESTConnection, c *session.Connection, stats endpoints) {
	location := cmp.Or(c.Location, "unknown")
	view.Status = openvidu.RESTActive
	view.ActiveAt = &c.ActiveAt
	view.Location = &location
	view.Platform = &c.Platform
	view.ClientData = &c.ClientData
	if c.Address != "" {
		view.IP = &c.Address
	}
	view.Publishers = []openvidu.RESTPublisher{}
	if s := c.Stream; s != nil && s.Phase != session.Publishing {
		view.Publishers = append(view.Publishers, openvidu.RESTPublisher{
			CreatedAt: s.CreatedAt, StreamID: s.ID, MediaOptions: mediaOptions(s.Media), RESTStats: stats.of(c.ID, s.CreatedAt),
		})
	}
	view.Subscribers = []openvidu.RESTSubscriber{}
	for _, s := range c.Subscriptions {
		if s.Since == 0 { // it has not begun, for events either
			continue
		}
		view.Subscribers = append(view.Subscribers, openvidu.RESTSubscriber{
			CreatedAt: s.CreatedAt, StreamID: s.Stream, RESTStats: stats.of(c.ID+"_"+s.Stream, s.CreatedAt),
		})
	}
}

func mediaOptions(m session.StreamMedia) openvidu.RESTMediaOptions {
	o := openvidu.RESTMediaOptions{HasAudio: m.HasAudio, HasVideo: m.HasVideo}
	if m.HasAudio {
		o.AudioActive = &m.AudioActive
	}
	if m.HasVideo {
		o.RESTVideoOptions = &openvidu.RESTVideoOptions{VideoActive: m.VideoActive, TypeOfVideo: m.TypeOfVideo}
		if m.FrameRate >= 0 {
			o.FrameRate = &m.FrameRate
		}
		if m.Dimensions != "" {
			o.VideoDimensions = &m.Dimensions
		}
	}
	return o
}

// recordingProperties keeps what was asked for; recordingView shows it.
func recordingProperties(p openvidu.RESTRecordingProperties) session.RecordingProperties {
	kept := session.RecordingProperties{Name: p.Name, HasAudio: p.HasAudio, HasVideo: p.HasVideo, OutputMode: p.OutputMode}
	if c := p.RESTComposition; c != nil {
		kept.RecordingLayout, kept.CustomLayout, kept.Resolution = c.RecordingLayout, c.CustomLayout, c.Resolution
		kept.FrameRate, kept.ShmSize = c.FrameRate, c.ShmSize
	}
	kept.MediaNode = p.MediaNode
	if p.IgnoreFailedStreams != nil {
		kept.IgnoreFailedStreams = *p.IgnoreFailedStreams
	}
	return kept
}

func recordingView(p session.RecordingProperties) openvidu.RESTRecordingProperties {
	if p.OutputMode == "" {
		return openvidu.DefaultRESTRecordingProperties()
	}
	view := openvidu.RESTRecordingProperties{Name: p.Name, HasAudio: p.HasAudio, HasVideo: p.HasVideo, OutputMode: p.OutputMode, MediaNode: p.MediaNode}
	switch {
	case !strings.HasPrefix(p.OutputMode, "COMPOSED"):
		view.IgnoreFailedStreams = &p.IgnoreFailedStreams
	case p.HasVideo:
		view.RESTComposition = &openvidu.RESTComposition{
			RecordingLayout: p.RecordingLayout, CustomLayout: p.CustomLayout, Resolution: p.Resolution,
			FrameRate: p.FrameRate, ShmSize: p.ShmSize,
		}
	}
	return view
}
