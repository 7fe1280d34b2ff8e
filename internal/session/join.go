package session

import (
	"net/netip"
	"slices"

	"tertulia/internal/fault"
)

// join admits a client (spec §4.1). The others learn of it before it gets its answer, which is the first message of
// its outbox, so that nothing about the session can reach it earlier (spec §9.1).
func join(t *turn, c Join) {
	if err := roomFor(t, c.ClientData); err != nil {
		t.fail(err)
		return
	}
	me, err := seat(t, c)
	if err != nil {
		t.fail(err)
		return
	}
	me.ActiveAt = t.env.Now
	me.RPC, me.ClientData, me.Platform, me.SDKVersion = c.RPC, c.ClientData, c.Platform, c.SDKVersion
	me.Address, me.FinalUserID, me.Loopback = c.Address, c.FinalUserID, c.Loopback
	me.Host, me.Reached, me.Location = c.Host, reached(c.Host), c.Location
	me.CommonMsid, me.SignalForm, me.ServerOffers = c.CommonMsid, c.SignalForm, c.ServerOffers

	if !me.Recorder {
		t.Active = true
		t.notify(Joined{Connection: me.ID, CreatedAt: me.ActiveAt, Metadata: me.Metadata()}, t.joined(me.ID)...)
	}
	result := &JoinResult{Session: t.ID, Self: me.Copy(), ICEServers: slices.Clone(me.ICEServers)}
	for _, o := range t.Connections {
		if o != me && o.ActiveAt != 0 && !o.Recorder {
			result.Others = append(result.Others, o.seen())
		}
	}
	if len(result.ICEServers) == 0 && t.env.TURN != nil {
		result.ICEServers = t.env.TURN(me.ID, c.Host)
	}
	t.happenedAt(me.ActiveAt, me, me.toldJoined())
	t.emit(Admit{To: t.from, Connection: me.Copy(), Result: result})
	t.save()
}

// reached is the address and port in a "host:port", "" if the host is a name or no address that media could be sent to.
func reached(host string) string {
	at, err := netip.ParseAddrPort(host)
	a := at.Addr().Unmap()
	if err != nil || a.IsUnspecified() || a.IsMulticast() || a.Zone() != "" || at.Port() == 0 {
		return ""
	}
	return netip.AddrPortFrom(a, at.Port()).String()
}

// seat finds the connection a token was made for, or makes one for a join by secret.
func seat(t *turn, c Join) (*Connection, error) {
	if t.Closing != "" {
		return nil, fault.New(fault.SessionClosed, "session %s is closing (%s)", t.ID, t.Closing)
	}
	if c.Insecure {
		return insecureSeat(t, c)
	}
	for _, n := range t.Connections {
		if n.Token == c.Token && n.ActiveAt == 0 && c.Token != "" {
			return n, nil
		}
	}
	return nil, fault.New(fault.TokenInvalid, "Unable to join session %s. Token %.80s is not valid: it is unknown or was used before; make a new connection by REST", t.ID, c.Token)
}

// insecureSeat makes a connection for a client that knows the server's secret. There is one RECORDER and one
// SPEECH_TO_TEXT: a new one takes the place of the old, whose page has been started again.
func insecureSeat(t *turn, c Join) (*Connection, error) {
	me := &Connection{CreatedAt: t.env.Now, Role: Subscriber, Record: true, Insecure: true}
	switch {
	case c.Recorder:
		me.ID, me.Recorder = recorderID, true
	case c.SpeechToText:
		me.ID, me.Recorder = speechToTextID, true
	case c.LegacyRole:
		me.Role = Publisher
	}
	if old := t.find(me.ID); old != nil {
		depart(t, old, forceDisconnectByServer)
		evicted(t, old, forceDisconnectByServer)
	}
	if err := room(t); err != nil {
		return nil, err
	}
	if me.ID == "" {
		me.ID = t.connectionID("")
	}
	t.Connections = append(t.Connections, me)
	return me, nil
}
