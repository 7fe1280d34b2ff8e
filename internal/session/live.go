package session

import "time"

// Live is what may be changed while sessions run. Bandwidths hold for transports negotiated from then on, the others at
// once; the fields are those of Config.
type Live struct {
	MaxRecvKbps, MinRecvKbps int
	MaxSendKbps              int
	GCInterval, GCThreshold  time.Duration
	Defaults                 Properties
}

// Adopt takes other values over. It may be called from any goroutine, also before Run.
func (r *Registry) Adopt(l Live) {
	r.live.Store(&l)
	select {
	case r.adopted <- struct{}{}:
	default: // Run has yet to take an earlier one, and will read the latest
	}
}

// rules are the numbers that hold now.
func (l *Live) rules(c Config) Rules {
	return Rules{
		Grace: c.Grace, RestartGrace: c.RestartGrace, Park: parkTime, MaxConnections: c.MaxConnections,
		MaxRecvKbps: l.MaxRecvKbps, MinRecvKbps: l.MinRecvKbps, MaxSendKbps: l.MaxSendKbps,
	}
}

// pace sets the ticker for the collection of sessions that are not used; without an interval there is none.
func (l *Live) pace(ticker *time.Ticker) {
	if l.GCInterval > 0 {
		ticker.Reset(l.GCInterval)
	} else {
		ticker.Stop()
	}
}
