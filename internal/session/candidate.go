package session

import "tertulia/internal/wire/mediactl"

// What is kept of a client's candidates for endpoints that are yet to be made.
const (
	maxEarly    = 64   // for one endpoint
	maxEarlyAll = 1024 // for all
)

// candidate hands a candidate to the endpoint it is for, or keeps it until that is asked for (spec §4.8). Candidates
// are hints, so it is always answered.
func candidate(t *turn, me *Connection, c Candidate) {
	t.reply(nil)
	towards := c.Endpoint
	if towards == "" {
		towards = me.ID
	}
	if name := me.endpointTowards(towards); name != "" {
		t.tell(mediactl.Trickle{Session: t.ID, Endpoint: name, Candidate: c.Candidate})
		return
	}
	if t.active(towards) == nil || len(me.early[towards]) >= maxEarly || me.countEarly() >= maxEarlyAll {
		return
	}
	if me.early == nil {
		me.early = map[string][]mediactl.Candidate{}
	}
	me.early[towards] = append(me.early[towards], c.Candidate)
}

func (c *Connection) countEarly() (n int) {
	for _, candidates := range c.early {
		n += len(candidates)
	}
	return n
}

// endpointTowards names the endpoint that has been asked for: the own publisher, or the subscription to a connection.
func (c *Connection) endpointTowards(connection string) string {
	if s := c.Stream; connection == c.ID && s != nil && (s.Phase != Lost || s.Serial != 0) {
		return c.ID
	}
	for _, s := range c.Subscriptions {
		if s.Publisher == connection && s.Phase != Waiting {
			return endpoint(c.ID, s.Stream)
		}
	}
	return ""
}

// trickleEarly hands over the candidates that came before their endpoint was asked for.
func trickleEarly(t *turn, me *Connection, towards, name string) {
	for _, c := range me.early[towards] {
		t.tell(mediactl.Trickle{Session: t.ID, Endpoint: name, Candidate: c})
	}
	delete(me.early, towards)
}

// trickleBack sends the node's candidates to the client, after the description they belong to (spec §6.9, §9.5).
func trickleBack(t *turn, me *Connection, towards string, candidates []mediactl.Candidate) {
	for _, c := range candidates {
		t.notify(RemoteCandidate{Endpoint: towards, Candidate: c}, me.ID)
	}
}

// offeredAgain are candidates that the media node shows the client of an endpoint by itself.
type offeredAgain struct {
	Endpoint   string
	Candidates []mediactl.Candidate
}

func (offeredAgain) command() {}

// offerAgain sends them to whose endpoint it is; nobody if that has ended meanwhile.
func offerAgain(t *turn, c offeredAgain) {
	for _, me := range t.Connections {
		if me.Stream != nil && me.Stream.Phase == Published && me.ID == c.Endpoint {
			trickleBack(t, me, me.ID, c.Candidates)
		}
		for _, s := range me.Subscriptions {
			if s.Phase == Flowing && endpoint(me.ID, s.Stream) == c.Endpoint {
				trickleBack(t, me, s.Publisher, c.Candidates)
			}
		}
	}
}
