package peer

import (
	"context"
	"errors"
	"fmt"

	"github.com/pion/srtp/v3"

	"tertulia/internal/media/forward"
	"tertulia/internal/media/receive"
)

// Counters count what a shard refused or lost.
type Counters struct {
	Malformed           uint64 // not parseable as what its first byte says
	Unauthenticated     uint64 // from an address without a verified check, or a check with wrong credentials
	Disowned            uint64 // checks for an endpoint of ours that is no more
	AddressHeld         uint64 // a verified check from an address that another live endpoint uses
	RateLimited         uint64 // address requests beyond the limit
	BeforeKeys          uint64 // media before the handshake ended
	Forged              uint64 // SRTP or SRTCP that did not authenticate
	Replayed            uint64 // SRTP or SRTCP that was there before
	UnknownSSRC         uint64
	FingerprintMismatch uint64
	HandshakeRefused    uint64 // beyond the limits
	SendDropped         uint64 // the network, or a slow TCP client, did not take it
	HandedOver          uint64 // datagrams and packets given to another shard
	HandOverDropped     uint64 // another shard was too slow for them
}

// undecrypted counts what did not decrypt: replays apart from forgeries. pion/srtp does not export its error for a
// replay, only wraps it.
func (t *transport) undecrypted(err error) {
	c, cause := &t.endpoint.shard.counters, errors.Unwrap(err)
	switch {
	case errors.Is(err, srtp.ErrFailedToVerifyAuthTag):
		c.Forged++
		t.forged++
	case cause != nil && cause.Error() == "duplicated packet":
		c.Replayed++
	default:
		c.Malformed++
	}
}

// Counters returns a snapshot.
func (s *Shard) Counters(ctx context.Context) (Counters, error) {
	var c Counters
	if err := s.Do(ctx, func() { c = s.counters }); err != nil {
		return Counters{}, err // c may still be written
	}
	return c, nil
}

// Stats is a snapshot of an endpoint. Packets and bytes count SRTP and SRTCP on the wire.
type Stats struct {
	State           State
	Reason          string // of a state Failed that is for good
	LocalSDP        string
	RemoteSDP       string
	LocalCandidate  string // of the selected path: "udp 192.0.2.1:4443"
	RemoteCandidate string
	Signalled       []string // candidates the client announced
	Cipher          string   // "SRTP_AEAD_AES_128_GCM"; empty before keys
	PacketsIn       uint64
	BytesIn         uint64
	PacketsOut      uint64
	BytesOut        uint64
	FrameRate       int                      // of the video received, in the latest second
	Received        map[string]receive.Stats // by kind
	Sent            map[string]forward.Stats
}

// Stats returns a snapshot.
func (e *Endpoint) Stats(ctx context.Context) (Stats, error) {
	var st Stats
	var local, remote packed
	if err := e.shard.Do(ctx, func() { st, local, remote = e.stats(), e.localSDP, e.remoteSDP }); err != nil {
		return Stats{}, err // st may still be written
	}
	st.LocalSDP, st.RemoteSDP = local.text(), remote.text() // not at the shard's expense
	return st, nil
}

// stats is all but the descriptions.
func (e *Endpoint) stats() Stats {
	st := Stats{
		State: e.state, Reason: e.refused,
		Signalled: append([]string(nil), e.signalled...),
		Received:  map[string]receive.Stats{}, Sent: map[string]forward.Stats{},
		PacketsIn: e.packetsIn, BytesIn: e.bytesIn, PacketsOut: e.packetsOut, BytesOut: e.bytesOut,
	}
	for _, sec := range e.sections {
		if sec.receiver != nil {
			st.Received[sec.kind] = sec.receiver.Stats()
			st.FrameRate = max(st.FrameRate, sec.framesPerSecond())
		}
		if sec.forwarder != nil {
			st.Sent[sec.kind] = sec.forwarder.Stats()
		}
	}
	if e.out != nil {
		st.Cipher = fmt.Sprint(e.profile)
	}
	if p := e.selected; p != nil {
		local := "unknown"
		if p.local.IsValid() {
			local = p.local.String()
		}
		st.LocalCandidate = fmt.Sprintf("%s %s port %d", p.protocol(), local, e.shard.config.Port)
		st.RemoteCandidate = p.String()
	}
	return st
}

// add adds every counter of another shard.
func (c *Counters) add(o *Counters) {
	for _, pair := range [...]struct {
		sum *uint64
		of  uint64
	}{
		{&c.Malformed, o.Malformed}, {&c.Unauthenticated, o.Unauthenticated}, {&c.Disowned, o.Disowned},
		{&c.AddressHeld, o.AddressHeld}, {&c.RateLimited, o.RateLimited}, {&c.BeforeKeys, o.BeforeKeys},
		{&c.Forged, o.Forged}, {&c.Replayed, o.Replayed}, {&c.UnknownSSRC, o.UnknownSSRC},
		{&c.FingerprintMismatch, o.FingerprintMismatch}, {&c.HandshakeRefused, o.HandshakeRefused},
		{&c.SendDropped, o.SendDropped}, {&c.HandedOver, o.HandedOver}, {&c.HandOverDropped, o.HandOverDropped},
	} {
		*pair.sum += pair.of
	}
}
