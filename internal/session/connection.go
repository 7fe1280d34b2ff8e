package session

import (
	"strconv"

	"tertulia/internal/fault"
)

func createConnection(t *turn, c CreateConnection) {
	err := room(t)
	if err == nil {
		err = roomFor(t, c.ServerData)
	}
	if err != nil {
		t.fail(err)
		return
	}
	n := &Connection{
		ID:         t.connectionID(c.ServerData),
		Token:      t.env.NewID("tok_", 16),
		CreatedAt:  t.env.Now,
		Role:       c.Role,
		TokenRole:  c.Role,
		Record:     c.Record,
		ServerData: c.ServerData,
		Kurento:    c.Kurento.copy(),
		ICEServers: c.ICEServers,
	}
	t.Connections = append(t.Connections, n)
	t.save()
	t.reply(n.Copy())
}

// room refuses a connection above the limit.
func room(t *turn) error {
	if n := len(t.Connections); n >= t.env.Rules.MaxConnections {
		return fault.New(fault.NoCapacity, "session %s has %d connections, the most it may have; delete those not used", t.ID, n)
	}
	return nil
}

// maxData is how many bytes of the applications' data a session keeps: its record must hold them, escaped, beside all else
// (4 MiB). A record that cannot be written leaves a restart with an old one.
const maxData = 2 << 20

// roomFor refuses data of a participant above the limit.
func roomFor(t *turn, data string) error {
	total := len(data)
	for _, n := range t.Connections {
		total += len(n.ServerData) + len(n.ClientData)
	}
	if total > maxData && data != "" {
		return fault.New(fault.NoCapacity, "session %s has %d bytes of data of its participants, %d more than it may keep; give shorter data, or delete connections not used", t.ID, total, total-maxData)
	}
	return nil
}

// updateConnection changes what differs; an active client is told of each change (spec §5.12, rest §11.1).
func updateConnection(t *turn, c UpdateConnection) {
	n := t.find(c.Connection)
	if n == nil || n.Recorder {
		t.fail(unknownConnection(t, c.Connection))
		return
	}
	if c.Role != nil && *c.Role != n.Role {
		n.Role = *c.Role
		t.changed(n, "role", string(n.Role))
	}
	if c.Record != nil && *c.Record != n.Record {
		n.Record = *c.Record
		t.changed(n, "record", strconv.FormatBool(n.Record))
	}
	t.reply(n.Copy())
}

func (t *turn) changed(c *Connection, property, value string) {
	t.save()
	if c.ActiveAt != 0 {
		t.notify(ConnectionChanged{Property: property, NewValue: value}, c.ID)
	}
}

func deleteConnection(t *turn, c DeleteConnection) {
	n := t.find(c.Connection)
	switch {
	case n == nil:
		t.fail(unknownConnection(t, c.Connection))
	case n.ActiveAt == 0:
		t.remove(n)
		t.save()
		t.reply(nil)
	default:
		depart(t, n, forceDisconnectByServer)
		evicted(t, n, forceDisconnectByServer)
		t.reply(nil)
		endIfEmpty(t)
	}
}

func unknownConnection(t *turn, id string) error {
	return fault.New(fault.ConnectionNotFound, "session %s has no connection %.80q", t.ID, id)
}
