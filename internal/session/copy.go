package session

import "slices"

// Metadata is what other participants are told of a connection: client data and server data joined by "%/%", or the
// one that is not empty (spec §1.3).
func (c *Connection) Metadata() string {
	if c.ClientData == "" || c.ServerData == "" {
		return c.ClientData + c.ServerData
	}
	return c.ClientData + "%/%" + c.ServerData
}

// Copy returns a deep copy without what waits in memory only.
func (s *State) Copy() State {
	d := *s
	d.Connections = make([]*Connection, len(s.Connections))
	for i, c := range s.Connections {
		d.Connections[i] = c.Copy()
	}
	return d
}

// Copy returns a deep copy without what waits in memory only.
func (c *Connection) Copy() *Connection {
	d := *c
	d.early, d.asked = nil, nil
	d.Kurento = c.Kurento.copy()
	d.ICEServers = slices.Clone(c.ICEServers)
	if c.Quality != nil {
		d.Quality = new(*c.Quality)
	}
	if c.Stream != nil {
		stream := *c.Stream
		d.Stream = &stream
	}
	d.Subscriptions = make([]*Subscription, len(c.Subscriptions))
	for i, s := range c.Subscriptions {
		subscription := *s
		subscription.parked = nil
		d.Subscriptions[i] = &subscription
	}
	return &d
}

// seen is a copy as others may see the connection: its stream only once it has been announced.
func (c *Connection) seen() *Connection {
	d := c.Copy()
	if d.Stream != nil && d.Stream.Phase == Publishing {
		d.Stream = nil
	}
	return d
}

func (k *KurentoOptions) copy() *KurentoOptions {
	if k == nil {
		return nil
	}
	d := *k
	for _, n := range []**int{&d.VideoMaxRecvBandwidth, &d.VideoMinRecvBandwidth, &d.VideoMaxSendBandwidth, &d.VideoMinSendBandwidth} {
		if *n != nil {
			*n = new(**n)
		}
	}
	d.AllowedFilters = slices.Clone(k.AllowedFilters)
	return &d
}
