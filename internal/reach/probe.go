package reach

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/fault"
)

const (
	probeWithin = 5 * time.Second
	// echoWithin is the part of it that a packet has to come back through the relay.
	echoWithin = 1500 * time.Millisecond
	dialWithin = 2500 * time.Millisecond
)

// Target is a TURN server to be tried.
type Target struct {
	URL string // turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]; IPv6 addresses in brackets
	// Secret is the one credentials are made of; without it Username and Credential are used.
	Username, Credential, Secret string
	// Peer answers STUN and is what packets are relayed to; zero: a second allocation.
	Peer netip.AddrPort
	// Roots are who may have signed its certificate; nil for the system's.
	Roots *x509.CertPool
}

// Probe is what came of it; Code is "" if all went well.
type Probe struct {
	URL       string
	At        time.Time
	Allocated bool          // it has given us a relayed address
	Echoed    bool          // a packet has come back through it
	RTT       time.Duration // of that packet
	Code      string        // TURN_SECRET_WRONG, TURN_CLOCK_SKEWED, CERTIFICATE_INVALID, TURN_FAULTY
	Text, Fix string
}

// ProbeTURN allocates, sends a packet through the relay and waits for it to come back: within 5 s, over UDP, TCP or TLS
// as the URL says. No error: whatever is wrong has a code, a text and a fix.
func ProbeTURN(ctx context.Context, target Target) Probe {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	p := Probe{URL: target.URL, At: time.Now()}
	at, err := parseTURN(target.URL)
	if err != nil {
		p.fail(codeTURN, err.Error(), "Correct the URL.")
		return p
	}
	user, password := target.Username, target.Credential
	if target.Secret != "" {
		user, password = Timed(target.Secret, "probe", time.Now().Add(24*time.Hour))
	}
	first, err := at.client(ctx, &target, user, password)
	if err != nil {
		p.unreachable(err, at)
		return p
	}
	defer first.conn.Close()
	defer first.release()
	if err := first.allocate(ctx); err != nil {
		p.refused(ctx, err, at, &target)
		return p
	}
	p.Allocated = true
	if target.Peer.IsValid() {
		err = p.reflected(ctx, first, target.Peer)
	} else {
		err = p.echoed(ctx, first, at, &target, user, password)
	}
	if err != nil {
		p.relayless(err, first)
	}
	return p
}

func (p *Probe) fail(code, text, fix string) { p.Code, p.Text, p.Fix = code, text, fix }

// reflected asks a STUN server through the relay.
func (p *Probe) reflected(ctx context.Context, c *turnClient, peer netip.AddrPort) error {
	if err := c.permit(ctx, peer); err != nil {
		return err
	}
	question, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return err
	}
	return p.await(c, peer, question.Raw, func(b []byte) bool {
		return len(b) >= 20 && bytes.Equal(b[8:20], question.TransactionID[:])
	})
}

// echoed sends a packet from one allocation to a second one, which sends it back.
func (p *Probe) echoed(ctx context.Context, c *turnClient, at address, target *Target, user, password string) error {
	second, err := at.client(ctx, target, user, password)
	if err != nil {
		return err
	}
	defer second.conn.Close()
	defer second.release()
	if err := second.allocate(ctx); err != nil {
		return err
	}
	if err := c.permit(ctx, second.relay); err != nil {
		return err
	}
	if err := second.permit(ctx, c.relay); err != nil {
		return err
	}
	packet := token()
	began := time.Now()
	for _, pause := range resends[:2] {
		if err := c.send(second.relay, packet); err != nil {
			return err
		}
		got, err := second.receive(time.Now().Add(pause))
		if err != nil || !bytes.Equal(got.packet, packet) {
			continue
		}
		if err := second.send(got.from, packet); err != nil {
			return err
		}
		for end := time.Now().Add(pause); ; {
			back, err := c.receive(end)
			if err != nil {
				break
			}
			if bytes.Equal(back.packet, packet) {
				p.Echoed, p.RTT = true, time.Since(began)
				return nil
			}
		}
	}
	return errNoEcho
}

var errNoEcho = errors.New("no packet came back")

// await sends a packet to a peer until an answer comes.
func (p *Probe) await(c *turnClient, peer netip.AddrPort, packet []byte, answers func([]byte) bool) error {
	for end := time.Now().Add(echoWithin); time.Now().Before(end); {
		began := time.Now()
		if err := c.send(peer, packet); err != nil {
			return err
		}
		for until := began.Add(resends[0]); ; {
			got, err := c.receive(until)
			if err != nil {
				break
			}
			if answers(got.packet) {
				p.Echoed, p.RTT = true, time.Since(began)
				return nil
			}
		}
	}
	return errNoEcho
}

// unreachable names why there is no connection.
func (p *Probe) unreachable(err error, at address) {
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		p.Code = codeCertificate
		p.Text, p.Fix = describe(certificate, at.host)
		return
	}
	text := fmt.Sprintf("%s cannot be reached over %s: %v", at.address(), at.protocol(), err)
	if errors.As(err, new(tls.RecordHeaderError)) {
		text = fmt.Sprintf("%s does not speak TLS", at.address())
	}
	p.fail(codeTURN, text, at.opened())
}

// refused names why it did not allocate. That a far longer lifetime is accepted shows that clocks disagree.
func (p *Probe) refused(ctx context.Context, err error, at address, target *Target) {
	var refused *refusal
	switch {
	case !errors.As(err, &refused):
		p.fail(codeTURN, fmt.Sprintf("%s does not answer over %s: %v", at.address(), at.protocol(), plain(err)), at.opened())
	case refused.code != stun.CodeUnauthorized && refused.code != stun.CodeForbidden:
		p.fail(codeTURN, fmt.Sprintf("%s gives no relay: %v", at.address(), refused), "Look into its log and quotas (coturn: user-quota, total-quota, max-bps, listening and relay addresses).")
	case target.Secret != "" && accepted(ctx, at, target):
		p.fail(codeClock, fmt.Sprintf("%s takes a credential that is good for a day for expired, and accepts one of ten years: its clock is ahead of ours by more than a day", at.address()),
			"Set the clocks of this machine and of "+at.host+" (timedatectl set-ntp true).")
	default:
		p.fail(codeSecret, fmt.Sprintf("%s answers %v to our credential", at.address(), refused),
			"Use the same secret on both sides: static-auth-secret of "+at.host+" and COTURN_SHARED_SECRET_KEY (or staticAuthSecret of its entry in OPENVIDU_WEBRTC_ICE_SERVERS) here.")
	}
}

// accepted tries a credential that outlives any clock.
func accepted(ctx context.Context, at address, target *Target) bool {
	user, password := Timed(target.Secret, "probe", time.Now().AddDate(10, 0, 0))
	c, err := at.client(ctx, target, user, password)
	if err != nil {
		return false
	}
	defer c.conn.Close()
	defer c.release()
	return c.allocate(ctx) == nil
}

// relayless names why nothing came back although there is an allocation.
func (p *Probe) relayless(err error, c *turnClient) {
	var refused *refusal
	if errors.As(err, &refused) {
		p.fail(codeTURN, fmt.Sprintf("it allocates %s but refuses to relay there: %v", c.relay, refused),
			"Let it relay to that address (coturn: denied-peer-ip, allowed-peer-ip, allow-loopback-peers).")
		return
	}
	p.fail(codeTURN, fmt.Sprintf("it allocates %s, but no packet passes through: its relay ports are blocked", c.relay),
		"Open its relay ports (coturn: min-port to max-port, 49152 to 65535 unless set) for UDP on every firewall, and check external-ip.")
}

// describe says what is wrong with a certificate, with its dates.
func describe(err *tls.CertificateVerificationError, host string) (text, fix string) {
	var name x509.HostnameError
	var signer x509.UnknownAuthorityError
	if len(err.UnverifiedCertificates) == 0 {
		return fmt.Sprintf("%s: %v", host, err.Err), "Give " + host + " a certificate that clients trust."
	}
	leaf := err.UnverifiedCertificates[0]
	dates := fmt.Sprintf("(valid from %s to %s)", day(leaf.NotBefore), day(leaf.NotAfter))
	now := time.Now()
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Sprintf("the certificate of %s has expired %s", host, dates), "Renew the certificate of " + host + "."
	case now.Before(leaf.NotBefore):
		return fmt.Sprintf("the certificate of %s is not valid yet %s", host, dates), "Set the clocks (timedatectl set-ntp true), or wait."
	case errors.As(err.Err, &name):
		return fmt.Sprintf("the certificate of %s is for another name %s", host, dates), "Give " + host + " a certificate with its name, or use the name it is for."
	case errors.As(err.Err, &signer):
		return fmt.Sprintf("the certificate of %s is of a signer nobody knows %s", host, dates), "Give " + host + " a certificate that clients trust, with its intermediates."
	}
	return fmt.Sprintf("the certificate of %s is refused %s: %v", host, dates, err.Err), "Give " + host + " a certificate that clients trust."
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// plain shortens what net says of a deadline.
func plain(err error) string {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer in time"
	}
	return err.Error()
}

// address is a TURN URL taken apart.
type address struct {
	host, port string
	tcp, tls   bool
}

func (a address) address() string { return net.JoinHostPort(a.host, a.port) }

func (a address) protocol() string {
	switch {
	case a.tls:
		return "TLS"
	case a.tcp:
		return "TCP"
	}
	return "UDP"
}

// opened is the rule that lets clients reach it.
func (a address) opened() string {
	port, _ := strconv.ParseUint(a.port, 10, 16) // it was parsed before
	protocol := "udp"
	if a.tcp {
		protocol = "tcp"
	}
	return "Start it, and open its port there:\n" + strings.Join(Rules(uint16(port), protocol), "\n")
}

// parseTURN reads RFC 7065's URLs.
func parseTURN(url string) (a address, err error) {
	wrong := func(what string) (address, error) {
		return a, fault.New(fault.Invalid, "%q: %s; want turn:HOST:PORT?transport=udp or tcp, or turns:HOST:PORT", url, what)
	}
	scheme, rest, _ := strings.Cut(url, ":")
	rest, query, _ := strings.Cut(rest, "?")
	switch {
	case scheme == "turns" && (query == "" || query == "transport=tcp"):
		a.tcp, a.tls, a.port = true, true, "5349"
	case scheme == "turn" && (query == "" || query == "transport=udp"):
		a.port = "3478"
	case scheme == "turn" && query == "transport=tcp":
		a.tcp, a.port = true, "3478"
	default:
		return wrong("not a TURN URL we can try")
	}
	a.host = strings.Trim(rest, "[]")
	if _, err := netip.ParseAddr(a.host); err != nil && strings.Contains(rest, ":") {
		if a.host, a.port, err = net.SplitHostPort(rest); err != nil {
			return wrong("host and port cannot be told apart")
		}
	}
	if n, err := strconv.ParseUint(a.port, 10, 16); err != nil || n == 0 || a.host == "" {
		return wrong("host or port is missing")
	}
	return a, nil
}

// client connects.
func (a address) client(ctx context.Context, target *Target, user, password string) (*turnClient, error) {
	dialing, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	network := "udp"
	if a.tcp {
		network = "tcp"
	}
	conn, err := (&net.Dialer{}).DialContext(dialing, network, a.address())
	if err != nil {
		return nil, errors.New(plain(err))
	}
	if a.tls {
		secure := tls.Client(conn, &tls.Config{ServerName: a.host, RootCAs: target.Roots, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(dialing); err != nil {
			_ = conn.Close()
			return nil, err
		}
		conn = secure
	}
	return newTURNClient(ctx, conn, a.tcp, user, password), nil
}
