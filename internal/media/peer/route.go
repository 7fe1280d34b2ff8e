package peer

import (
	"bytes"
	"hash/crc32"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/media"
)

// The kernel chooses the socket that gets a datagram by its addresses, not by its endpoint. A check names its endpoint
// in its username, and so the shard that owns it (owner). Everything else is followed by address: once the owner has
// let a check claim its path, it tells the shard that read the check to hand on whatever else comes that way (route).
// An address belongs to one endpoint at a time, and who reads it decides which: its endpoint stands in paths there, or
// its shard in routes.

// owner is the shard whose endpoint a username fragment names, if it names any: the same as long as there are as many
// shards.
func (c *common) owner(ufrag []byte) *Shard {
	return c.shards[crc32.ChecksumIEEE(ufrag)%uint32(len(c.shards))]
}

// ufragOf draws a username fragment whose owner is s.
func (c *common) ufragOf(s *Shard) string {
	for {
		if ufrag := token(8); c.owner([]byte(ufrag)) == s {
			return ufrag
		}
	}
}

// routes are where the datagrams go that a shard reads for others: bounded by the paths of their endpoints.
type routes struct {
	shard *Shard
	to    map[pathKey]*Shard

	second   media.Time // in which
	reported int        // so many mistaken checks were reported
}

// maxReported is how many mistaken checks a shard tells others of in a second: whoever sends many of them must not keep
// a shard busy that does not read them.
const maxReported = 16

// report tells the owner of an endpoint, if there is one, that a check for it did not verify.
func (r *routes) report(owner *Shard, ufrag string) {
	if second := r.shard.now / media.Time(time.Second); second != r.second {
		r.second, r.reported = second, 0
	}
	if r.reported++; r.reported > maxReported {
		return
	}
	owner.post(func() {
		if e := owner.endpoints[ufrag]; e != nil {
			e.wrongPassword++
		}
	})
}

// misdirected hands a check to the shard that owns its endpoint. Only a genuine one crosses: the password follows from
// the fragment.
func (r *routes) misdirected(from pathKey, m *stun.Message, b []byte, owner *Shard) {
	if r.to[from] != owner {
		username, _ := m.Get(stun.AttrUsername)
		local, _, _ := bytes.Cut(username, []byte(":"))
		if !authentic(m, r.shard.answer.integrity(r.shard.iceKey.password(string(local)))) {
			r.shard.counters.Unauthenticated++
			r.report(owner, string(local))
			return
		}
		if !r.vacate(from) {
			return
		}
	}
	r.shard.crossing.parcel(owner, len(b)).datagram(from, b)
}

// follow hands on what came along a path of another shard's endpoint.
func (r *routes) follow(from pathKey, b []byte) {
	owner := r.to[from]
	if owner == nil || r.shard.reader != nil {
		r.shard.counters.Unauthenticated++
		return
	}
	r.shard.crossing.parcel(owner, len(b)).datagram(from, b)
}

// vacate makes sure that nobody holds an address that a verified check of somebody else came from. Where another
// shard's endpoint holds it, that shard is asked to give it up; the check is lost, and the next one tells.
func (r *routes) vacate(key pathKey) bool {
	if holder := r.to[key]; holder != nil {
		holder.post(func() { holder.paths[key].yields() })
		return false
	}
	return r.shard.paths[key].yields()
}

// entered notes which shard reads the datagrams of a path that was claimed just now, and routes them here.
func (p *path) entered(reader *Shard) {
	if p.reader == reader {
		return
	}
	owner, key := p.endpoint.shard, p.pathKey
	p.unroute()
	if p.reader = reader; reader != nil {
		reader.post(func() { reader.routes.learn(key, owner) })
	}
}

// unroute takes back what entered has caused.
func (p *path) unroute() {
	reader, owner, key := p.reader, p.endpoint.shard, p.pathKey
	if reader == nil {
		return
	}
	p.reader = nil
	reader.post(func() {
		if reader.routes.to[key] == owner {
			delete(reader.routes.to, key)
		}
	})
}

// learn hands what comes along a path to the shard that claimed it, unless another claim was faster: then that shard
// gives up the path.
func (r *routes) learn(key pathKey, owner *Shard) {
	if holder := r.to[key]; r.shard.paths[key] == nil && (holder == nil || holder == owner) {
		r.to[key] = owner
		return
	}
	owner.post(func() {
		if p := owner.paths[key]; p != nil && p.reader == r.shard {
			owner.counters.AddressHeld++
			owner.forget(p)
		}
	})
}
