package peer

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/stun/v4"

	"tertulia/internal/media/socket"
)

// checkFor makes a genuine connectivity check for an endpoint.
func checkFor(e *Endpoint) []byte {
	return stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(e.ufrag+":x"),
		stun.NewShortTermIntegrity(e.shard.iceKey.password(e.ufrag)), stun.Fingerprint).Raw
}

// resident makes an endpoint on the bench's shard that checks can reach.
func (b *bench) resident(t testing.TB, port uint16) *Endpoint {
	t.Helper()
	e := b.endpoint(t, pathKey{remote: netip.AddrPortFrom(netip.MustParseAddr("198.51.100.1"), port)})
	e.pwd = b.shard.iceKey.password(e.ufrag)
	return e
}

// TestAnAddressIsHeldAcrossShards for as long as its endpoint is heard of, and then given up to whoever checks twice.
func TestAnAddressIsHeldAcrossShards(t *testing.T) {
	key := pathKey{remote: netip.MustParseAddrPort("203.0.113.5:5")}
	for name, c := range map[string]struct{ reader, holder, claimer int }{
		"held where it is read":              {0, 0, 1},
		"claimed where it is read":           {0, 1, 0},
		"held and claimed elsewhere":         {0, 1, 2},
		"held and claimed on the same shard": {0, 1, 1},
	} {
		w := newWide(t, 0, 0, 0)
		holder, claimer := w[c.holder].resident(t, 1), w[c.claimer].resident(t, 2)
		read := func(e *Endpoint) {
			w[c.reader].shard.packet(key, checkFor(e))
			w.settle()
		}
		owners := func() (list []*Endpoint) {
			for _, b := range w {
				if p := b.shard.paths[key]; p != nil {
					list = append(list, p.endpoint)
				}
			}
			return list
		}
		read(holder)
		w.later(time.Duration(held) - 1)
		read(claimer)
		if got := owners(); len(got) != 1 || got[0] != holder {
			t.Errorf("%s: a live address went to %v", name, got)
		}
		var count uint64
		for _, b := range w {
			count += b.shard.counters.AddressHeld
		}
		if count != 1 {
			t.Errorf("%s: %d addresses held", name, count)
		}
		w.later(1)
		read(claimer)
		read(claimer)
		if got := owners(); len(got) != 1 || got[0] != claimer {
			t.Errorf("%s: a silent address stayed with %v", name, got)
		}
		to := w[c.reader].shard.routes.to
		if want := claimer.shard; c.claimer == c.reader && len(to) != 0 || c.claimer != c.reader && (len(to) != 1 || to[key] != want) {
			t.Errorf("%s: routes %v", name, to)
		}
	}
}

// TestTheFirstClaimIsRouted: two shards let a check from one address in before its reader knows of either.
func TestTheFirstClaimIsRouted(t *testing.T) {
	w := newWide(t, 0, 0, 0)
	key := pathKey{remote: netip.MustParseAddrPort("203.0.113.5:5")}
	first, second := w[1].resident(t, 1), w[2].resident(t, 2)
	w[0].shard.packet(key, checkFor(first))
	w[0].shard.packet(key, checkFor(second))
	w[0].shard.send()
	for _, b := range w[1:] {
		b.end()
		if b.shard.paths[key] == nil {
			t.Fatal("a check was not let in")
		}
	}
	w.settle()
	if w[0].shard.routes.to[key] != first.shard || w[1].shard.paths[key] == nil || w[2].shard.paths[key] != nil || len(second.paths) != 1 {
		t.Errorf("routes %v, paths of the second %v", w[0].shard.routes.to, second.paths)
	}
}

// TestRoutesAreBounded by the paths of endpoints.
func TestRoutesAreBounded(t *testing.T) {
	w := newWide(t, 0, 0)
	e := w[1].resident(t, 1)
	for port := range uint16(10 * maxPaths) {
		w[0].shard.packet(pathKey{remote: netip.AddrPortFrom(netip.MustParseAddr("203.0.113.5"), port+1)}, checkFor(e))
		w.settle()
	}
	if got := len(w[0].shard.routes.to); got > maxPaths {
		t.Errorf("%d routes to one endpoint, at most %d", got, maxPaths)
	}
	w[1].shard.endpoints[e.ufrag].release()
	w.settle()
	if got := len(w[0].shard.routes.to); got != 0 {
		t.Errorf("%d routes to no endpoint", got)
	}
}

// TestForgedChecksDoNotCross: whoever does not know a password cannot keep another shard busy.
func TestForgedChecksDoNotCross(t *testing.T) {
	w := newWide(t, 0, 0)
	e := w[1].resident(t, 1)
	forged := checkFor(e)
	forged[len(forged)-12] ^= 1 // of MESSAGE-INTEGRITY
	for port := range uint16(100) {
		w[0].shard.packet(pathKey{remote: netip.AddrPortFrom(netip.MustParseAddr("203.0.113.5"), port+1)}, forged)
	}
	w.settle()
	if c := w[0].shard.counters; c.HandedOver != 0 || c.Unauthenticated != 100 || len(w[0].shard.routes.to) != 0 {
		t.Errorf("%d crossed, %d refused, routes %v", c.HandedOver, c.Unauthenticated, w[0].shard.routes.to)
	}
}

// TestAClosedLinkIsNotClaimed by a check that was on its way to another shard.
func TestAClosedLinkIsNotClaimed(t *testing.T) {
	w := newWide(t, 0, 0)
	e := w[1].resident(t, 1)
	l := &link{protocol: "relay", send: func(pathKey, []byte) {}}
	key := pathKey{remote: netip.MustParseAddrPort("203.0.113.5:5"), via: l}
	w[0].shard.packet(key, checkFor(e))
	w.settle()
	if len(e.paths) != 2 || w[0].shard.routes.to[key] == nil {
		t.Fatalf("%d paths, routes %v", len(e.paths), w[0].shard.routes.to)
	}
	w[0].shard.packet(key, checkFor(e))
	w[0].shard.send()
	w[0].shard.closeLink(l)
	w.settle()
	w[1].shard.packet(key, checkFor(e))
	w.settle()
	if len(e.paths) != 1 || len(w[0].shard.routes.to) != 0 {
		t.Errorf("%d paths, routes %v, after the link was closed", len(e.paths), w[0].shard.routes.to)
	}
}

// TestUfragsNameTheirShard, all of them, and are otherwise random.
func TestUfragsNameTheirShard(t *testing.T) {
	w := newWide(t, 0, 0, 0, 0, 0)
	seen := map[string]bool{}
	for _, b := range w {
		for range 100 {
			ufrag := b.shard.ufragOf(b.shard)
			if b.shard.owner([]byte(ufrag)) != b.shard || len(ufrag) != 8 || seen[ufrag] {
				t.Fatalf("%q", ufrag)
			}
			seen[ufrag] = true
		}
	}
	for _, strange := range []string{"", "a", "\xff\x00"} {
		if w[0].shard.owner([]byte(strange)) == nil {
			t.Errorf("%q has no owner", strange)
		}
	}
}

// FuzzCrossing gives a shard that reads for another one anything: no stranger gets a route.
func FuzzCrossing(f *testing.F) {
	f.Add([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0}, false)
	f.Add(append([]byte{0x80, 96}, make([]byte, 40)...), true)
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("a:b"), stun.NewShortTermIntegrity("p"), stun.Fingerprint).Raw, false)
	f.Fuzz(func(t *testing.T, data []byte, sealed bool) {
		if len(data) > datagram-64 {
			return
		}
		w := newWide(t, 0, 1)
		if sealed && socket.Classify(data) == socket.RTP {
			if raw, err := w[0].far.EncryptRTP(nil, data, &rtp.Header{}); err == nil {
				data = raw
			}
		}
		known := pathKey{remote: netip.MustParseAddrPort("203.0.113.5:5")}
		w[1].shard.packet(known, checkFor(w[0].resident(t, 1)))
		w.settle()
		stranger := pathKey{remote: netip.MustParseAddrPort("203.0.113.1:1")}
		w[1].shard.packet(known, data)
		w[1].shard.packet(stranger, data)
		w.settle()
		if len(w[1].shard.routes.to) != 1 || w[0].shard.paths[stranger] != nil || w[1].shard.paths[stranger] != nil {
			t.Errorf("routes %v", w[1].shard.routes.to)
		}
	})
}
