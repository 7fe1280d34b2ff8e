package diagnosis

import (
	"context"
	"maps"
	"sync"
	"time"

	"tertulia/internal/wire/mediactl"
)

// endAfter is how long a fault must not be seen before it is over, in milliseconds; a fault that comes back within
// sameFor is the same record.
const (
	endAfter = 1900
	sameFor  = 30_000
)

// maxPast are the readings kept of an endpoint: once a second, longer than the 7.5 s between two reports on sound.
const maxPast = 12

// examine reads the facts of a call that are due, lets the detectors judge, and says when to look again.
func (w *Watch) examine(ctx context.Context, c *call) {
	now := time.Now().UnixMilli()
	if !w.read(ctx, c, now) {
		c.next = now + oftenEvery
		return
	}
	now = time.Now().UnixMilli()
	troubled := false
	byPublisher := map[string]*Endpoint{}
	byOwner := map[string][]*Endpoint{}
	for name, e := range c.flows {
		byOwner[e.owner] = append(byOwner[e.owner], e)
		if e.Publisher == "" {
			byPublisher[name] = e
		}
	}
	streams := sync.OnceValue(func() map[string]Published { return w.cfg.Calls.Streams(c.session) })
	for _, e := range byPublisher {
		c.announce(e, streams, now)
	}
	for id, p := range c.people {
		for _, e := range byOwner[id] {
			e.Source = byPublisher[e.Publisher]
		}
		if w.judge(ctx, c, p, byOwner[id], now) {
			troubled = true
		}
	}
	c.schedule(now, troubled)
}

// schedule says when to look again: soon where somebody is unwell.
func (c *call) schedule(now int64, troubled bool) {
	every := int64(calmEvery)
	if troubled {
		every = oftenEvery
	}
	c.next = now + every
}

// read takes the facts that are due: of the whole call every 3 s, and in between of those who are unwell, or of all if
// they are few. It reports false if nothing could be had.
func (w *Watch) read(ctx context.Context, c *call, now int64) bool {
	ctx, cancel := context.WithTimeout(ctx, factsWait)
	defer cancel()
	due := c.due()
	if now-c.whole >= calmEvery-oftenEvery/2 || len(c.flows) <= smallCall || len(due) > smallCall {
		all, err := w.cfg.Calls.Facts(ctx, c.session, "")
		if err != nil {
			return false
		}
		c.whole = now
		w.replace(c, all)
		return true
	}
	for _, name := range due {
		some, err := w.cfg.Calls.Facts(ctx, c.session, name)
		if err != nil {
			return false
		}
		for i := range some {
			c.note(&some[i], time.Now().UnixMilli())
		}
	}
	return true
}

// due are the endpoints that are young or whose owner is unwell.
func (c *call) due() []string {
	var names []string
	for name, e := range c.flows {
		if p := c.people[e.owner]; e.young() || p != nil && p.unwell {
			names = append(names, name)
		}
	}
	return names
}

// replace takes the facts of a whole call: endpoints that no event has told of are found, those that are gone forgotten.
func (w *Watch) replace(c *call, all []mediactl.Facts) {
	now := time.Now().UnixMilli()
	present := make(map[string]bool, len(all))
	for i := range all {
		f := &all[i]
		present[f.Endpoint] = true
		if c.flows[f.Endpoint] == nil {
			owner, stream := partsOf(f.Endpoint)
			if c.ended(f.Endpoint, now) || c.ended(owner, now) {
				continue // the media node is about to release it
			}
			e := c.flow(f.Endpoint, owner)
			e.Stream, e.Publisher = stream, f.Source
			c.participant(owner)
		}
		c.note(f, now)
	}
	maps.DeleteFunc(c.flows, func(name string, _ *Endpoint) bool { return !present[name] })
	maps.DeleteFunc(c.gone, func(_ string, at int64) bool { return now-at > goneFor })
	if c.barren++; len(all) > 0 {
		c.barren = 0
	}
	if c.barren <= barrenFor {
		return
	}
	c.barren = 0
	if w.cfg.Calls.Streams(c.session) == nil { // its end was among the events that were lost
		w.close(c.session, now)
	}
}

// goneFor is how long the media node may take to release what has ended, in milliseconds.
const goneFor = 15_000

// barrenFor is after how many looks that found nobody the session is asked whether it is still there.
const barrenFor = 720

func (c *call) ended(name string, now int64) bool {
	at, ok := c.gone[name]
	return ok && now-at <= goneFor
}

// note takes one reading.
func (c *call) note(f *mediactl.Facts, now int64) {
	e := c.flows[f.Endpoint]
	if e == nil {
		return
	}
	if f.Age < e.Facts.Age { // another transport under the same name
		stream, publisher, video := e.Stream, e.Publisher, e.Video
		e = c.flow(f.Endpoint, e.owner)
		e.Stream, e.Publisher, e.Video = stream, publisher, video
	}
	e.Facts, e.Read = *f, now
	if e.Checked == 0 && f.Consent >= 0 {
		e.Checked = now
	}
	for i := range f.Paths {
		if e.Nominated == 0 && f.Paths[i].Nominated {
			e.Nominated = now
		}
	}
	switch {
	case f.State == "connected" && e.Connected == 0:
		e.Connected = now
	case f.State != "connected" && f.Cipher == "":
		e.Connected = 0
	}
	if len(e.Past) >= maxPast {
		e.Past = append(e.Past[:0], e.Past[1:]...)
	}
	e.Past = append(e.Past, Reading{At: now, Tracks: f.Tracks})
}

func (e *Endpoint) young() bool { return e.Facts.Age < youngFor }

// announce asks the session what a publisher's stream should carry: not while it flows.
func (c *call) announce(e *Endpoint, streams func() map[string]Published, now int64) {
	quiet := !e.Announced.Known
	for i := range e.Facts.Tracks {
		quiet = quiet || older(e.Facts.Tracks[i].Latest, window)
	}
	if !quiet && e.Facts.State == "connected" {
		return
	}
	published := streams()[e.Name]
	for _, kind := range kinds {
		if e.Announced.Known && !e.Announced.active(kind) && published.active(kind) {
			if e.turnedOn == nil {
				e.turnedOn = map[string]int64{}
			}
			e.turnedOn[kind] = now
		}
	}
	e.Announced = published.Announced
	if published.Stream != "" {
		e.Stream = published.Stream
	}
}

// judge lets the detectors look at a participant and keeps its records. It reports whether to look again soon.
func (w *Watch) judge(ctx context.Context, c *call, p *participant, endpoints []*Endpoint, now int64) bool {
	v := &View{
		Now: now, Session: c.session, Connection: p.id, Reached: p.reached, Socket: p.socket, Endpoints: endpoints,
		Clues: w.cfg.Journal.Clues(c.session, p.id), Refused: p.refused, Idle: p.idle, Host: &w.host,
	}
	p.unwell = false
	cut := false
	for _, e := range endpoints {
		if t := e.track("video", false); t != nil && t.Latest >= 0 {
			p.filmed = max(p.filmed, e.Read-t.Latest)
		}
		p.unwell = p.unwell || e.young() || e.uneasy()
		cut = cut || e.cutOff()
	}
	v.Filmed = p.filmed
	if cut && p.socket.Lost == 0 {
		if silence := w.cfg.Calls.Silence(c.session, p.id); silence >= 0 {
			v.Socket.Silent = silence.Milliseconds()
		}
	}
	w.ways(ctx, c, p, v)
	found := Detect(v)
	w.settle(p, v, found)
	if p.idle.At != 0 && now-p.idle.At > 600_000 {
		p.idle = Idle{}
	}
	for _, o := range p.open {
		p.unwell = p.unwell || o.over == 0 && o.record.Severity != Notice
	}
	return p.unwell
}

// uneasy says that an endpoint shows a first sign of something.
func (e *Endpoint) uneasy() bool {
	f := &e.Facts
	if f.State != "connected" || older(f.Consent, window) && older(f.Heard, window) || f.Fingerprint {
		return true
	}
	for i := range f.Tracks {
		t := &f.Tracks[i]
		if !t.Sends && older(t.Latest, window) && e.Announced.active(t.Kind) || t.Fraction > 12 {
			return true
		}
		if t.Sends && lacks(t.Report) >= stuckLeast && e.behind(t.Kind) > unsureAfter+trip(t.Report) {
			return true
		}
	}
	return false
}

// ways notes how a participant's packets come, and what its NAT forgot.
func (w *Watch) ways(ctx context.Context, c *call, p *participant, v *View) {
	if p.network == "" {
		for _, e := range v.Endpoints {
			if s := e.selected(); s != nil && s.Protocol != "relay" {
				p.network = prefixOf(s.Remote)
			}
		}
	}
	k := w.networks.of(p.network)
	for _, e := range v.Endpoints {
		w.moves(k, e, v.Now)
		s := e.selected()
		if s == nil || v.connected(e) < 0 || k == nil || older(s.Heard, stillUsed) {
			continue
		}
		around := relayed(e, s)
		if !around && w.host.owns(s.Remote) {
			continue // a client on this very machine proves nothing of the way to it
		}
		udp := s.Protocol == "udp" && !around
		if !udp && (v.connected(e) < settled || !offersUDP(e)) {
			continue
		}
		anew := p.udp == nil || *p.udp != udp
		p.udp = &udp
		if udp {
			p.usedUDP = v.Now
		}
		k.use(v.Now, udp, anew)
	}
	v.Others = w.networks.others(v.Now, p.network, p.usedUDP)
	if e := unasked(v.Endpoints); e != nil {
		ctx, cancel := context.WithTimeout(ctx, factsWait)
		e.Video.asked = true
		e.Video.Offered, e.Video.Allowed = w.cfg.Calls.Video(ctx, c.session, e.Name)
		cancel()
	}
}

// unasked returns an endpoint whose video was left out and of which the codecs are not known yet.
func unasked(endpoints []*Endpoint) *Endpoint {
	for _, e := range endpoints {
		if e.Video.Missing && !e.Video.asked {
			return e
		}
	}
	return nil
}

// moves counts the silences after which an endpoint's packets came from another port of the same address.
func (w *Watch) moves(k *network, e *Endpoint, now int64) {
	if k == nil {
		return
	}
	for _, m := range e.Facts.Moves {
		at := now - m.At
		if at-e.moved < 500 || !samePlace(m.From, m.To) { // ages are exact to some milliseconds
			continue
		}
		e.moved = at
		if idle := k.nat.add(at, m.Silence); idle.Times > 0 {
			e.NAT = idle
		}
	}
}

// explained says that the silence of a stream has a reason already, which goes on: a browser whose packets vanish soon stops
// sending them, and its reports then tell of nothing.
func (p *participant) explained(stream string, now int64) bool {
	for _, code := range []Code{MTUBlackHole, AudioOneWay} {
		if o := p.open[string(code)+" "+stream]; o != nil && o.over == 0 {
			o.seen = now
			return true
		}
	}
	return false
}

// settle begins, continues and ends the records of a participant.
func (w *Watch) settle(p *participant, v *View, found []Finding) {
	for i := range found {
		f := &found[i]
		if f.Code == NoMediaSent && p.explained(f.Stream, v.Now) {
			continue
		}
		key := string(f.Code) + " " + f.Stream
		o := p.open[key]
		switch {
		case o == nil || o.over != 0 && v.Now-o.over > sameFor:
			o = &opened{record: f.record(v)}
			p.open[key] = o
			w.begin(o.record)
		case o.over != 0:
			o.over = 0
			w.cfg.Journal.End(o.record, 0)
		}
		o.seen = v.Now
	}
	for key, o := range p.open {
		switch {
		case o.over == 0 && v.Now-o.seen >= endAfter:
			o.over = v.Now
			w.end(o.record, v.Now)
		case o.over != 0 && v.Now-o.over > sameFor:
			delete(p.open, key)
		}
	}
}
