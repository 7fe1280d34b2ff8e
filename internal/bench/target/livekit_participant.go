package target

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// livekitParticipant has a connection for each of its transports, because LiveKit has at most one transport per direction
// and connection, and the generator one per subscription: a participant who publishes or gets several streams counts there
// as several. Who only watches one, or only publishes, has the one connection a client of LiveKit has.
type livekitParticipant struct {
	server     *livekit
	room, name string
	dialled    int
	spare      *livekitConn   // made by Join, not used yet
	used       []*livekitConn // they carry media
	tracks     []string       // the server's names of what it publishes
}

func (s *livekit) Join(ctx context.Context, room, name string) (Participant, error) {
	if s.process == nil {
		return nil, errNotRunning
	}
	p := &livekitParticipant{server: s, room: room, name: name}
	var err error
	p.spare, err = p.connect(ctx, livekitGrant{CanSubscribe: true, CanPublish: true})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// connect opens a connection; the grant's room is filled in.
func (p *livekitParticipant) connect(ctx context.Context, grant livekitGrant) (*livekitConn, error) {
	grant.RoomJoin, grant.Room = true, p.room
	identity := p.name
	if p.dialled > 0 {
		identity = fmt.Sprintf("%s.%d", p.name, p.dialled)
	}
	p.dialled++
	token, err := livekitToken(p.server.secret, identity, time.Now(), grant)
	if err != nil {
		return nil, err
	}
	query := url.Values{
		"access_token": {token}, "protocol": {"15"}, "sdk": {"js"}, "version": {"2.15.0"},
		"auto_subscribe": {"0"}, "adaptive_stream": {"0"},
	}
	address := fmt.Sprintf("ws://127.0.0.1:%d/rtc?%s", p.server.port, query.Encode())
	l, err := dial(ctx, address, websocket.MessageBinary, websocket.DialOptions{})
	if err != nil {
		return nil, err
	}
	c := &livekitConn{line: l, published: map[string]string{}}
	l.listen(c.take)
	if err := c.joined(ctx); err != nil {
		l.close()
		return nil, err
	}
	return c, nil
}

// Publish gives up the connection of Join for one that may not subscribe: its publishing transport is the primary one then,
// and the server does not wait for the other.
func (p *livekitParticipant) Publish(ctx context.Context, t Transport) error {
	if p.spare != nil {
		p.spare.leave()
		p.spare = nil
	}
	c, err := p.connect(ctx, livekitGrant{CanPublish: true})
	if err != nil {
		return err
	}
	p.used = append(p.used, c)
	p.tracks, err = c.publish(ctx, t)
	return err
}

func (p *livekitParticipant) Subscribe(ctx context.Context, from Participant, t Transport) error {
	publisher, ok := from.(*livekitParticipant)
	if !ok {
		return errOtherServer
	}
	if publisher.tracks == nil {
		return errNoStream
	}
	c := p.spare
	p.spare = nil
	if c == nil {
		var err error
		if c, err = p.connect(ctx, livekitGrant{CanSubscribe: true}); err != nil {
			return err
		}
	}
	p.used = append(p.used, c)
	return c.subscribe(ctx, publisher.tracks, t)
}

func (p *livekitParticipant) Leave() error {
	if p.spare != nil {
		p.used = append(p.used, p.spare)
	}
	for _, c := range p.used {
		c.leave()
	}
	p.used, p.spare = nil, nil
	return nil
}

// livekitConn is one signalling connection.
type livekitConn struct {
	*line

	// these are the line's notes
	interval   uint64 // of pings, in seconds; 0 before the server's welcome
	published  map[string]string
	answers    []livekitSDP
	offers     []livekitSDP
	candidates [2][]string // of the publishing and of the subscribing transport
	refused    error
}

func (c *livekitConn) joined(ctx context.Context) error {
	if err := c.await(ctx, "the welcome", func() bool { return c.interval > 0 }); err != nil {
		return err
	}
	return c.pulse(time.Duration(c.interval)*time.Second, func() error { return c.write(pingRequest(time.Now().UnixMilli())) })
}

// await is wait that ends when the server has refused something.
func (c *livekitConn) await(ctx context.Context, what string, ok func() bool) error {
	var refused error
	err := c.wait(ctx, what, func() bool {
		refused = c.refused
		return refused != nil || ok()
	})
	if err == nil && refused != nil {
		err = fmt.Errorf("waiting for %s: %w", what, refused)
	}
	return err
}

// publish returns the server's names of the tracks.
func (c *livekitConn) publish(ctx context.Context, t Transport) ([]string, error) {
	offer, err := t.Offer()
	if err != nil {
		return nil, err
	}
	audio, video, err := trackIDs(offer)
	if err != nil {
		return nil, err
	}
	for _, track := range []livekitTrack{
		{cid: audio, name: "microphone", kind: 0, source: 2},
		{cid: video, name: "camera", kind: 1, source: 1, width: 1280, height: 720},
	} {
		if err := c.write(track.request()); err != nil {
			return nil, err
		}
	}
	var tracks []string
	err = c.await(ctx, "the tracks' names", func() bool {
		tracks = []string{c.published[audio], c.published[video]}
		return !slices.Contains(tracks, "")
	})
	if err != nil {
		return nil, err
	}
	if err := c.write(livekitSDP{kind: "offer", text: offer, id: 1}.request(requestOffer)); err != nil {
		return nil, err
	}
	var answer string
	err = c.await(ctx, "the answer and a candidate", func() bool {
		if len(c.answers) == 0 {
			return false
		}
		answer = withCandidates(c.answers[0].text, c.candidates[0])
		return hasCandidate(answer)
	})
	if err != nil {
		return nil, err
	}
	return tracks, t.Accept(answer)
}

// subscribe answers offers until one has the tracks. The first has none: LiveKit sends it as soon as somebody joins.
func (c *livekitConn) subscribe(ctx context.Context, tracks []string, t Transport) error {
	if err := c.write(subscribeRequest(tracks)); err != nil {
		return err
	}
	for {
		var offer livekitSDP
		err := c.await(ctx, "an offer and a candidate", func() bool {
			if len(c.offers) == 0 {
				return false
			}
			offer = c.offers[0]
			offer.text = withCandidates(offer.text, c.candidates[1])
			if !hasCandidate(offer.text) {
				return false
			}
			c.offers = c.offers[1:]
			return true
		})
		if err != nil {
			return err
		}
		answer, err := t.Answer(offer.text)
		if err != nil {
			return err
		}
		if err := c.write(livekitSDP{kind: "answer", text: answer, id: offer.id}.request(requestAnswer)); err != nil {
			return err
		}
		missing := func(track string) bool { return !strings.Contains(offer.text, track) }
		if !slices.ContainsFunc(tracks, missing) {
			return nil
		}
	}
}

func (c *livekitConn) leave() {
	_ = c.write(leaveRequest()) // fails when the server was faster
	c.close()
}

var errSentAway = errors.New("the server ends the connection")

// take is the line's reader.
func (c *livekitConn) take(m []byte) {
	eachField(m, func(field int, body []byte, _ uint64) {
		switch field {
		case responseJoin:
			interval := max(1, parseJoin(body))
			c.note(func() { c.interval = interval })
		case responseAnswer:
			c.note(func() { c.answers = append(c.answers, parseSDP(body)) })
		case responseOffer:
			c.note(func() { c.offers = append(c.offers, parseSDP(body)) })
		case responseTrickle:
			if candidate, subscriber := parseTrickle(body); candidate != "" {
				which := 0
				if subscriber {
					which = 1
				}
				c.note(func() { c.candidates[which] = append(c.candidates[which], candidate) })
			}
		case responsePublished:
			cid, sid := parsePublished(body)
			c.note(func() { c.published[cid] = sid })
		case responseLeave:
			c.note(func() { c.refused = errSentAway })
		case responseRefusal:
			c.note(func() { c.refused = fmt.Errorf("refused: %q", body) })
		}
	})
}
