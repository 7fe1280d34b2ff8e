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

// dtls takes a DTLS datagram; a server that is the DTLS client begins with one.
func (c *Client) dtls(from netip.AddrPort, b []byte) {
	switch {
	case c.handshake != nil:
		_, _ = c.handshake.Write(b)
	case !c.connected() && c.selected == from:
		c.shake(b)
	}
}

// shake starts the handshake, with the first datagram if the server has begun.
func (c *Client) shake(first []byte) {
	ctx, cancel := context.WithCancel(context.Background()) // ended by end
	h := &handshake{Buffer: packetio.NewBuffer(), cancel: cancel, fd: c.fd, to: c.selected}
	h.SetLimitCount(64)
	h.SetLimitSize(64 << 10)
	if first != nil {
		_, _ = h.Write(first)
	}
	c.handshake = h
	active := c.remote.setup != "active"
	options := c.options()
	c.loop.tasks.Go(func() {
		conn, keys, err := h.run(ctx, active, options)
		c.loop.post(func() { c.shaken(h, active, keys, err) })
		<-ctx.Done()
		if conn != nil {
			_ = conn.Close()
		}
		_ = h.Close()
	})
}

// options are those both roles have.
func (c *Client) options() []dtls.Option {
	profiles := []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}
	if c.config.SRTP == CM {
		profiles = profiles[1:]
	}
	fingerprints := c.remote.fingerprints
	return []dtls.Option{
		dtls.WithCertificates(c.loop.certificate),
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

func (h *handshake) run(ctx context.Context, active bool, options []dtls.Option) (conn *dtls.Conn, keys srtp.Config, err error) {
	if active {
		conn, err = dtls.ClientWithOptions(h, &net.UDPAddr{}, asClient(options)...)
	} else {
		conn, err = dtls.ServerWithOptions(h, &net.UDPAddr{}, asServer(options)...)
	}
	if err != nil {
		return nil, keys, fmt.Errorf("DTLS: %w", err)
	}
	within, cancel := context.WithTimeout(ctx, shakeWithin)
	defer cancel()
	if err := conn.HandshakeContext(within); err != nil {
		return conn, keys, fmt.Errorf("DTLS: %w", err)
	}
	chosen, ok := conn.SelectedSRTPProtectionProfile()
	state, known := conn.ConnectionState()
	if !ok || !known {
		return conn, keys, errors.New("DTLS: no SRTP profile")
	}
	keys.Profile = srtp.ProtectionProfile(chosen)
	return conn, keys, keys.ExtractSessionKeysFromDTLS(&state, active)
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
func (c *Client) shaken(h *handshake, active bool, keys srtp.Config, err error) {
	if c.handshake != h {
		return // closed meanwhile
	}
	if err == nil {
		err = c.takeKeys(keys)
	}
	if err != nil {
		h.end()
		c.handshake = nil
		c.settle(fmt.Errorf("client %s: %w", c.ufrag, err))
		return
	}
	if active {
		h.end()
		c.handshake = nil
	} else {
		c.lingers = c.loop.now() + lingerFor
	}
	c.settle(nil)
	c.greet()
}

func (c *Client) takeKeys(keys srtp.Config) (err error) {
	if err := unix.Connect(c.fd, sockaddr(c.selected)); err != nil {
		return fmt.Errorf("connect to %s: %w", c.selected, err)
	}
	if !c.publishes && !c.config.Probe {
		if err := sample(c.fd); err != nil {
			return err
		}
	}
	c.chosen = CM
	if keys.Profile != srtp.ProtectionProfileAes128CmHmacSha1_80 {
		c.chosen = GCM
	}
	local, remote := keys.Keys, keys.Keys
	if c.in, err = srtp.CreateContext(remote.RemoteMasterKey, remote.RemoteMasterSalt, keys.Profile); err != nil {
		return err
	}
	if c.rtpOut, err = srtp.CreateContext(local.LocalMasterKey, local.LocalMasterSalt, keys.Profile); err != nil {
		return err
	}
	// The player and the loop have a context each: RTP and RTCP share keys, but no state.
	c.rtcpOut, err = srtp.CreateContext(local.LocalMasterKey, local.LocalMasterSalt, keys.Profile)
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
