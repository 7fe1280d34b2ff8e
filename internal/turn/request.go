package turn

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// Lifetimes (RFC 8656 §3.2, §9, §12).
const (
	defaultLifetime    = 10 * time.Minute
	maxLifetime        = time.Hour
	permissionLifetime = 5 * time.Minute
	channelLifetime    = 10 * time.Minute
)

// answer is what a request gets: an error code, or 0 for success, and attributes.
type answer struct {
	code       stun.ErrorCode
	attributes []stun.Setter
}

func accept(attributes ...stun.Setter) answer { return answer{attributes: attributes} }

func refuse(code stun.ErrorCode, attributes ...stun.Setter) answer { return answer{code, attributes} }

// turn answers an authenticated request.
func (c *conn) turn(m *stun.Message, user string, key stun.MessageIntegrity) answer {
	if m.Type.Method == stun.MethodAllocate {
		return c.allocate(m, user, key)
	}
	switch {
	case c.allocation == nil:
		return refuse(stun.CodeAllocMismatch)
	case c.allocation.user != user:
		return refuse(stun.CodeWrongCredentials)
	}
	switch m.Type.Method {
	case stun.MethodRefresh:
		return c.refresh(m)
	case stun.MethodCreatePermission:
		return c.createPermission(m)
	case stun.MethodChannelBind:
		return c.channelBind(m)
	}
	return refuse(stun.CodeBadRequest)
}

// allocate gives the connection its relayed address (RFC 8656 §7.2). We relay UDP only, in memory, and reserve no
// neighbouring ports.
func (c *conn) allocate(m *stun.Message, user string, key stun.MessageIntegrity) answer {
	transport, absent, wellFormed := fixed(m, stun.AttrRequestedTransport)
	want, familyFault := requestedFamily(m)
	lifetime, lifetimeOK := requestedLifetime(m)
	switch {
	case c.allocation != nil && c.allocatedBy == m.TransactionID: // over UDP our first answer was lost (RFC 8656 §7.2)
		return c.allocated()
	case c.allocation != nil:
		return refuse(stun.CodeAllocMismatch)
	case absent || !wellFormed || !lifetimeOK:
		return refuse(stun.CodeBadRequest)
	case transport>>24 != 17: // UDP
		return refuse(stun.CodeUnsupportedTransProto)
	case m.Contains(stun.AttrEvenPort) || m.Contains(stun.AttrReservationToken):
		return refuse(stun.CodeInsufficientCapacity)
	case familyFault != 0:
		return refuse(familyFault)
	}
	relay, have, ok := c.server.reserve(user, c.client.Addr(), want)
	if !have && !m.Contains(stun.AttrRequestedAddressFamily) {
		relay, have, ok = c.server.reserve(user, c.client.Addr(), ipv6) // a server without IPv4
	}
	switch {
	case !have:
		return refuse(stun.CodeAddrFamilyNotSupported)
	case !ok:
		return refuse(stun.CodeAllocQuotaReached)
	}
	lifetime = max(lifetime, defaultLifetime) // 0 means to end one, which makes no sense here
	c.allocation = newAllocation(c.server, c.out, user, key, relay, time.Now().Add(lifetime))
	c.allocatedBy = m.TransactionID
	c.server.config.Log.Debug("TURN allocation made", "client", c.client, "relay", relay)
	return c.allocated()
}

func (c *conn) allocated() answer {
	return accept(
		addAddress{stun.AttrXORRelayedAddress, c.allocation.relay},
		addAddress{stun.AttrXORMappedAddress, c.client},
		addLifetime(time.Until(c.allocation.expires).Round(time.Second)),
	)
}

// requestedFamily is IPv4 unless the client asks for another (RFC 8656 §7.2); fault is 0 if we know it.
func requestedFamily(m *stun.Message) (want family, fault stun.ErrorCode) {
	value, absent, ok := fixed(m, stun.AttrRequestedAddressFamily)
	switch want = family(value >> 24); {
	case absent:
		return ipv4, 0
	case !ok:
		return 0, stun.CodeBadRequest
	case want != ipv4 && want != ipv6:
		return 0, stun.CodeAddrFamilyNotSupported
	}
	return want, 0
}

// requestedLifetime is between the default and the maximum, or 0 if that is what the client asks for.
func requestedLifetime(m *stun.Message) (lifetime time.Duration, ok bool) {
	seconds, absent, ok := fixed(m, stun.AttrLifetime)
	switch {
	case absent:
		return defaultLifetime, true
	case seconds == 0:
		return 0, ok
	}
	return min(max(time.Duration(seconds)*time.Second, defaultLifetime), maxLifetime), ok
}

// refresh prolongs the allocation or, with a lifetime of 0, ends it (RFC 8656 §8.2).
func (c *conn) refresh(m *stun.Message) answer {
	want, familyFault := requestedFamily(m)
	lifetime, ok := requestedLifetime(m)
	switch {
	case !ok:
		return refuse(stun.CodeBadRequest)
	case m.Contains(stun.AttrRequestedAddressFamily) && (familyFault != 0 || want != familyOf(c.allocation.relay.Addr())):
		return refuse(stun.CodePeerAddrFamilyMismatch)
	case lifetime == 0:
		c.release()
	default:
		c.allocation.expires = time.Now().Add(lifetime)
	}
	return accept(addLifetime(lifetime))
}

// createPermission lets packets pass to and from hosts that are our media, and no others: all of a request, or
// nothing (RFC 8656 §10.2).
func (c *conn) createPermission(m *stun.Message) answer {
	var peers []netip.Addr
	for _, attribute := range m.Attributes {
		if attribute.Type != stun.AttrXORPeerAddress {
			continue
		}
		peer, ok := xorAddress(attribute.Value, m.TransactionID)
		if !ok {
			return refuse(stun.CodeBadRequest)
		}
		if code := c.check(peer, c.server.isMediaHost(peer.Addr())); code != 0 {
			return refuse(code)
		}
		peers = append(peers, peer.Addr())
	}
	if len(peers) == 0 {
		return refuse(stun.CodeBadRequest)
	}
	c.allocation.permit(time.Now().Add(permissionLifetime), peers...)
	return accept()
}

// channelBind gives one of our media addresses a channel number (RFC 8656 §11.2).
func (c *conn) channelBind(m *stun.Message) answer {
	value, absent, ok := fixed(m, stun.AttrChannelNumber)
	number := uint16(value >> 16)
	peer, peerOK := peerOf(m)
	if absent || !ok || !peerOK || !isChannel(number) {
		return refuse(stun.CodeBadRequest)
	}
	if code := c.check(peer, c.server.isMedia(peer)); code != 0 {
		return refuse(code)
	}
	if code := c.allocation.bind(number, peer, time.Now()); code != 0 {
		return refuse(code)
	}
	return accept()
}

// check returns 0 for a peer that is our media, else the code to refuse it with.
func (c *conn) check(peer netip.AddrPort, ours bool) stun.ErrorCode {
	switch {
	case familyOf(peer.Addr()) != familyOf(c.allocation.relay.Addr()):
		return stun.CodePeerAddrFamilyMismatch
	case !ours:
		c.server.refused.Add(1)
		c.server.config.Log.Debug("TURN peer refused", "client", c.client, "peer", peer)
		return stun.CodeForbidden
	}
	return 0
}
