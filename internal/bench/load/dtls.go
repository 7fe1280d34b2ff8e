package load

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/packetio"
	"golang.org/x/sys/unix"

	"tertulia/internal/media/sdp"
)

// handshake is DTLS on an in-memory connection, in a goroutine of its own. It is over with the keys; only a DTLS server,
// whose last flight may be lost, lingers.
type handshake struct {
	*packetio.Buffer // what came from the server
	cancel           context.CancelFunc

	mu   sync.Mutex
	over bool // nothing may be written any more: the socket may be closed
	fd   int
	to   netip.AddrPort
}

const (
	shakeWithin = 20 * time.Second
	lingerFor   = 4 * time.Second
)

// end releases the handshake without a word to the server.
func (h *handshake) end() {
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
	h.cancel()
}

// The rest of net.PacketConn.

func (h *handshake) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := h.Read(b)
	return n, h.LocalAddr(), err
}

func (h *handshake) WriteTo(b []byte, _ net.Addr) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		_ = unix.Sendto(h.fd, b, 0, sockaddr(h.to))
	}
	return len(b), nil
}

func (h *handshake) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (h *handshake) SetDeadline(t time.Time) error    { return h.SetReadDeadline(t) }
func (h *handshake) SetWriteDeadline(time.Time) error { return nil }

// keys are a client's DTLS, and the SRTP contexts that come of it.
type keys struct {
	client *Client

	handshake *handshake
	lingers   time.Duration // until then the handshake may have to repeat its last flight; 0: it is over
	in        *srtp.Context
	rtcpOut   *srtp.Context

	// Written before the client is ready.
	chosen Profile
	rtpOut *srtp.Context // the player's
}

func (k *keys) connected() bool { return k.rtcpOut != nil }

// dtls takes a DTLS datagram; a server that is the DTLS client begins with one.
func (k *keys) dtls(from netip.AddrPort, b []byte) {
	switch {
	case k.handshake != nil:
		_, _ = k.handshake.Write(b)
	case !k.connected() && k.client.selected == from && k.client.failed == nil: // what has failed stays so
		k.shake(b)
	}
}

// shake starts the handshake, with the first datagram if the server has begun.
func (k *keys) shake(first []byte) {
	ctx, cancel := context.WithCancel(context.Background()) // ended by end
	h := &handshake{Buffer: packetio.NewBuffer(), cancel: cancel, fd: k.client.fd, to: k.client.selected}
	h.SetLimitCount(64)
	h.SetLimitSize(64 << 10)
	if first != nil {
		_, _ = h.Write(first)
	}
	k.handshake = h
	active := k.client.remote.setup != "active"
	options := k.options()
	k.client.loop.tasks.Go(func() {
		conn, made, err := h.run(ctx, active, options)
		k.client.loop.post(func() { k.shaken(h, active, made, err) })
		<-ctx.Done()
		if conn != nil {
			_ = conn.Close()
		}
		_ = h.Close()
	})
}

// options are those both roles have.
func (k *keys) options() []dtls.Option {
	profiles := []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}
	if k.client.config.SRTP == CM {
		profiles = profiles[1:]
	}
	fingerprints := k.client.remote.fingerprints
	return []dtls.Option{
		dtls.WithCertificates(k.client.loop.certificate),
		dtls.WithSRTPProtectionProfiles(profiles...),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithFlightInterval(500 * time.Millisecond),
		dtls.WithInsecureSkipVerify(true), // instead, the certificate is the one the description names
		dtls.WithVerifyPeerCertificate(func(certificates [][]byte, _ [][]*x509.Certificate) error {
			if len(certificates) == 0 || !announced(certificates[0], fingerprints) {
				return errors.New("the server's certificate is not the one its description announced")
			}
			return nil
		}),
	}
}

func (h *handshake) run(ctx context.Context, active bool, options []dtls.Option) (conn *dtls.Conn, made srtp.Config, err error) {
	if active {
		conn, err = dtls.ClientWithOptions(h, &net.UDPAddr{}, asClient(options)...)
	} else {
		conn, err = dtls.ServerWithOptions(h, &net.UDPAddr{}, asServer(options)...)
	}
	if err != nil {
		return nil, made, fmt.Errorf("DTLS: %w", err)
	}
	within, cancel := context.WithTimeout(ctx, shakeWithin)
	defer cancel()
	if err := conn.HandshakeContext(within); err != nil {
		return conn, made, fmt.Errorf("DTLS: %w", err)
	}
	chosen, ok := conn.SelectedSRTPProtectionProfile()
	state, known := conn.ConnectionState()
	if !ok || !known {
		return conn, made, errors.New("DTLS: no SRTP profile")
	}
	made.Profile = srtp.ProtectionProfile(chosen)
	return conn, made, made.ExtractSessionKeysFromDTLS(&state, active)
}

func asClient(options []dtls.Option) []dtls.ClientOption {
	var all []dtls.ClientOption
	for _, o := range options {
		all = append(all, o)
	}
	return all
}

func asServer(options []dtls.Option) []dtls.ServerOption {
	all := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true)}
	for _, o := range options {
		all = append(all, o)
	}
	return all
}

// shaken takes the keys: from now on the client is connected.
func (k *keys) shaken(h *handshake, active bool, made srtp.Config, err error) {
	if k.handshake != h {
		return // closed meanwhile
	}
	if err == nil {
		err = k.takeKeys(made)
	}
	if err != nil {
		h.end()
		k.handshake = nil
		k.client.settle(fmt.Errorf("client %s: %w", k.client.ufrag, err))
		return
	}
	if active {
		h.end()
		k.handshake = nil
	} else {
		k.lingers = k.client.loop.now() + lingerFor
	}
	k.client.settle(nil)
	k.client.greet()
}

func (k *keys) takeKeys(made srtp.Config) (err error) {
	if err := unix.Connect(k.client.fd, sockaddr(k.client.selected)); err != nil {
		return fmt.Errorf("connect to %s: %w", k.client.selected, err)
	}
	if !k.client.publishes && !k.client.config.Probe {
		if err := sample(k.client.fd); err != nil {
			return err
		}
	}
	k.chosen = CM
	if made.Profile != srtp.ProtectionProfileAes128CmHmacSha1_80 {
		k.chosen = GCM
	}
	local, remote := made.Keys, made.Keys
	if k.in, err = srtp.CreateContext(remote.RemoteMasterKey, remote.RemoteMasterSalt, made.Profile); err != nil {
		return err
	}
	if k.rtpOut, err = srtp.CreateContext(local.LocalMasterKey, local.LocalMasterSalt, made.Profile); err != nil {
		return err
	}
	// The player and the loop have a context each: RTP and RTCP share keys, but no state.
	k.rtcpOut, err = srtp.CreateContext(local.LocalMasterKey, local.LocalMasterSalt, made.Profile)
	return err
}

func fingerprint(certificate []byte) sdp.Fingerprint {
	sum := sha256.Sum256(certificate)
	return sdp.Fingerprint{Algorithm: "sha-256", Value: colons(sum[:])}
}

func colons(sum []byte) string {
	var w strings.Builder
	for i, b := range sum {
		if i > 0 {
			w.WriteByte(':')
		}
		w.WriteString(strings.ToUpper(hex.EncodeToString([]byte{b})))
	}
	return w.String()
}

// announced reports whether a certificate has one of the fingerprints (RFC 8122 §5).
func announced(certificate []byte, fingerprints []sdp.Fingerprint) bool {
	sums := map[string]func() []byte{
		"sha-1":   func() []byte { s := sha1.Sum(certificate); return s[:] },
		"sha-256": func() []byte { s := sha256.Sum256(certificate); return s[:] },
		"sha-384": func() []byte { s := sha512.Sum384(certificate); return s[:] },
		"sha-512": func() []byte { s := sha512.Sum512(certificate); return s[:] },
	}
	return slices.ContainsFunc(fingerprints, func(f sdp.Fingerprint) bool {
		sum := sums[f.Algorithm]
		return sum != nil && colons(sum()) == f.Value
	})
}
