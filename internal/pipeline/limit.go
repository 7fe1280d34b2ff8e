package pipeline

import (
	"context"

	"tertulia/internal/wire/mediactl"
)

// allow tells a publisher what it may send now, if that has changed. It is called when a viewer comes or goes, never
// for a packet.
func (p *Pipeline) allow(ctx context.Context, publisher string) {
	p.allowing.Lock() // what is decided last is told last
	defer p.allowing.Unlock()
	p.mu.Lock()
	e := p.endpoints[publisher]
	changed := false
	if e != nil && e.source == "" {
		limit := allowed(e.policy, p.viewers(publisher))
		changed, e.limit = limit != e.limit, limit
	}
	p.mu.Unlock()
	if changed {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin) // nobody would tell it later
		defer cancel()
		_ = e.transport.Limit(ctx, e.limit) // fails only when the shard has ended, and the transport with it
	}
}

// viewers are the policies of those who are sent a publisher's video. The caller holds the lock.
func (p *Pipeline) viewers(publisher string) (list []mediactl.Policy) {
	for _, e := range p.endpoints {
		if e.source == publisher && e.video {
			list = append(list, e.policy)
		}
	}
	return list
}

// allowed is what a publisher may send in kbit/s, 0 for unlimited: what it was granted, but no more than the least that
// a viewer may be sent, because without layers all are sent the same; and its own minimum at least. That is what Kurento
// tells by REMB (kms-core, kmsremb.c), but for its estimates: it lowers a publisher for a viewer whose line is bad.
func allowed(publisher mediactl.Policy, viewers []mediactl.Policy) int {
	limit := publisher.MaxRecvKbps
	for _, v := range viewers {
		if v.MaxSendKbps > 0 && (limit == 0 || v.MaxSendKbps < limit) {
			limit = v.MaxSendKbps
		}
	}
	if limit > 0 {
		limit = max(limit, publisher.MinRecvKbps)
	}
	return limit
}
