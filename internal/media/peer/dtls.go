package peer

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/packetio"

	"tertulia/internal/media"
	"tertulia/internal/media/sdp"
	"tertulia/internal/media/seal"
)

const (
	handshakeWithin = 20 * time.Second
	maxHandshakes   = 256 // under way in a shard; the next clients' hellos wait for their retransmission
	maxAttempts     = 5   // of one endpoint
	maxEarly        = 4
	replayWindow    = 1024
)

// handshake is a DTLS server on an in-memory connection. It lives in a goroutine of its own until the client has
// proven that it has our last flight, and is then released: 0 goroutines and no buffers stay behind.
type handshake struct {
	pipe *pipe
	end  context.CancelFunc // called by the shard to release it
}

// pipe is the packet connection pion/dtls sees.
type pipe struct {
	*packetio.Buffer
	write func([]byte)
}

func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.Read(b)
	return n, p.LocalAddr(), err
}

func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.write(slices.Clone(b))
	return len(b), nil
}

func (p *pipe) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (p *pipe) SetDeadline(t time.Time) error    { return p.SetReadDeadline(t) }
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

// dtlsPacket takes a DTLS record that came over a validated path.
func (t *transport) dtlsPacket(b []byte) {
	if t.out == nil {
		t.hellos++
	}
	switch {
	case t.refused != "" || t.proven:
		return
	case t.dtls != nil:
		_, _ = t.dtls.pipe.Write(b)
	case len(t.remote.Fingerprints) == 0:
		if len(t.early) < maxEarly {
			t.early = append(t.early, slices.Clone(b))
		}
	default:
		t.startDTLS(b)
	}
}

// takeEarly starts the handshake with what came before the client's answer.
func (t *transport) takeEarly() {
	for _, b := range t.early {
		t.dtlsPacket(b)
	}
	t.early = nil
}

func (t *transport) startDTLS(first []byte) {
	s := t.endpoint.shard
	if t.attempts >= maxAttempts || s.handshake >= maxHandshakes || t.out != nil {
		s.counters.HandshakeRefused++
		return
	}
	t.attempts++
	s.handshake++
	ctx, end := context.WithCancel(context.Background()) // ended by the endpoint's release
	h := &handshake{pipe: &pipe{Buffer: packetio.NewBuffer()}, end: end}
	h.pipe.SetLimitCount(64)
	h.pipe.SetLimitSize(64 << 10)
	h.pipe.write = func(b []byte) {
		s.post(func() {
			if t.dtls == h && t.selected != nil {
				s.out.transmit(b, t.selected.pathKey)
			}
		})
	}
	t.dtls = h
	_, _ = h.pipe.Write(first)
	fingerprints := t.remote.Fingerprints
	s.tasks.Go(func() { h.serve(ctx, t.endpoint, fingerprints) })
}

// endDTLS releases the handshake without a word to the client: dtls writes are dropped once t.dtls is nil.
func (t *transport) endDTLS() {
	if t.dtls != nil {
		t.dtls.end()
		t.dtls, t.proof = nil, nil
	}
}

// takeProof keeps the first SRTCP that overtakes the end of the handshake: of one client in two or three on loopback. A
// viewer's next comes a second later, and so long its DTLS could not be released.
func (t *transport) takeProof(b []byte) {
	if t.dtls == nil || t.proof != nil {
		t.endpoint.shard.counters.BeforeKeys++
		return
	}
	t.proof = slices.Clone(b)
}

// prove opens it once the keys are there.
func (t *transport) prove() {
	b := t.proof
	t.proof = nil
	if b != nil && t.selected != nil {
		t.endpoint.rtcpPacket(t.selected, b)
	}
}

// forsakeDTLS releases what a client with keys has not proven in time: it may be there for its checks only, and each
// one's goroutine and buffers would stay as long as they come.
func (t *transport) forsakeDTLS(now media.Time) {
	if t.dtls != nil && t.out != nil && now-t.keyed >= proveWithin {
		t.endDTLS()
	}
}

// serve runs one handshake and keeps its connection for retransmissions until ctx ends.
func (h *handshake) serve(ctx context.Context, e *Endpoint, fingerprints []sdp.Fingerprint) {
	s := e.shard
	conn, state, err := h.shake(ctx, s.config.Certificate, fingerprints, s.config.Log)
	s.post(func() {
		s.handshake--
		if e.dtls == h {
			e.shaken(conn, state, err)
		}
	})
	if err != nil {
		return
	}
	<-ctx.Done()
	_ = conn.Close()
}

var errFingerprint = errors.New("the client's DTLS certificate is not the one its SDP announced")

func (h *handshake) shake(ctx context.Context, own tls.Certificate, fingerprints []sdp.Fingerprint, log *slog.Logger) (*dtls.Conn, dtls.State, error) {
	conn, err := dtls.ServerWithOptions(h.pipe, &net.UDPAddr{},
		dtls.WithCertificates(own),
		dtls.WithLoggerFactory(dtlsLog{log}),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		// The address is validated by ICE already: no cookie round trip.
		dtls.WithInsecureSkipVerifyHello(true),
		dtls.WithFlightInterval(200*time.Millisecond),
		dtls.WithVerifyPeerCertificate(func(certificates [][]byte, _ [][]*x509.Certificate) error {
			if len(certificates) == 0 || !announced(certificates[0], fingerprints) {
				return errFingerprint
			}
			return nil
		}))
	if err != nil {
		_ = h.pipe.Close()
		return nil, dtls.State{}, err
	}
	within, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	if err := conn.HandshakeContext(within); err != nil {
		_ = conn.Close()
		return nil, dtls.State{}, err
	}
	state, _ := conn.ConnectionState()
	return conn, state, nil
}

// announced reports whether a certificate has one of the fingerprints (RFC 8122 §5; SHA-1 and weaker do not count).
func announced(certificate []byte, fingerprints []sdp.Fingerprint) bool {
	for _, f := range fingerprints {
		var sum []byte
		switch f.Algorithm {
		case "sha-256":
			h := sha256.Sum256(certificate)
			sum = h[:]
		case "sha-384":
			h := sha512.Sum384(certificate)
			sum = h[:]
		case "sha-512":
			h := sha512.Sum512(certificate)
			sum = h[:]
		default:
			continue
		}
		if colons(sum) == f.Value {
			return true
		}
	}
	return false
}

// shaken takes the keys of a finished handshake, or notes why there are none.
func (t *transport) shaken(conn *dtls.Conn, state dtls.State, err error) {
	if err == nil {
		err = t.takeKeys(conn, &state)
	}
	switch {
	case err == nil:
		t.connected()
		t.prove()
	case errors.Is(err, errFingerprint):
		t.endpoint.shard.counters.FingerprintMismatch++
		t.refused = errFingerprint.Error()
		t.endDTLS()
		t.fail(t.refused)
	default:
		// A client that is slow or lost packets starts again with a new ClientHello.
		t.broken = err.Error()
		t.endDTLS()
		t.endpoint.shard.config.Log.Debug("DTLS handshake failed", "endpoint", t.endpoint.config.Name, "error", err)
		if t.attempts >= maxAttempts {
			t.fail("DTLS handshake failed: " + err.Error())
		}
	}
}

func (t *transport) takeKeys(conn *dtls.Conn, state *dtls.State) error {
	chosen, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return errors.New("no common SRTP protection profile")
	}
	keys := srtp.Config{Profile: srtp.ProtectionProfile(chosen)}
	if err := keys.ExtractSessionKeysFromDTLS(state, false); err != nil {
		return err
	}
	in, err := srtp.CreateContext(keys.Keys.RemoteMasterKey, keys.Keys.RemoteMasterSalt, keys.Profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return err
	}
	out, err := seal.New(keys.Profile, keys.Keys.LocalMasterKey, keys.Keys.LocalMasterSalt)
	if err != nil {
		return err
	}
	t.in, t.out, t.profile, t.keyed = in, out, keys.Profile, t.endpoint.shard.now
	return nil
}
