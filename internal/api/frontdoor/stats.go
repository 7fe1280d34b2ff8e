package frontdoor

import "sync/atomic"

// Stats counts connections since New; Open and Unclassified are current.
type Stats struct {
	Open, Unclassified int

	TLS             uint64 // finished handshakes, whatever came after them
	HTTPS, HTTP     uint64 // connections, not requests
	TURN, ICE       uint64 // with and without TLS
	Redirects       uint64 // requests sent on to HTTPS
	Unknown         uint64 // spoke nothing we know
	TimedOut        uint64 // said too little for too long
	Gone            uint64 // left before saying enough
	HandshakeErrors uint64 // TLS
	Refused         uint64 // over a limit, or with a PROXY header of somebody who is not trusted
	AcceptErrors    uint64
}

type counter = atomic.Uint64

type counters struct {
	tls, https, http, turn, ice, redirects, unknown, timedOut, gone, handshakeErrors, refused, acceptErrors counter
}

// Stats returns the counters of now.
func (d *Door) Stats() Stats {
	c := &d.counters
	return Stats{
		Open: d.open.held(), Unclassified: d.unclassified.held(),
		TLS: c.tls.Load(), HTTPS: c.https.Load(), HTTP: c.http.Load(), TURN: c.turn.Load(), ICE: c.ice.Load(),
		Redirects: c.redirects.Load(), Unknown: c.unknown.Load(), TimedOut: c.timedOut.Load(), Gone: c.gone.Load(),
		HandshakeErrors: c.handshakeErrors.Load(), Refused: c.refused.Load(), AcceptErrors: c.acceptErrors.Load(),
	}
}
