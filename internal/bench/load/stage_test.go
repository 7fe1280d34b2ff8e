package load

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
	"golang.org/x/sys/unix"

	"tertulia/internal/media/sdp"
)

// stage is a client and its server's socket, driven step by step: nobody runs the loop, the test calls what the loop would.
// Over the loopback interface a datagram waits at its receiver as soon as it is sent.
type stage struct {
	t      *testing.T
	client *Client
	server *net.UDPConn
	in     *srtp.Context // the server's, once keys are there
	out    *srtp.Context
}

const serverPwd = "the-password-of-the-server"

func newStage(t *testing.T, c Config, publishes bool) *stage {
	t.Helper()
	loop, err := NewLoop()
	ok(t, err)
	c.Loop = loop
	client, err := newClient(c, publishes)
	ok(t, err)
	s := &stage{t: t, client: client}
	s.server = s.socket()
	client.remote = remote{ufrag: "server", pwd: serverPwd, candidates: []netip.AddrPort{s.address()}, setup: "passive"}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	t.Cleanup(func() {
		client.release(errClosed)
		ok(t, loop.Run(ended)) // ends what was begun
	})
	return s
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// socket is one of the server's; it never waits.
func (s *stage) socket() *net.UDPConn {
	s.t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	ok(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func addressOf(conn *net.UDPConn) netip.AddrPort {
	a := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

func (s *stage) address() netip.AddrPort { return addressOf(s.server) }

// say sends a datagram from a socket and lets the client receive it.
func (s *stage) say(from *net.UDPConn, b []byte) {
	s.t.Helper()
	s.post(from, b)
	s.client.receive()
}

func (s *stage) post(from *net.UDPConn, b []byte) {
	s.t.Helper()
	_, err := from.WriteToUDPAddrPort(b, s.client.local)
	ok(s.t, err)
}

// heard is what waits at a socket.
func heard(t *testing.T, conn *net.UDPConn) (all [][]byte) {
	t.Helper()
	raw, err := conn.SyscallConn()
	ok(t, err)
	b := make([]byte, largest)
	ok(t, raw.Control(func(fd uintptr) {
		for {
			n, _, err := unix.Recvfrom(int(fd), b, unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			all = append(all, append([]byte(nil), b[:n]...))
		}
	}))
	return all
}

// checks are the STUN messages that wait at a socket.
func checks(t *testing.T, conn *net.UDPConn) (all []*stun.Message) {
	t.Helper()
	for _, b := range heard(t, conn) {
		m := stun.New()
		m.Raw = b
		ok(t, m.Decode())
		all = append(all, m)
	}
	return all
}

// one is the only check that waits.
func (s *stage) one() *stun.Message {
	s.t.Helper()
	all := checks(s.t, s.server)
	if len(all) != 1 {
		s.t.Fatalf("%d checks wait, want 1", len(all))
	}
	return all[0]
}

// reply responds to a check from a socket.
func (s *stage) reply(from *net.UDPConn, to *stun.Message, pwd string, kind stun.MessageType, more ...stun.Setter) {
	s.t.Helper()
	setters := append([]stun.Setter{stun.NewTransactionIDSetter(to.TransactionID), kind}, more...)
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)...)
	ok(s.t, err)
	s.say(from, m.Raw)
}

// key gives both sides keys, as the handshake would.
func (s *stage) key(profile srtp.ProtectionProfile) {
	s.t.Helper()
	length, err := profile.KeyLen()
	ok(s.t, err)
	saltLength, err := profile.SaltLen()
	ok(s.t, err)
	material := make([]byte, 2*length+2*saltLength)
	for i := range material {
		material[i] = byte(i)
	}
	made := srtp.Config{Profile: profile, Keys: srtp.SessionKeys{
		LocalMasterKey: material[:length], RemoteMasterKey: material[length : 2*length],
		LocalMasterSalt: material[2*length:][:saltLength], RemoteMasterSalt: material[2*length+saltLength:],
	}}
	s.client.selected = s.address()
	ok(s.t, s.client.takeKeys(made))
	s.in, err = srtp.CreateContext(made.Keys.LocalMasterKey, made.Keys.LocalMasterSalt, profile)
	ok(s.t, err)
	s.out, err = srtp.CreateContext(made.Keys.RemoteMasterKey, made.Keys.RemoteMasterSalt, profile)
	ok(s.t, err)
}

// agree gives a publisher's tracks the header of a server that takes every extension.
func (s *stage) agree() {
	for i, kind := range []string{"audio", "video"} {
		s.client.tracks[i].agree(section(kind))
	}
}

func section(kind string) *sdp.Section {
	s := &sdp.Section{Kind: kind, MID: "7", Codecs: []sdp.Codec{{PayloadType: 100}}}
	for i, uri := range []string{sdp.ExtAbsSendTime, sdp.ExtTransportCC, sdp.ExtAudioLevel, sdp.ExtMID} {
		s.Extensions = append(s.Extensions, sdp.Extension{ID: uint8(i + 1), URI: uri})
	}
	return s
}

// reports are the RTCP packets that wait at the server.
func (s *stage) reports() (all []rtcp.Packet) {
	s.t.Helper()
	for _, b := range heard(s.t, s.server) {
		plain, err := s.in.DecryptRTCP(nil, b, nil)
		ok(s.t, err)
		packets, err := rtcp.Unmarshal(plain)
		ok(s.t, err)
		all = append(all, packets...)
	}
	return all
}
