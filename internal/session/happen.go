package session

import (
	"cmp"
	"slices"
	"strings"

	"tertulia/internal/event"
)

// What is told to observers (Config.Observe) is decided where it is done. Each begin has one end, in this process or, for
// what the record keeps, in a later one: a connection that has joined, a stream whose phase is past Publishing, a
// subscription with a Since.
//
// Subscriptions are not in the record. A process that ends in good order tells their ends (suspend), and begins are told anew
// by the next one. Of a process that was killed the next one finds in the stream of events which it had told of, and tells
// their ends before sessions run (event/record.Unended). What it told in its last milliseconds of streams and connections,
// while the record was being written, is unknown to the next: then the record is right, and the end, or the begin, of one
// thing may be missing.

// happened tells observers of something; by is nil for what concerns the session alone.
func (t *turn) happened(by *Connection, body event.Body) { t.happenedAt(t.env.Now, by, body) }

func (t *turn) happenedAt(at int64, by *Connection, body event.Body) {
	h := Happened{At: at, Body: body}
	if by != nil {
		h.Connection = by.ID
	}
	t.emit(h)
}

// isHidden tells the connections that applications are told nothing of.
func isHidden(connection string) bool {
	return connection == recorderID || connection == speechToTextID
}

// toldJoined is what is told of a connection that enters, and again when it leaves.
func (c *Connection) toldJoined() event.Joined {
	return event.Joined{
		Platform: c.Platform, SDKVersion: c.SDKVersion, Address: c.Address, Host: c.Host,
		Location: cmp.Or(c.Location, "unknown"), ClientData: c.ClientData, ServerData: c.ServerData, FinalUserID: c.FinalUserID,
	}
}

// toldMedia is what a stream is announced with, as far as webhooks want it.
func (m StreamMedia) toldMedia() event.Media {
	return event.Media{
		HasAudio: m.HasAudio, HasVideo: m.HasVideo,
		TypeOfVideo: m.TypeOfVideo, FrameRate: m.FrameRate, Dimensions: m.Dimensions,
	}
}

// published tells of a stream that has a transport; again, of one that had another.
func published(t *turn, me *Connection, audio, video string, again bool) {
	at := me.Stream.CreatedAt
	if again {
		at = t.env.Now
	}
	t.happenedAt(at, me, event.Published{
		Stream: me.Stream.ID, Endpoint: me.ID, Audio: audio, Video: video,
		HasVideo: me.Stream.Media.HasVideo, Again: again, Media: me.Stream.Media.toldMedia(),
	})
}

// unpublished tells the end of a stream, if its beginning was told.
func unpublished(t *turn, owner *Connection, reason string) {
	if s := owner.Stream; s.Phase != Publishing {
		t.happened(owner, event.Unpublished{Stream: s.ID, Reason: reason, Media: s.Media.toldMedia(), Since: s.CreatedAt})
	}
}

// subscribed tells that a subscription has both descriptions.
func subscribed(t *turn, me *Connection, s *Subscription) {
	at, again := t.env.Now, s.Since != 0
	if !again {
		at, s.Since = s.CreatedAt, s.CreatedAt
	}
	t.happenedAt(at, me, event.Subscribed{
		Stream: s.Stream, Publisher: s.Publisher, Endpoint: endpoint(me.ID, s.Stream), Again: again, Media: t.mediaOf(s),
	})
}

// unsubscribed tells the end of a subscription, if its beginning was told.
func unsubscribed(t *turn, me *Connection, s *Subscription, reason string) {
	if s.Since != 0 {
		t.happened(me, event.Unsubscribed{
			Stream: s.Stream, Endpoint: endpoint(me.ID, s.Stream), Publisher: s.Publisher,
			Reason: reason, Media: t.mediaOf(s), Since: s.Since,
		})
		s.Since = 0
	}
}

// mediaOf is what the stream of a subscription is announced with now.
func (s *State) mediaOf(u *Subscription) event.Media {
	if owner := s.find(u.Publisher); owner != nil && owner.Stream != nil {
		return owner.Stream.Media.toldMedia()
	}
	return event.Media{}
}

// signalled tells of a signal; clients mark the types of their signals, webhooks do not.
func signalled(t *turn, from *Connection, to []string, s Signal) {
	if from != nil && s.Type != nil {
		s.Type = new(strings.TrimPrefix(*s.Type, "signal:"))
	}
	t.happened(from, event.SignalSent{To: to, Type: s.Type, Data: s.Data})
}

// wreck ends a state that is given up, and tells the ends of all that was told to have begun, as far as that can be read.
// Present are those who had joined; what the broken rule has removed already leaves without more being known of it.
func (s *State) wreck(env Env, reason string, present []string) (told []Effect) {
	t := &turn{State: s, env: env}
	gone := map[string]bool{}
	defer func() {
		for _, id := range present {
			if !gone[id] {
				t.happened(&Connection{ID: id}, event.Left{Reason: reason, Joined: event.Joined{Location: "unknown"}})
			}
		}
		_ = recover() // the state broke a rule already
		s.Connections, s.Closing, s.Ended = nil, reason, true
		t.happened(nil, event.SessionEnded{Reason: reason})
		told = t.effects
	}()
	s.Connections = slices.DeleteFunc(s.Connections, func(c *Connection) bool { return c == nil })
	for _, c := range s.Connections {
		if c.ActiveAt == 0 {
			continue
		}
		for _, u := range c.Subscriptions {
			unsubscribed(t, c, u, reason)
		}
		if c.Stream != nil {
			unpublished(t, c, reason)
		}
		t.happened(c, event.Left{Reason: reason, Joined: c.toldJoined(), Since: c.ActiveAt})
		gone[c.ID] = true
	}
	return nil
}
