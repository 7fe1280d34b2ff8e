package signal

import (
	"encoding/json"
	"slices"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// command turns a request of connection me into the session's words. Without error and command the request is
// answered as done: it asks for nothing.
func (d *dialect) command(me, method string, params any) (session.Command, error) {
	switch p := params.(type) {
	case *openvidu.PublishVideo:
		return publish(me, p)
	case *openvidu.ReceiveVideoFrom:
		return receive(me, p)
	case *openvidu.PrepareReceiveVideoFrom:
		return session.Subscribe{Connection: me, Sender: p.Sender}, nil
	case *openvidu.UnsubscribeFromVideo:
		return session.Unsubscribe{Connection: me, Sender: p.Sender}, nil
	case *openvidu.OnICECandidate:
		return session.Candidate{Connection: me, Endpoint: p.EndpointName, Candidate: mediactl.Candidate{
			Candidate: p.Candidate, SDPMid: p.SDPMid, SDPMLineIndex: p.SDPMLineIndex,
		}}, nil
	case *openvidu.SendMessage:
		return d.clientSignal(me, p)
	case *openvidu.StreamPropertyChange:
		return session.ChangeStream{Connection: me, Property: p.Property, NewValue: string(p.NewValue), Reason: p.Reason}, nil
	case *openvidu.ReconnectStream:
		return reconnect(me, p)
	case *openvidu.ForceDisconnect:
		return session.ForceDisconnect{Connection: me, Target: p.ConnectionID}, nil
	case *openvidu.ForceUnpublish:
		return session.ForceUnpublish{Connection: me, Stream: p.StreamID}, nil
	case *openvidu.ApplyFilter:
		return session.Filter{Connection: me, Method: method, Stream: p.StreamID, Type: p.Type}, nil
	case *openvidu.FilterTarget:
		return session.Filter{Connection: me, Method: method, Stream: p.StreamID}, nil
	case *openvidu.ExecFilterMethod:
		return session.Filter{Connection: me, Method: method, Stream: p.StreamID}, nil
	case *openvidu.FilterListener:
		return session.Filter{Connection: me, Method: method, Stream: p.StreamID}, nil
	case *openvidu.SpeechToText:
		return nil, fault.New(fault.Unsupported, "Speech To Text service is not enabled")
	case *openvidu.VideoReport, *openvidu.SessionStatus:
		return nil, nil
	}
	switch method {
	case "leaveRoom", "closeSession":
		return session.Leave{Connection: me}, nil
	case "unpublishVideo":
		return session.Unpublish{Connection: me}, nil
	case "echo":
		return nil, nil
	}
	return nil, fault.New(fault.UnknownMethod, "there is no method %.40q", method)
}

// typesOfVideo are those a client publishes; "" is a stream without video.
var typesOfVideo = []string{"", "CAMERA", "SCREEN", "CUSTOM"}

// publish fills in what older releases leave out (spec §4.3).
func publish(me string, p *openvidu.PublishVideo) (session.Command, error) {
	if !slices.Contains(typesOfVideo, p.TypeOfVideo) {
		return nil, &openvidu.FieldError{Field: "typeOfVideo", Value: cut(p.TypeOfVideo, 60), Want: "CAMERA, SCREEN or CUSTOM"}
	}
	media := session.StreamMedia{
		AudioActive: or(p.AudioActive, true), VideoActive: or(p.VideoActive, true),
		TypeOfVideo: p.TypeOfVideo, FrameRate: or(p.FrameRate, -1), Dimensions: p.VideoDimensions,
	}
	media.HasAudio, media.HasVideo = or(p.HasAudio, media.AudioActive), or(p.HasVideo, media.VideoActive)
	return session.Publish{Connection: me, Offer: p.SDPOffer, Loopback: p.DoLoopback, Filter: filterType(p.Filter), Media: media}, nil
}

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// filterType is that of the filter publishVideo asks for; {} and text ask for none.
func filterType(raw json.RawMessage) string {
	var f openvidu.Filter
	if raw == nil || json.Unmarshal(raw, &f) != nil {
		return ""
	}
	return cut(f.Type, 60)
}

// receive is an offer, or the answer to ours.
func receive(me string, p *openvidu.ReceiveVideoFrom) (session.Command, error) {
	switch {
	case p.SDPOffer != "":
		return session.Subscribe{Connection: me, Sender: p.Sender, Offer: p.SDPOffer}, nil
	case p.SDPAnswer != "":
		return session.AnswerSubscription{Connection: me, Sender: p.Sender, SDP: p.SDPAnswer}, nil
	}
	return nil, &openvidu.FieldError{Field: "sdpOffer", Want: "an offer, or in sdpAnswer the answer to prepareReceiveVideoFrom"}
}

// reconnect leaves it to the session whether the stream is the caller's own: then SDPString is an offer after all.
func reconnect(me string, p *openvidu.ReconnectStream) (session.Command, error) {
	if p.SDPOffer == "" && p.SDPString == "" {
		return nil, &openvidu.FieldError{Field: "sdpString", Want: "an offer or answer, or an offer in sdpOffer"}
	}
	r := session.Reconnect{Connection: me, Stream: p.Stream, SDP: p.SDPOffer}
	if p.SDPOffer == "" {
		r.SDP, r.IsAnswer = p.SDPString, true
	}
	return r, nil
}
