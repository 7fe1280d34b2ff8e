package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"

	"tertulia/internal/media"
	"tertulia/internal/media/sdp"
	"tertulia/internal/media/socket"
)

// guest is the cheapest client there can be: a bare socket, one connectivity check, a DTLS client that ends once it has
// its keys, and these keys.
type guest struct {
	conn  *net.UDPConn
	check []byte
	out   *srtp.Context
	rr    []byte
}

// datagrams is a connected socket as pion/dtls wants it. Once hushed it sends no more: the server must not learn that the
// client's DTLS has ended, as it never learns of a browser's.
type datagrams struct {
	*net.UDPConn
	hushed atomic.Bool
}

func (d *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := d.Read(b)
	return n, d.RemoteAddr(), err
}

func (d *datagrams) WriteTo(b []byte, _ net.Addr) (int, error) {
	if d.hushed.Load() {
		return len(b), nil
	}
	return d.Write(b)
}

func (d *datagrams) Close() error { return d.SetReadDeadline(time.Unix(1, 0)) }

// enter connects a guest to an endpoint of the server.
func enter(server netip.AddrPort, own credential, certificate tls.Certificate) (*guest, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return nil, err
	}
	check, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(own.ufrag+":test"),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)}, stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity(own.pwd), stun.Fingerprint)
	if err != nil {
		return nil, err
	}
	g := &guest{conn: conn, check: check.Raw}
	if err := g.pass(); err != nil {
		return nil, err
	}
	return g, g.shake(certificate)
}

// pass repeats the check until it is answered.
func (g *guest) pass() error {
	b := make([]byte, 1500)
	for range 20 {
		if _, err := g.conn.Write(g.check); err != nil {
			return err
		}
		_ = g.conn.SetReadDeadline(time.Now().Add(time.Second))
		if n, err := g.conn.Read(b); err == nil && socket.Classify(b[:n]) == socket.STUN {
			return g.conn.SetReadDeadline(time.Time{})
		}
	}
	return errors.New("no check was answered")
}

// shake takes the keys and proves that it has them.
func (g *guest) shake(certificate tls.Certificate) error {
	wire := &datagrams{UDPConn: g.conn}
	conn, err := dtls.ClientWithOptions(wire, g.conn.RemoteAddr(), dtls.WithCertificates(certificate),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM), dtls.WithInsecureSkipVerify(true),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret))
	if err != nil {
		return err
	}
	defer conn.Close()
	defer wire.hushed.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), handshakeWithin)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	state, _ := conn.ConnectionState()
	keys := srtp.Config{Profile: srtp.ProtectionProfileAeadAes128Gcm}
	if err := keys.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		return err
	}
	if g.out, err = srtp.CreateContext(keys.Keys.LocalMasterKey, keys.Keys.LocalMasterSalt, keys.Profile); err != nil {
		return err
	}
	g.rr, _ = rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1}})
	return g.report()
}

func (g *guest) report() error {
	b, err := g.out.EncryptRTCP(nil, g.rr, nil)
	if err == nil {
		_, err = g.conn.Write(b)
	}
	return err
}

type credential struct{ ufrag, pwd string }

func selfSigned(t testing.TB) tls.Certificate {
	t.Helper()
	certificate, err := selfsign.GenerateSelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// hall is a shard on a real socket whose endpoints all watch one publisher.
type hall struct {
	*Shard
	offer  string // of a guest: Chromium's
	tracks []*media.Track
}

func openHall(t testing.TB, fingerprint string) *hall {
	t.Helper()
	return openHallAt(t, "127.0.0.1:0", fingerprint)
}

func openHallAt(t testing.TB, address, fingerprint string) *hall {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	conn, err := socket.Listen(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{
		Socket: conn, Addresses: func() socket.Addresses { return socket.Addresses{Loopback: []netip.Addr{conn.LocalAddr().Addr()}} },
		Certificate: selfSigned(t), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &hall{Shard: s}
	text, err := os.ReadFile("../sdp/testdata/chromium-subscribe.sdp")
	if err != nil {
		t.Fatal(err)
	}
	h.offer = regexp.MustCompile(`a=fingerprint:\S+ \S+`).ReplaceAllString(string(text), "a=fingerprint:sha-256 "+fingerprint)
	h.offer = regexp.MustCompile(`a=ice-ufrag:\S+`).ReplaceAllString(h.offer, "a=ice-ufrag:test")
	h.tracks = []*media.Track{trackOf(s, "audio", sdp.Default("audio")), trackOf(s, "video", sdp.Default("video"))}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
	return h
}

// seat opens an endpoint and answers a guest's offer.
func (h *hall) seat(t testing.TB, n int) credential {
	t.Helper()
	e, err := h.Open(t.Context(), EndpointConfig{Name: fmt.Sprint("con_", n)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.AcceptSubscribe(t.Context(), strings.Clone(h.offer), SubscribeOptions{Tracks: h.tracks}); err != nil {
		t.Fatal(err)
	}
	return credential{e.ufrag, e.pwd}
}

// full waits until n guests have proven their keys.
func (h *hall) full(t testing.TB, n int) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !h.proven(t, n); {
		if time.Now().After(deadline) {
			t.Fatalf("not all of %d guests have proven their keys", n)
		}
	}
}
