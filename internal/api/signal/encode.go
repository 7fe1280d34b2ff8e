package signal

import (
	"net"
	"strconv"
	"strings"

	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// result is the answer to a request that succeeded. r is the session's, nil if there was nothing to say.
func (s *Server) result(method, rpc string, r any) any {
	switch r := r.(type) {
	case session.PublishResult:
		return openvidu.Publishing{SDPAnswer: r.Answer, ID: r.Stream, CreatedAt: r.CreatedAt, SessionID: rpc}
	case session.SubscribeResult:
		if method == "prepareReceiveVideoFrom" {
			return openvidu.Preparing{SDPOffer: r.SDP, SessionID: rpc}
		}
		return openvidu.Receiving{SDPAnswer: r.SDP, SessionID: rpc}
	}
	switch method {
	case "closeSession":
		return openvidu.Value{Value: "bye", SessionID: rpc}
	case "sessionStatus":
		return openvidu.Life{Life: s.cfg.Life, SessionID: rpc}
	}
	return openvidu.Done{SessionID: rpc}
}

// joining is the answer to joinRoom: everything that any release reads.
func (d *dialect) joining(rpc string, j session.JoinResult) openvidu.Joining {
	me := j.Self
	r := openvidu.Joining{
		ID: me.ID, FinalUserID: me.FinalUserID, CreatedAt: me.ActiveAt, Metadata: me.Metadata(),
		Value: []openvidu.Participant{}, Session: j.Session, Version: d.version(),
		MediaServer: d.mediaServer, Record: me.Record, Role: string(me.Role), Life: d.life, SessionID: rpc,
	}
	for _, o := range j.Others {
		p := openvidu.Participant{ID: o.ID, CreatedAt: o.ActiveAt, Metadata: o.Metadata()}
		if o.Stream != nil {
			p.Streams = []openvidu.Stream{d.stream(*o.Stream)}
		}
		r.Value = append(r.Value, p)
	}
	for _, s := range j.ICEServers {
		r.CustomICEServer = append(r.CustomICEServer, openvidu.ICEServer(s))
		if host, port, ok := turnAddress(s.URL); ok && r.CoturnIP == "" {
			r.CoturnIP, r.CoturnPort, r.TURNUsername, r.TURNCredential = host, port, s.Username, s.Credential
		}
	}
	return r
}

// turnAddress reads turn:HOST:PORT?transport=… and turns:…, for the releases that put the URL together themselves.
func turnAddress(url string) (host string, port int, ok bool) {
	scheme, rest, _ := strings.Cut(url, ":")
	if scheme != "turn" && scheme != "turns" {
		return "", 0, false
	}
	rest, _, _ = strings.Cut(rest, "?")
	host, number, err := net.SplitHostPort(rest)
	if err != nil {
		return strings.Trim(rest, "[]"), defaultTURNPort(scheme), rest != ""
	}
	port, err = strconv.Atoi(number)
	return host, port, err == nil && host != ""
}

// defaultTURNPort: RFC 7065 §3.2.
func defaultTURNPort(scheme string) int {
	if scheme == "turns" {
		return 5349
	}
	return 3478
}

// stream is a stream as this client understands it: up to 2.2 the active flags say what there is (spec §5.2).
func (d *dialect) stream(s session.Stream) openvidu.Stream {
	w := openvidu.Stream{
		ID: s.ID, CreatedAt: s.CreatedAt, HasAudio: s.Media.HasAudio, HasVideo: s.Media.HasVideo,
		AudioActive: s.Media.AudioActive, VideoActive: s.Media.VideoActive,
		TypeOfVideo: s.Media.TypeOfVideo, FrameRate: s.Media.FrameRate, VideoDimensions: s.Media.Dimensions,
	}
	if d.upTo24() {
		w.AudioActive, w.VideoActive = w.HasAudio, w.HasVideo
	}
	if !w.HasVideo {
		w.TypeOfVideo, w.VideoDimensions = "", ""
	}
	return w
}

// notification is a notice as it travels to this client; without a name there is none for it.
func (d *dialect) notification(n session.Notice) (name string, shape any) {
	switch n := n.(type) {
	case session.Joined:
		return openvidu.NameJoined, openvidu.ParticipantJoined{ID: n.Connection, CreatedAt: n.CreatedAt, Metadata: n.Metadata}
	case session.StreamPublished:
		return openvidu.NamePublished, openvidu.ParticipantPublished{ID: n.Connection, Streams: []openvidu.Stream{d.stream(n.Stream)}}
	case session.StreamUnpublished:
		return openvidu.NameUnpublished, openvidu.ParticipantGone{ConnectionID: n.Connection, Name: n.Connection, Reason: n.Reason}
	case session.Left:
		return openvidu.NameLeft, openvidu.ParticipantGone{ConnectionID: n.Connection, Name: n.Connection, Reason: n.Reason}
	case session.Evicted:
		return openvidu.NameEvicted, openvidu.ParticipantEvicted{ConnectionID: n.Connection, Reason: n.Reason}
	case session.RemoteCandidate:
		return openvidu.NameCandidate, openvidu.ICECandidate{
			SenderConnectionID: n.Endpoint, EndpointName: n.Endpoint,
			Candidate: n.Candidate.Candidate, SDPMid: n.Candidate.SDPMid, SDPMLineIndex: n.Candidate.SDPMLineIndex,
		}
	case session.Signal:
		return openvidu.NameSignal, openvidu.SignalMessage{Type: d.signalType(n.Type, n.Raw), Data: n.Data, From: n.From}
	case session.StreamChanged:
		return openvidu.NameStreamProperty, openvidu.StreamProperty{
			ConnectionID: n.Connection, StreamID: n.Stream, Property: n.Property, NewValue: n.NewValue, Reason: n.Reason,
		}
	case session.ConnectionChanged:
		return openvidu.NameConnectionProperty, openvidu.ConnectionProperty{Property: n.Property, NewValue: n.NewValue}
	case session.QualityChanged:
		return openvidu.NameQuality, openvidu.NetworkQuality{ConnectionID: n.Connection, NewValue: n.New, OldValue: n.Old}
	case session.ForcedOffer:
		return openvidu.NameForcedOffer, openvidu.ForcedOffer{ConnectionID: n.Publisher, StreamID: n.Stream, SDPOffer: n.SDP}
	}
	return "", nil
}
