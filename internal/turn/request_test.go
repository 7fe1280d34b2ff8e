package turn

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// TestMalformedAttributes are refused one by one, and the allocation goes on.
func TestMalformedAttributes(t *testing.T) {
	server, _ := newServer(t, Limits{})
	c, _ := relayed(t, server, "198.51.100.9:5000")
	raw := func(kind stun.AttrType, value ...byte) stun.Setter {
		return stun.RawAttribute{Type: kind, Value: value}
	}
	for name, r := range map[string]struct {
		method     stun.Method
		attributes []stun.Setter
		want       stun.ErrorCode
	}{
		"lifetime of two bytes":       {stun.MethodRefresh, []stun.Setter{raw(stun.AttrLifetime, 1, 2)}, stun.CodeBadRequest},
		"refresh of another family":   {stun.MethodRefresh, []stun.Setter{raw(stun.AttrRequestedAddressFamily, 2, 0, 0, 0)}, stun.CodePeerAddrFamilyMismatch},
		"refresh of no family":        {stun.MethodRefresh, []stun.Setter{raw(stun.AttrRequestedAddressFamily, 7, 0, 0, 0)}, stun.CodePeerAddrFamilyMismatch},
		"refresh of the same family":  {stun.MethodRefresh, []stun.Setter{raw(stun.AttrRequestedAddressFamily, 1, 0, 0, 0)}, 0},
		"permission for nobody":       {stun.MethodCreatePermission, nil, stun.CodeBadRequest},
		"permission for scraps":       {stun.MethodCreatePermission, []stun.Setter{raw(stun.AttrXORPeerAddress, 0, 1, 2)}, stun.CodeBadRequest},
		"permission, one bad":         {stun.MethodCreatePermission, []stun.Setter{peer(mediaAt), raw(stun.AttrXORPeerAddress, 0, 9, 0, 0, 0, 0, 0, 0)}, stun.CodeBadRequest},
		"channel without number":      {stun.MethodChannelBind, []stun.Setter{peer(mediaAt)}, stun.CodeBadRequest},
		"channel without peer":        {stun.MethodChannelBind, []stun.Setter{channelNumber(1)}, stun.CodeBadRequest},
		"channel below the range":     {stun.MethodChannelBind, []stun.Setter{peer(mediaAt), raw(stun.AttrChannelNumber, 0x3f, 0xff, 0, 0)}, stun.CodeBadRequest},
		"channel above the range":     {stun.MethodChannelBind, []stun.Setter{peer(mediaAt), raw(stun.AttrChannelNumber, 0x50, 0, 0, 0)}, stun.CodeBadRequest},
		"channel number of two bytes": {stun.MethodChannelBind, []stun.Setter{peer(mediaAt), raw(stun.AttrChannelNumber, 0x40, 0)}, stun.CodeBadRequest},
		"a method we do not know":     {stun.Method(0x0ff), nil, stun.CodeBadRequest},
		"a second allocation":         {stun.MethodAllocate, []stun.Setter{raw(stun.AttrRequestedTransport, 17, 0, 0, 0)}, stun.CodeAllocMismatch},
		"an attribute not understood": {stun.MethodRefresh, []stun.Setter{raw(0x7fff, 1)}, stun.CodeUnknownAttribute},
		"an attribute to be ignored":  {stun.MethodRefresh, []stun.Setter{raw(0xffff, 1)}, 0},
	} {
		want(t, name, c.ask(r.method, r.attributes...), r.want)
	}
	if got := server.Stats().Allocations; got != 1 {
		t.Errorf("%d allocations, want the one", got)
	}
}

// TestANonceEnds: after an hour the client is told a new one, and nothing else changes.
func TestANonceEnds(t *testing.T) {
	server, _ := newServer(t, Limits{})
	c := newConn(server, netip.MustParseAddrPort("198.51.100.9:5000"), newOutbox(1<<10))
	credential := server.Credentials("ses_A", "con_A", "h")[0]
	key := stun.NewLongTermIntegrity(credential.Username, "tertulia", credential.Credential)
	request := func(nonce string) *stun.Message {
		return stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest),
			stun.NewUsername(credential.Username), stun.NewRealm("tertulia"), stun.NewNonce(nonce), key)
	}
	now := time.Now()
	first := server.nonce(c.client, now)
	if _, _, refusal := c.authenticate(request(first), now.Add(nonceLife-time.Minute)); refusal != nil {
		t.Errorf("refused with %d within the hour", refusal.code)
	}
	if _, _, refusal := c.authenticate(request(first), now.Add(nonceLife+time.Minute)); refusal == nil || refusal.code != stun.CodeStaleNonce {
		t.Errorf("an old nonce: %+v", refusal)
	}
	second := server.nonce(c.client, now.Add(nonceLife+time.Minute))
	if second == first {
		t.Fatal("the nonce is still the old one")
	}
	if user, _, refusal := c.authenticate(request(second), now.Add(nonceLife+time.Minute)); refusal != nil || user != credential.Username {
		t.Errorf("the new nonce: %+v", refusal)
	}
	for name, nonce := range map[string]string{
		"of another client": server.nonce(netip.MustParseAddrPort("198.51.100.9:5001"), now), "of tomorrow": server.nonce(c.client, now.Add(time.Hour)),
		"short": first[:15], "no base64": "****************", "changed": "A" + second[1:],
	} {
		if _, _, refusal := c.authenticate(request(nonce), now); refusal == nil || refusal.code != stun.CodeStaleNonce {
			t.Errorf("a nonce %s: %+v", name, refusal)
		}
	}
	if c.authErrors != 0 {
		t.Error("a stale nonce is no guess")
	}
}

// FuzzXORAddress reads only what has the size of its family, and reads back what addAddress writes.
func FuzzXORAddress(f *testing.F) {
	f.Add([]byte{0, 1, 0x21, 0x12, 1, 2, 3, 4})
	f.Add([]byte{0, 2, 0, 0})
	f.Fuzz(func(t *testing.T, value []byte) {
		id := [stun.TransactionIDSize]byte{1, 2, 3}
		at, ok := xorAddress(value, id)
		if !ok {
			return
		}
		if n := len(value); n != 8 && n != 20 {
			t.Fatalf("%d bytes are an address", n)
		}
		m := &stun.Message{TransactionID: id}
		if err := (addAddress{stun.AttrXORPeerAddress, at}).AddTo(m); err != nil {
			t.Fatal(err)
		}
		if again, ok := peerOf(m); !ok || again != at {
			t.Errorf("%v is read back as %v", at, again)
		}
	})
}

// TestAddressOf unmaps, and makes nothing of what is no TCP.
func TestAddressOf(t *testing.T) {
	for want, a := range map[string]net.Addr{
		"192.0.2.1:7":          net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::ffff:192.0.2.1]:7")),
		"[2001:db8::1]:7":      net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[2001:db8::1]:7")),
		"invalid AddrPort":     &net.UnixAddr{Name: "/x"},
		"[fe80::1%eth0]:65535": &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0", Port: 65535},
	} {
		if got := addressOf(a).String(); got != want {
			t.Errorf("%v is %s, want %s", a, got, want)
		}
	}
}
