package session

import (
	"slices"
	"strings"

	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// parked is a subscription's request that waits for its stream.
type parked struct {
	to    Origin
	offer string
}

// waitOver says that a subscription has waited for its stream as long as its client does.
type waitOver struct {
	Connection, Stream string
	Serial             uint64
}

func (waitOver) command() {}

// subscribe sends a stream to the caller (spec §4.5, §4.6).
func subscribe(t *turn, me *Connection, c Subscribe) {
	owner, err := t.sender(c.Sender)
	if err != nil {
		t.fail(err)
		return
	}
	beginSubscription(t, me, owner, c.Offer)
}

// reconnectSubscription is reconnectStream of another's stream.
func reconnectSubscription(t *turn, me *Connection, c Reconnect) {
	owner, err := t.sender(c.Stream)
	switch {
	case err != nil:
		t.fail(fault.New(fault.NotPublishing, "nobody publishes stream %.80q", c.Stream))
	case c.IsAnswer:
		answer(t, me, c.Stream, c.SDP)
	case c.SDP == "":
		t.fail(fault.New(fault.SDPInvalid, "sdpOffer is empty"))
	default:
		beginSubscription(t, me, owner, c.SDP)
	}
}

// sender finds who publishes: by stream id or by connection id.
func (t *turn) sender(sender string) (*Connection, error) {
	for _, c := range t.Connections {
		switch {
		case c.ActiveAt == 0 || c.Recorder:
		case c.Stream != nil && (c.ID == sender || c.Stream.ID == sender):
			return c, nil
		case c.ID == sender || strings.HasPrefix(sender, "str_") && strings.HasSuffix(sender, "_"+c.ID):
			return nil, notPublishing(c.ID)
		}
	}
	return nil, fault.New(fault.ConnectionNotFound, "session %s has no connection that publishes %.80q", t.ID, sender)
}

// beginSubscription replaces the caller's subscription to a stream, if it has one; an endpoint of that name is
// replaced at the node. A stream that is not up is waited for. The own stream comes back by loopback only, as in OpenVidu
// (KurentoParticipant.java): candidates could not tell two endpoints towards the same connection apart.
func beginSubscription(t *turn, me, owner *Connection, offer string) {
	if me == owner {
		t.fail(fault.New(fault.NotPublishing, "connection %s asks for its own stream; publish with doLoopback instead", me.ID))
		return
	}
	stream := owner.Stream
	s := me.subscription(stream.ID)
	if s == nil {
		s = &Subscription{Stream: stream.ID, Publisher: owner.ID, CreatedAt: t.env.Now}
		me.Subscriptions = append(me.Subscriptions, s)
	}
	refuseParked(t, s, superseded(endpoint(me.ID, stream.ID)))
	if stream.Phase == Published {
		askSubscribe(t, me, owner, s, parked{to: t.from, offer: offer})
		return
	}
	s.Phase, s.Serial = Waiting, t.next()
	s.parked = &parked{to: t.from, offer: offer}
	t.arm(t.env.Rules.Park, waitOver{Connection: me.ID, Stream: stream.ID, Serial: s.Serial})
}

// askSubscribe asks for the subscriber's endpoint; without an offer the node makes one.
func askSubscribe(t *turn, me, owner *Connection, s *Subscription, p parked) {
	s.Phase, s.Serial = Negotiating, t.next()
	if s.Since == 0 {
		s.CreatedAt = t.env.Now
	}
	name := endpoint(me.ID, s.Stream)
	askMedia(t, me, Ask{
		Request: mediactl.Subscribe{
			Session: t.ID, Endpoint: name, Source: owner.ID, Offer: p.offer,
			Policy: t.subscriberPolicy(me), Peer: me.peer(),
			Audio: owner.Stream.Media.HasAudio, Video: owner.Stream.Media.HasVideo,
		},
		Connection: me.ID, Stream: s.Stream, Serial: s.Serial, To: p.to,
	})
	trickleEarly(t, me, owner.ID, name)
}

// serveWaiting gives a stream that has come up to those who wait for it, and an offer to those who were refused.
func serveWaiting(t *turn, owner *Connection) {
	for _, c := range t.Connections {
		s := c.subscription(owner.Stream.ID)
		switch {
		case s == nil || s.Phase != Waiting:
		case s.parked == nil:
			askSubscribe(t, c, owner, s, parked{})
		default:
			p := *s.parked
			s.parked = nil
			askSubscribe(t, c, owner, s, p)
		}
	}
}

// subscribeSettled takes the node's description, an answer or an offer, to the subscriber.
func subscribeSettled(t *turn, d settled, request mediactl.Subscribe) {
	me, s := awaited(t, d)
	if s == nil {
		return
	}
	if d.Err != nil && t.mayTranscode(d.Err) && len(request.Policy.Video) > 0 {
		request.Policy = lenient(request.Policy)
		d.Ask.Request = request
		askMedia(t, me, d.Ask)
		return
	}
	if d.Err != nil {
		endSubscription(t, me, s, unsubscribeReason, d.Err)
		t.replyTo(d.To, nil, d.Err)
		return
	}
	s.Serial, s.Phase = 0, Flowing
	if request.Offer == "" {
		s.Phase = Offered
	} else {
		subscribed(t, me, s)
	}
	if d.To == (Origin{}) {
		t.notify(ForcedOffer{Publisher: s.Publisher, Stream: s.Stream, SDP: d.Description.SDP}, me.ID)
	}
	t.replyTo(d.To, SubscribeResult{SDP: d.Description.SDP}, nil)
	trickleBack(t, me, s.Publisher, d.Description.Candidates)
}

// awaited returns the subscription a result is for; if that has been overtaken, its request is answered so and nil
// returned.
func awaited(t *turn, d settled) (*Connection, *Subscription) {
	me := t.active(d.Connection)
	if me == nil {
		return nil, nil
	}
	if s := me.subscription(d.Stream); s != nil && s.Serial == d.Serial {
		return me, s
	}
	t.replyTo(d.To, nil, superseded(endpoint(d.Connection, d.Stream)))
	return nil, nil
}

// answer completes an offer of ours.
func answer(t *turn, me *Connection, sender, sdp string) {
	owner, err := t.sender(sender)
	if err != nil {
		t.fail(err)
		return
	}
	s := me.subscription(owner.Stream.ID)
	switch {
	case s == nil:
		t.fail(notPublishing(owner.ID))
	case s.Phase != Offered || s.Serial != 0 || sdp == "":
		t.fail(fault.New(fault.SDPInvalid, "no offer of %s awaits this sdpAnswer; ask for one with prepareReceiveVideoFrom", owner.ID))
	default:
		s.Serial = t.next()
		askMedia(t, me, Ask{
			Request:    mediactl.Answer{Session: t.ID, Endpoint: endpoint(me.ID, s.Stream), SDP: sdp},
			Connection: me.ID, Stream: s.Stream, Serial: s.Serial, To: t.from,
		})
	}
}

func answerSettled(t *turn, d settled) {
	me, s := awaited(t, d)
	if s == nil {
		return
	}
	if d.Err != nil {
		endSubscription(t, me, s, unsubscribeReason, d.Err)
		t.replyTo(d.To, nil, d.Err)
		return
	}
	s.Serial, s.Phase = 0, Flowing
	subscribed(t, me, s)
	t.replyTo(d.To, nil, nil)
}

// unsubscribe ends a subscription (spec §4.7); nobody is told.
func unsubscribe(t *turn, me *Connection, c Unsubscribe) {
	i := slices.IndexFunc(me.Subscriptions, func(s *Subscription) bool { return s.Publisher == c.Sender || s.Stream == c.Sender })
	if i >= 0 {
		s := me.Subscriptions[i]
		endSubscription(t, me, s, unsubscribeReason, superseded(endpoint(me.ID, s.Stream)))
	} else if _, err := t.sender(c.Sender); fault.Is(err, fault.ConnectionNotFound) {
		t.fail(err)
		return
	}
	t.reply(nil)
}

// endWait refuses a request that has waited too long. A client that would understand it will be offered the stream
// when that is back.
func endWait(t *turn, c waitOver) {
	me := t.active(c.Connection)
	if me == nil {
		return
	}
	s := me.subscription(c.Stream)
	if s == nil || s.Phase != Waiting || s.Serial != c.Serial {
		return
	}
	late := fault.New(fault.Timeout, "stream %s did not come back within %v", s.Stream, t.env.Rules.Park)
	if !me.takesOffers() {
		endSubscription(t, me, s, unsubscribeReason, late)
		return
	}
	s.Serial = 0
	refuseParked(t, s, late)
}

// takesOffers tells the clients that understand forciblyReconnectSubscriber. It came with 2.19, but clients name
// their release from 2.21 on only; Android's names one and does not understand it (spec §5.15, §8.8).
func (c *Connection) takesOffers() bool {
	return c.SDKVersion != "" && !strings.HasPrefix(c.Platform, "Android ")
}

// endSubscription releases a subscription's endpoint; a request that waits is refused with err. A negotiation that
// fails ends the subscription it was to replace: for observers the subscriber has given that up.
func endSubscription(t *turn, me *Connection, s *Subscription, reason string, err error) {
	refuseParked(t, s, err)
	unsubscribed(t, me, s, reason)
	me.Subscriptions = slices.DeleteFunc(me.Subscriptions, func(o *Subscription) bool { return o == s })
	if s.Phase != Waiting {
		t.tell(mediactl.Release{Session: t.ID, Endpoint: endpoint(me.ID, s.Stream)})
	}
}

func refuseParked(t *turn, s *Subscription, err error) {
	if s.parked != nil {
		t.replyTo(s.parked.to, nil, err)
		s.parked = nil
	}
}

// subscription returns the connection's subscription to a stream; nil if there is none.
func (c *Connection) subscription(stream string) *Subscription {
	for _, s := range c.Subscriptions {
		if s.Stream == stream {
			return s
		}
	}
	return nil
}

// endpoint names a subscription's transport at the node (mediactl).
func endpoint(subscriber, stream string) string { return subscriber + "_" + stream }
