package record

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tertulia/internal/event"
	"tertulia/internal/wire/openvidu"
)

// UnendedNames are the events that [Unended] is to read.
var UnendedNames = []string{openvidu.EventWebRTCCreated, openvidu.EventWebRTCDestroyed}

// afterKill is why subscriptions ended that a killed process had: the same as when it stops in good order.
const afterKill = "mediaServerReconnect"

// Unended finds the subscriptions of which the begin was told and not the end. Sessions do not store them, so that a process
// that was killed leaves what it told as the only account of them. Its zero value has read nothing.
type Unended struct{ open map[inbound]event.Event }

// inbound is a subscription; session is the unique id.
type inbound struct{ session, connection, stream string }

// Read takes the next event, in the order in which they were told; all but subscriptions are passed over.
func (u *Unended) Read(text []byte) {
	var e struct {
		openvidu.EventWebRTC
		Event string `json:"event"`
	}
	if json.Unmarshal(text, &e) != nil || e.Connection != openvidu.EventInbound {
		return
	}
	key := inbound{e.UniqueSessionID, e.ConnectionID, e.StreamID}
	switch e.Event {
	case openvidu.EventWebRTCDestroyed:
		delete(u.open, key)
	case openvidu.EventWebRTCCreated:
		if u.open == nil {
			u.open = map[inbound]event.Event{}
		}
		u.open[key] = endOfInbound(e.EventWebRTC)
	}
}

// endOfInbound is the end of a subscription that was told to begin, but for its time.
func endOfInbound(e openvidu.EventWebRTC) event.Event {
	began, _ := strconv.ParseInt(strings.TrimPrefix(e.UniqueSessionID, e.SessionID+"_"), 10, 64)
	media := event.Media{HasAudio: e.AudioEnabled, HasVideo: e.VideoEnabled, FrameRate: -1}
	if v := e.EventVideo; v != nil {
		media.TypeOfVideo, media.Dimensions = text(v.VideoSource), text(v.VideoDimensions)
		if v.VideoFramerate != nil {
			media.FrameRate = *v.VideoFramerate
		}
	}
	return event.Event{Session: e.SessionID, Began: began, Connection: e.ConnectionID, Body: event.Unsubscribed{
		Stream: e.StreamID, Endpoint: e.ConnectionID + "_" + e.StreamID, Publisher: e.ReceivingFrom,
		Reason: afterKill, Media: media, Since: e.Timestamp,
	}}
}

// text is "" for one that is not there; see given.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Ends are the ends that are missing, oldest begin first, told at a time in Unix milliseconds.
func (u *Unended) Ends(at int64) []event.Event {
	list := slices.SortedFunc(maps.Values(u.open), func(a, b event.Event) int {
		return cmp.Or(
			cmp.Compare(a.Body.(event.Unsubscribed).Since, b.Body.(event.Unsubscribed).Since),
			cmp.Compare(a.Session, b.Session),
			cmp.Compare(a.Body.(event.Unsubscribed).Endpoint, b.Body.(event.Unsubscribed).Endpoint),
		)
	})
	for i := range list {
		list[i].At = at
	}
	return list
}
