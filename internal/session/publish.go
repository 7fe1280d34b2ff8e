package session

import (
	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// publish starts a stream (spec §4.3): the media node is asked for an answer, and publishSettled goes on from there.
func publish(t *turn, me *Connection, c Publish) {
	switch {
	case !me.mayPublish():
		t.fail(denied(me, "publish", Publisher))
		return
	case me.Stream != nil:
		t.fail(fault.New(fault.AlreadyPublishing, "connection %s publishes %s already; unpublish it first", me.ID, me.Stream.ID))
		return
	case c.Offer == "":
		t.fail(fault.New(fault.SDPInvalid, "sdpOffer is empty"))
		return
	case c.Filter != "":
		t.fail(noFilter("publish without one"))
		return
	case c.Media.Dimensions != "" && !isDimensions(c.Media.Dimensions):
		t.fail(fault.New(fault.Invalid, "videoDimensions %.60q is not JSON text of an object {width, height}", c.Media.Dimensions))
		return
	}
	me.Stream = &Stream{
		ID:        t.streamID(me.ID, c.Media),
		CreatedAt: t.env.Now,
		Phase:     Publishing,
		Media:     c.Media,
		Loopback:  c.Loopback,
	}
	askPublish(t, me, c.Offer)
}

// reconnect rebuilds a transport, the caller's own or that of a subscription (spec §4.15).
func reconnect(t *turn, me *Connection, c Reconnect) {
	switch own := me.Stream; {
	case own == nil || own.ID != c.Stream:
		reconnectSubscription(t, me, c)
	case own.Phase == Publishing:
		t.fail(notPublishing(me.ID))
	case c.SDP == "":
		t.fail(fault.New(fault.SDPInvalid, "sdpString is empty"))
	default:
		askPublish(t, me, c.SDP)
	}
}

// askPublish asks for the publisher's endpoint. While the stream is up, the new transport feeds the old tracks.
func askPublish(t *turn, me *Connection, offer string) {
	reconnects := me.Stream.Phase == Published
	me.Stream.Serial = t.next()
	askMedia(t, me, Ask{
		Request: mediactl.Publish{
			Session: t.ID, Endpoint: me.ID, Offer: offer, Loopback: me.Stream.Loopback,
			Policy: t.publisherPolicy(me), Peer: me.peer(), Reconnect: reconnects,
		},
		Connection: me.ID, Stream: me.Stream.ID, Serial: me.Stream.Serial, To: t.from,
	})
	trickleEarly(t, me, me.ID, me.ID)
	t.save()
}

// publishSettled takes the node's answer: the publisher is answered first, then the others are told (spec §9.4).
func publishSettled(t *turn, d settled, request mediactl.Publish) {
	me := t.active(d.Connection)
	if me == nil {
		return
	}
	if me.Stream == nil || me.Stream.ID != d.Stream || me.Stream.Serial != d.Serial {
		t.replyTo(d.To, nil, superseded(request.Endpoint))
		return
	}
	if d.Err != nil && t.mayTranscode(d.Err) && len(request.Policy.Video) > 0 {
		request.Policy = lenient(request.Policy)
		d.Ask.Request = request
		askMedia(t, me, d.Ask)
		return
	}
	stream := me.Stream
	stream.Serial = 0
	t.save()
	if d.Err != nil {
		publishFailed(t, me, d)
		return
	}
	before := stream.Phase
	stream.Phase = Published
	published(t, me, d.Description.Audio, d.Description.Video, before != Publishing)
	t.replyTo(d.To, PublishResult{Answer: d.Description.SDP, Stream: stream.ID, CreatedAt: stream.CreatedAt}, nil)
	trickleBack(t, me, me.ID, d.Description.Candidates)
	if before == Publishing {
		t.notify(StreamPublished{Connection: me.ID, Stream: *stream}, t.joined(me.ID)...)
	}
	if before != Published {
		serveWaiting(t, me)
	}
}

// publishFailed ends a stream that has not been announced; one that has stays, and its client may reconnect again.
func publishFailed(t *turn, me *Connection, d settled) {
	if me.Stream.Phase == Publishing {
		endStream(t, me, unpublishReason)
	}
	t.replyTo(d.To, nil, d.Err)
}

func unpublish(t *turn, me *Connection) {
	if me.Stream == nil {
		t.fail(notPublishing(me.ID))
		return
	}
	announced := me.Stream.Phase != Publishing
	endStream(t, me, unpublishReason)
	t.reply(nil)
	if announced {
		t.notify(StreamUnpublished{Connection: me.ID, Reason: unpublishReason}, t.joined(me.ID)...)
	}
}

// forceUnpublish ends another's stream (spec §4.13); the owner is told like all others.
func forceUnpublish(t *turn, me *Connection, c ForceUnpublish) {
	owner := t.streaming(c.Stream)
	switch {
	case !me.mayModerate():
		t.fail(denied(me, "forceUnpublish", Moderator))
	case owner == nil:
		t.fail(fault.New(fault.NotPublishing, "nobody publishes stream %.80q", c.Stream))
	default:
		endStream(t, owner, forceUnpublishByUser)
		t.reply(nil)
		t.notify(StreamUnpublished{Connection: owner.ID, Reason: forceUnpublishByUser}, t.joined("")...)
	}
}

func deleteStream(t *turn, c DeleteStream) {
	owner := t.streaming(c.Stream)
	if owner == nil {
		t.fail(fault.New(fault.StreamNotFound, "session %s has no stream %.80q", t.ID, c.Stream))
		return
	}
	endStream(t, owner, forceUnpublishByServer)
	t.notify(StreamUnpublished{Connection: owner.ID, Reason: forceUnpublishByServer}, t.joined("")...)
	t.reply(nil)
}

// streaming returns the owner of an announced stream; nil if there is none.
func (s *State) streaming(stream string) *Connection {
	for _, c := range s.Connections {
		if c.Stream != nil && c.Stream.ID == stream && c.Stream.Phase != Publishing {
			return c
		}
	}
	return nil
}

// endStream releases a stream's endpoint and those of its subscriptions, and tells observers only.
func endStream(t *turn, owner *Connection, reason string) {
	stream := owner.Stream.ID
	unpublished(t, owner, reason)
	for _, c := range t.Connections {
		if s := c.subscription(stream); s != nil {
			endSubscription(t, c, s, reason, notPublishing(owner.ID))
		}
		delete(c.early, owner.ID)
	}
	owner.Stream, owner.Quality = nil, nil
	t.tell(mediactl.Release{Session: t.ID, Endpoint: owner.ID})
	t.save()
}

func (c *Connection) mayPublish() bool {
	return !c.Recorder && (c.Insecure || c.Role == Publisher || c.Role == Moderator)
}

func (c *Connection) mayModerate() bool { return c.Insecure || c.Role == Moderator }

func denied(c *Connection, what string, need Role) error {
	return fault.New(fault.RoleDenied, "connection %s has role %s; %s needs %s", c.ID, c.Role, what, need)
}

func notPublishing(connection string) error {
	return fault.New(fault.NotPublishing, "connection %s publishes no such stream", connection)
}

func superseded(endpoint string) error {
	return fault.New(fault.MediaFailed, "endpoint %s was released, or asked for again, before it was made", endpoint)
}
