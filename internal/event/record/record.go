package record

import (
	"fmt"

	"tertulia/internal/event"
	"tertulia/internal/wire/openvidu"
)

// Record is an event as OpenVidu tells it.
type Record struct {
	Name string // of openvidu.Events
	Text []byte // the JSON object, with its name under the last key, "event"
}

// Of translates (spec openvidu-events §4). It is false for what OpenVidu does not tell: sockets, transports, refusals,
// new transports of what was told before, what recorders do, and a session that was collected because nobody came.
func Of(e event.Event) (Record, bool) {
	name, shape := shapeOf(e)
	if shape == nil || e.Hidden {
		return Record{}, false
	}
	text, err := openvidu.EncodeEvent(name, shape)
	return Record{Name: name, Text: text}, err == nil // shapes hold texts and numbers: they can be encoded
}

func shapeOf(e event.Event) (name string, shape any) {
	head := headOf(e)
	switch b := e.Body.(type) {
	case event.SessionCreated:
		return openvidu.EventSessionCreated, openvidu.EventSession{EventHead: head}
	case event.SessionEnded:
		if b.Reason == "" {
			return "", nil
		}
		return openvidu.EventSessionDestroyed, openvidu.EventSession{EventHead: head, EventEnd: endOf(e, e.Began, ofSession(b.Reason))}
	case event.Joined:
		return openvidu.EventParticipantJoined, participant(e, b, nil)
	case event.Left:
		return openvidu.EventParticipantLeft, participant(e, b.Joined, endOf(e, b.Since, b.Reason))
	case event.Published:
		if b.Again {
			return "", nil
		}
		return openvidu.EventWebRTCCreated, connection(e, b.Stream, "", b.Media, nil)
	case event.Unpublished:
		return openvidu.EventWebRTCDestroyed, connection(e, b.Stream, "", b.Media, endOf(e, b.Since, b.Reason))
	case event.Subscribed:
		if b.Again {
			return "", nil
		}
		return openvidu.EventWebRTCCreated, connection(e, b.Stream, b.Publisher, b.Media, nil)
	case event.Unsubscribed:
		return openvidu.EventWebRTCDestroyed, connection(e, b.Stream, b.Publisher, b.Media, endOf(e, b.Since, b.Reason))
	case event.SignalSent:
		return openvidu.EventSignalSent, openvidu.EventSignal{
			EventHead: head, From: given(e.Connection), To: append([]string{}, b.To...), Type: b.Type, Data: b.Data,
		}
	case event.Diagnosed:
		return openvidu.EventDiagnosis, diagnosed(e, b)
	}
	return "", nil
}

func headOf(e event.Event) openvidu.EventHead {
	return openvidu.EventHead{SessionID: e.Session, UniqueSessionID: fmt.Sprintf("%s_%d", e.Session, e.Began), Timestamp: e.At}
}

// endOf tells an end. A beginning that nobody remembers is the end itself.
func endOf(e event.Event, since int64, reason string) *openvidu.EventEnd {
	if since == 0 || since > e.At {
		since = e.At
	}
	return &openvidu.EventEnd{StartTime: since, Duration: (e.At - since) / 1000, Reason: reason}
}

// ofSession: with the last participant goes the session, whatever made that one leave.
func ofSession(reason string) string {
	switch reason {
	case "disconnect", "forceDisconnectByUser", "forceDisconnectByServer", "networkDisconnect":
		return openvidu.EventLastLeft
	}
	return reason
}

func participant(e event.Event, j event.Joined, end *openvidu.EventEnd) openvidu.EventParticipant {
	p := openvidu.EventParticipant{
		EventHead: headOf(e), EventEnd: end, ParticipantID: e.Connection, ConnectionID: e.Connection,
		Location: j.Location, IP: j.Address, Platform: j.Platform, ClientData: &j.ClientData, ServerData: j.ServerData,
	}
	if p.Location == "" {
		p.Location = "unknown"
	}
	if p.Platform == "IPCAM" {
		p.ClientData = nil
	}
	return p
}

// connection is one direction of a stream, as e's connection sees it; publisher is "" for its own.
func connection(e event.Event, stream, publisher string, m event.Media, end *openvidu.EventEnd) openvidu.EventWebRTC {
	c := openvidu.EventWebRTC{
		EventHead: headOf(e), EventEnd: end, StreamID: stream, ParticipantID: e.Connection, ConnectionID: e.Connection,
		Connection: openvidu.EventOutbound, ReceivingFrom: publisher, AudioEnabled: m.HasAudio, VideoEnabled: m.HasVideo,
	}
	if publisher != "" {
		c.Connection = openvidu.EventInbound
	}
	if m.HasVideo {
		c.EventVideo = &openvidu.EventVideo{VideoSource: given(m.TypeOfVideo), VideoDimensions: given(m.Dimensions)}
		if m.FrameRate >= 0 {
			c.VideoFramerate = &m.FrameRate
		}
	}
	return c
}

func diagnosed(e event.Event, b event.Diagnosed) openvidu.EventDiagnosed {
	d := openvidu.EventDiagnosed{
		SessionID: e.Session, Timestamp: e.At, ConnectionID: e.Connection, StreamID: b.Stream,
		Code: b.Code, Severity: b.Severity, Side: b.Side, Ended: b.Ended,
	}
	if e.Began != 0 {
		d.UniqueSessionID = headOf(e).UniqueSessionID
	}
	return d
}

// given is nil for a text that is not there.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
