package turn

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/fault"
)

func TestBinding(t *testing.T) {
	server, _ := newServer(t, Limits{})
	response := dial(t, server, "198.51.100.9:5000").ask(stun.MethodBinding, stun.Fingerprint)
	var mapped stun.XORMappedAddress
	if err := mapped.GetFrom(response); err != nil || mapped.String() != "198.51.100.9:5000" {
		t.Errorf("mapped address %v, %v", mapped, err)
	}
	if err := stun.Fingerprint.Check(response); err != nil {
		t.Error(err)
	}
}

func TestCredentials(t *testing.T) {
	server, _ := newServer(t, Limits{})
	got := server.Credentials("ses_A", "con_A", "[2001:db8::1]:4443")
	if len(got) != 2 || got[0].URL != "turn:[2001:db8::1]:4443?transport=tcp" || got[1].URL != "turns:[2001:db8::1]:4443?transport=tcp" {
		t.Errorf("servers %v", got)
	}
	for _, s := range got {
		if !regexp.MustCompile(`^\d{10}:[0-9a-f]{8}$`).MatchString(s.Username) || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(s.Credential) {
			t.Errorf("credential %q %q would not survive an old client's token parser", s.Username, s.Credential)
		}
	}
	tail := func(s *Server, session, connection string) string {
		return s.Credentials(session, connection, "h")[0].Username[11:]
	}
	mine := tail(server, "ses_A", "con_A")
	if mine == tail(server, "ses_A", "con_B") || mine == tail(server, "ses_B", "con_A") || tail(server, "ab", "c") == tail(server, "a", "bc") {
		t.Error("two connections have the same user")
	}
	config := server.config
	config.Node = "node2"
	other, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if passwordOf(other.key(), got[0].Username) == got[0].Credential {
		t.Error("a credential is good on another node")
	}
}

func TestConfigIsChecked(t *testing.T) {
	server, media := newServer(t, Limits{})
	short := server.config
	short.Secret = "short"
	if _, err := New(short); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "short") {
		t.Errorf("a short secret: %v, want kind %s without the secret", err, fault.Invalid)
	}
	if _, err := New(Config{Secret: server.config.Secret, OpenRelay: media.open}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no media addresses: %v", err)
	}
}

func TestAuthentication(t *testing.T) {
	server, _ := newServer(t, Limits{})
	good := server.Credentials("ses_A", "con_A", "h")[0]
	old := "1000000000:abcdefgh"
	for name, c := range map[string]struct {
		user, password string
		want           stun.ErrorCode
	}{
		"good":           {good.Username, good.Credential, 0},
		"wrong password": {good.Username, "x", stun.CodeUnauthorized},
		"empty password": {good.Username, "", stun.CodeUnauthorized},
		"longer life":    {"9" + good.Username, good.Credential, stun.CodeUnauthorized},
		"expired":        {old, passwordOf(server.key(), old), stun.CodeUnauthorized},
		"no time":        {"me", passwordOf(server.key(), "me"), stun.CodeUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			client := dial(t, server, "198.51.100.9:5000").as(server, c.user, c.password)
			response := client.allocate()
			want(t, "Allocate", response, c.want)
			if c.want != 0 && (!response.Contains(stun.AttrNonce) || !response.Contains(stun.AttrRealm)) {
				t.Error("the refusal lacks nonce or realm")
			}
		})
	}
	client := joined(t, server, "198.51.100.9:5000")
	client.nonce = stun.NewNonce("another")
	response := client.allocate()
	want(t, "a nonce that is not ours", response, stun.CodeStaleNonce)
	if !response.Contains(stun.AttrNonce) {
		t.Error("no new nonce")
	}
	unsigned := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.NewLongTermIntegrity("a", "b", "c"))
	if _, err := client.stream.Write(unsigned.Raw); err != nil {
		t.Fatal(err)
	}
	want(t, "integrity without user", client.read(), stun.CodeBadRequest)
}

func TestGuessingEndsTheConnection(t *testing.T) {
	server, _ := newServer(t, Limits{})
	client := dial(t, server, "198.51.100.9:5000").as(server, "9999999999:abcdefgh", "guess")
	for range maxAuthErrors {
		want(t, "a guess", client.allocate(), stun.CodeUnauthorized)
	}
	if err := <-client.ended; err == nil {
		t.Error("the connection ended without a reason")
	}
	if got := server.Stats().Unauthorized; got != maxAuthErrors {
		t.Errorf("counted %d, want %d", got, maxAuthErrors)
	}
}

func TestAllocate(t *testing.T) {
	server, _ := newServer(t, Limits{})
	transport := func(protocol byte) stun.Setter {
		return stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{protocol, 0, 0, 0}}
	}
	raw := func(attribute stun.AttrType, value ...byte) stun.Setter {
		return stun.RawAttribute{Type: attribute, Value: value}
	}
	for name, c := range map[string]struct {
		attributes []stun.Setter
		want       stun.ErrorCode
	}{
		"no transport":        {nil, stun.CodeBadRequest},
		"malformed transport": {[]stun.Setter{raw(stun.AttrRequestedTransport, 17)}, stun.CodeBadRequest},
		"TCP":                 {[]stun.Setter{transport(6)}, stun.CodeUnsupportedTransProto},
		"malformed lifetime":  {[]stun.Setter{transport(17), raw(stun.AttrLifetime, 1)}, stun.CodeBadRequest},
		"even port":           {[]stun.Setter{transport(17), raw(stun.AttrEvenPort, 0x80)}, stun.CodeInsufficientCapacity},
		"reservation":         {[]stun.Setter{transport(17), raw(stun.AttrReservationToken, 1, 2, 3, 4, 5, 6, 7, 8)}, stun.CodeInsufficientCapacity},
		"unknown family":      {[]stun.Setter{transport(17), raw(stun.AttrRequestedAddressFamily, 9, 0, 0, 0)}, stun.CodeAddrFamilyNotSupported},
		"malformed family":    {[]stun.Setter{transport(17), raw(stun.AttrRequestedAddressFamily, 1)}, stun.CodeBadRequest},
		"don't fragment":      {[]stun.Setter{transport(17), raw(stun.AttrDontFragment)}, stun.CodeUnknownAttribute},
		"IPv6":                {[]stun.Setter{transport(17), raw(stun.AttrRequestedAddressFamily, 2, 0, 0, 0)}, 0},
		"IPv4":                {[]stun.Setter{transport(17)}, 0},
	} {
		client := joined(t, server, "198.51.100.9:5000")
		want(t, name, client.ask(stun.MethodAllocate, c.attributes...), c.want)
	}
	client, _ := relayed(t, server, "198.51.100.9:5000")
	want(t, "a second allocation", client.allocate(), stun.CodeAllocMismatch)
	want(t, "TCP relaying", client.ask(stun.MethodConnect, peer(mediaAt)), stun.CodeBadRequest)
	other := server.Credentials("ses_A", "con_B", "h")[0]
	client.user, client.key = other.Username, stun.NewLongTermIntegrity(other.Username, "tertulia", other.Credential)
	want(t, "another's credential", client.ask(stun.MethodRefresh), stun.CodeWrongCredentials)
}

func TestServersOfOneFamily(t *testing.T) {
	server, _ := newServer(t, Limits{})
	server.config.MediaAddresses = func() []netip.AddrPort { return []netip.AddrPort{mediaAt6} }
	if _, relay := relayed(t, server, "198.51.100.9:5000"); relay.Addr() != mediaAt6.Addr() {
		t.Errorf("without IPv4 the relay is %v", relay)
	}
	client := joined(t, server, "198.51.100.9:5000")
	v4 := stun.RawAttribute{Type: stun.AttrRequestedAddressFamily, Value: []byte{1, 0, 0, 0}}
	want(t, "IPv4, asked for", client.allocate(v4), stun.CodeAddrFamilyNotSupported)
}

// Through us, clients reach our own media and nothing else: not our other ports, not our network, not the cloud's
// metadata, by none of the three ways there are.
func TestNoOtherPeerCanBeReached(t *testing.T) {
	for _, address := range []string{
		"203.0.113.5:22", "127.0.0.1:4443", "10.0.0.1:4443", "192.168.1.1:80", "169.254.169.254:80", "8.8.8.8:53",
		"0.0.0.0:4443", "255.255.255.255:4443", "[::1]:4443", "[fe80::1]:4443", "[fd00:ec2::254]:80", "[2001:db8::5]:22",
		"[::ffff:127.0.0.1]:4443",
	} {
		t.Run(address, func(t *testing.T) {
			server, media := newServer(t, Limits{})
			to := netip.MustParseAddrPort(address)
			client := joined(t, server, "198.51.100.9:5000")
			ours, number := mediaAt, byte(1)
			if familyOf(to.Addr()) == ipv6 {
				ours, number = mediaAt6, 2
			}
			want(t, "Allocate", client.allocate(stun.RawAttribute{Type: stun.AttrRequestedAddressFamily, Value: []byte{number, 0, 0, 0}}), 0)

			sameHost := to.Addr() == ours.Addr()
			if !sameHost {
				want(t, "CreatePermission", client.ask(stun.MethodCreatePermission, peer(to)), stun.CodeForbidden)
				want(t, "CreatePermission after ours", client.ask(stun.MethodCreatePermission, peer(ours), peer(to)), stun.CodeForbidden)
				client.tell(stun.MethodSend, stun.ClassIndication, peer(ours), stun.RawAttribute{Type: stun.AttrData, Value: []byte("x")})
			}
			want(t, "ChannelBind", client.ask(stun.MethodChannelBind, channelNumber(0), peer(to)), stun.CodeForbidden)

			want(t, "CreatePermission for ours", client.ask(stun.MethodCreatePermission, peer(ours)), 0)
			client.tell(stun.MethodSend, stun.ClassIndication, peer(to), stun.RawAttribute{Type: stun.AttrData, Value: []byte("x")})
			if _, err := client.stream.Write([]byte{0x40, 0, 0, 1, 'x', 0, 0, 0}); err != nil {
				t.Fatal(err)
			}
			want(t, "Binding", client.ask(stun.MethodBinding), 0) // all before it has been handled
			if got := media.packets(); len(got) > 0 {
				t.Errorf("media was given %q", got)
			}
			if server.Stats().Refused == 0 {
				t.Error("no refusal was counted")
			}
		})
	}
}

func TestPeersOfAnotherFamily(t *testing.T) {
	server, _ := newServer(t, Limits{})
	client, _ := relayed(t, server, "198.51.100.9:5000")
	want(t, "CreatePermission", client.ask(stun.MethodCreatePermission, peer(mediaAt6)), stun.CodePeerAddrFamilyMismatch)
	want(t, "ChannelBind", client.ask(stun.MethodChannelBind, channelNumber(0), peer(mediaAt6)), stun.CodePeerAddrFamilyMismatch)
	v6 := stun.RawAttribute{Type: stun.AttrRequestedAddressFamily, Value: []byte{2, 0, 0, 0}}
	want(t, "Refresh", client.ask(stun.MethodRefresh, v6), stun.CodePeerAddrFamilyMismatch)
}

func TestPermissionsAndIndications(t *testing.T) {
	server, media := newServer(t, Limits{})
	client, relay := relayed(t, server, "198.51.100.9:5000")
	want(t, "no peer", client.ask(stun.MethodCreatePermission), stun.CodeBadRequest)
	want(t, "a malformed peer", client.ask(stun.MethodCreatePermission, stun.RawAttribute{Type: stun.AttrXORPeerAddress, Value: make([]byte, 9)}), stun.CodeBadRequest)

	data := stun.RawAttribute{Type: stun.AttrData, Value: []byte("hello")}
	client.tell(stun.MethodSend, stun.ClassIndication, peer(mediaAt), data)
	want(t, "any port of a media host", client.ask(stun.MethodCreatePermission, peer(netip.AddrPortFrom(mediaAt.Addr(), 1))), 0)
	if got := media.packets(); len(got) != 0 {
		t.Errorf("without permission media got %q", got)
	}
	client.tell(stun.MethodSend, stun.ClassIndication, peer(mediaAt), data)
	answer := client.read()
	from, _ := peerOf(answer)
	packet, _ := answer.Get(stun.AttrData)
	if answer.Type.Method != stun.MethodData || answer.Type.Class != stun.ClassIndication || from != mediaAt || string(packet) != "hello" {
		t.Errorf("got %v from %v: %q", answer.Type, from, packet)
	}
	if got, want := media.packets(), relay.String()+">"+mediaAt.String()+" hello"; len(got) != 1 || got[0] != want {
		t.Errorf("media got %q, want %q", got, want)
	}
	client.tell(stun.MethodSend, stun.ClassIndication, peer(mediaAt)) // no data
	client.tell(stun.MethodSend, stun.ClassIndication, data)          // no peer
	client.tell(stun.MethodData, stun.ClassIndication, peer(mediaAt), data)
	want(t, "Binding", client.ask(stun.MethodBinding), 0)
	if got := media.packets(); len(got) != 1 {
		t.Errorf("malformed indications reached media: %q", got)
	}
}

func TestChannels(t *testing.T) {
	server, media := newServer(t, Limits{Channels: 2})
	own := []netip.AddrPort{mediaAt, netip.MustParseAddrPort("203.0.113.5:5000"), netip.MustParseAddrPort("203.0.113.6:4443")}
	server.config.MediaAddresses = func() []netip.AddrPort { return own }
	client, relay := relayed(t, server, "198.51.100.9:5000")
	bind := func(number byte, to netip.AddrPort) *stun.Message {
		return client.ask(stun.MethodChannelBind, channelNumber(number), peer(to))
	}
	want(t, "bind", bind(0, own[0]), 0)
	want(t, "bind again", bind(0, own[0]), 0)
	want(t, "the number is taken", bind(0, own[1]), stun.CodeBadRequest)
	want(t, "the peer has another", bind(1, own[0]), stun.CodeBadRequest)
	want(t, "a second", bind(1, own[1]), 0)
	want(t, "one too many", bind(2, own[2]), stun.CodeInsufficientCapacity)
	want(t, "no number", client.ask(stun.MethodChannelBind, peer(own[2])), stun.CodeBadRequest)
	want(t, "no peer", client.ask(stun.MethodChannelBind, channelNumber(3)), stun.CodeBadRequest)
	want(t, "a reserved number", client.ask(stun.MethodChannelBind, stun.RawAttribute{Type: stun.AttrChannelNumber, Value: []byte{0x50, 0, 0, 0}}, peer(own[2])), stun.CodeBadRequest)

	for _, packet := range []string{"", "a", "abcd", "hello"} {
		frame := append([]byte{0x40, 1, 0, byte(len(packet))}, packet...)
		if _, err := client.stream.Write(append(frame, padding[:-len(frame)&3]...)); err != nil {
			t.Fatal(err)
		}
		got, err := client.in.next()
		if err != nil || string(got) != string(frame) {
			t.Errorf("sent %q, got %q, %v", frame, got, err)
		}
		seen := media.packets()
		if want := relay.String() + ">" + own[1].String() + " " + packet; seen[len(seen)-1] != want {
			t.Errorf("media got %q, want %q", seen[len(seen)-1], want)
		}
	}
	if _, err := client.stream.Write([]byte{0x40, 1, 0, 11, 'r', 'e', 'f', 'u', 's', 'e', ' ', 't', 'h', 'i', 's', 0}); err != nil {
		t.Fatal(err)
	}
	want(t, "Binding", client.ask(stun.MethodBinding), 0)
	media.reply(own[2], []byte("from a host without permission"))
	media.reply(own[0], make([]byte, maxFrame+1))
	if now := server.Stats(); now.Dropped != 3 || now.ToMedia != 4 || now.FromMedia != 4 {
		t.Errorf("counted %+v", now)
	}
}

func TestRefreshToZeroEndsTheAllocation(t *testing.T) {
	server, media := newServer(t, Limits{})
	client, relay := relayed(t, server, "198.51.100.9:5000")
	want(t, "bind", client.ask(stun.MethodChannelBind, channelNumber(0), peer(mediaAt)), 0)
	if _, err := client.stream.Write([]byte{0x40, 0, 0, 4, 'p', 'i', 'n', 'g'}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.in.next(); err != nil {
		t.Fatal(err)
	}
	want(t, "Refresh", client.ask(stun.MethodRefresh, addLifetime(0)), 0)
	if len(media.forgotten) != 1 || media.forgotten[0] != relay || server.Stats().Allocations != 0 {
		t.Errorf("forgotten %v, %+v; want %v", media.forgotten, server.Stats(), relay)
	}
	media.reply(mediaAt, []byte("late"))
	want(t, "after the end", client.ask(stun.MethodRefresh), stun.CodeAllocMismatch)
	if got := server.Stats().Dropped; got != 1 {
		t.Errorf("the late packet was not dropped: %d", got)
	}
	if _, err := client.stream.Write([]byte{0x40, 0, 0, 0}); err != nil { // a channel without an allocation
		t.Fatal(err)
	}
	response := client.allocate()
	want(t, "a new allocation", response, 0)
	value, _ := response.Get(stun.AttrXORRelayedAddress)
	if again, _ := xorAddress(value, response.TransactionID); again == relay {
		t.Error("the relayed address was given out again at once")
	}
}

func TestLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, media := newServer(t, Limits{})
		client, _ := relayed(t, server, "198.51.100.9:5000")
		want(t, "permission", client.ask(stun.MethodCreatePermission, peer(mediaAt)), 0)
		time.Sleep(permissionLifetime + time.Second)
		client.tell(stun.MethodSend, stun.ClassIndication, peer(mediaAt), stun.RawAttribute{Type: stun.AttrData, Value: []byte("x")})
		want(t, "bind", client.ask(stun.MethodChannelBind, channelNumber(0), peer(mediaAt)), 0)
		if got := media.packets(); len(got) != 0 {
			t.Errorf("the permission did not end: %q", got)
		}

		response := client.ask(stun.MethodRefresh, addLifetime(24*time.Hour))
		if seconds, _, _ := fixed(response, stun.AttrLifetime); seconds != 3600 {
			t.Errorf("a day's lifetime became %d s, want the maximum of 3600", seconds)
		}
		time.Sleep(channelLifetime + time.Second)
		if _, err := client.stream.Write([]byte{0x40, 0, 0, 0}); err != nil {
			t.Fatal(err)
		}
		want(t, "the number of the channel that ended", client.ask(stun.MethodChannelBind, channelNumber(1), peer(mediaAt)), 0)
		if got := media.packets(); len(got) != 0 {
			t.Errorf("the channel did not end: %q", got)
		}
		began := time.Now()
		if err := <-client.ended; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 45*time.Minute || took > time.Hour {
			t.Errorf("the allocation ended after %v", took)
		}
	})
}

func TestCallsOutliveTheirCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := newServer(t, Limits{})
		client, _ := relayed(t, server, "198.51.100.9:5000")
		want(t, "Refresh", client.ask(stun.MethodRefresh, addLifetime(time.Hour)), 0)
		for range 60 { // hours with refreshes half an hour apart
			time.Sleep(30 * time.Minute)
			response := client.ask(stun.MethodRefresh, addLifetime(time.Hour))
			if codeOf(response) == stun.CodeStaleNonce {
				_ = client.nonce.GetFrom(response)
				response = client.ask(stun.MethodRefresh, addLifetime(time.Hour))
			}
			want(t, "Refresh", response, 0)
		}
		want(t, "end", client.ask(stun.MethodRefresh, addLifetime(0)), 0)
		want(t, "Allocate after 30 hours", client.allocate(), stun.CodeUnauthorized)
	})
}

func TestConnectionsWithoutAnAllocationEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := newServer(t, Limits{})
		client, began := dial(t, server, "198.51.100.9:5000"), time.Now()
		for range 29 {
			time.Sleep(time.Second)
			want(t, "Binding", client.ask(stun.MethodBinding), 0)
		}
		if err := <-client.ended; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("it ended after %v, want 30 s", took)
		}
	})
}
