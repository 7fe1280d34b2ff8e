package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// probe is how one transport of one server behaved; Text is "" if it relays.
type probe struct {
	URL             string
	RTT             time.Duration
	Code, Text, Fix string
}

// probeTURN allocates with fresh credentials and sends a packet to itself through the relay.
func probeTURN(ctx context.Context, s TURNServer) (p probe) {
	p.URL = s.URL
	fail := func(code, fix, format string, args ...any) probe {
		p.Code, p.Fix, p.Text = code, fix, fmt.Sprintf(format, args...)
		return p
	}
	uri, err := stun.ParseURI(s.URL)
	if err != nil {
		return fail("CONFIG_INVALID", "Write it as turn:HOST:PORT?transport=udp.", "it is no TURN URL: %v", err)
	}
	conn, server, err := dialTURN(ctx, uri)
	if err != nil {
		var refused *tls.CertificateVerificationError
		if errors.As(err, &refused) {
			return fail("CERTIFICATE_INVALID", "Give the TURN server a certificate that browsers trust.", "%v", refused.Err)
		}
		return fail("TURN_FAULTY", fmt.Sprintf("Start the TURN server, and open port %d for it.", uri.Port), "nobody answers: %v", err)
	}
	defer conn.Close()
	began := time.Now()
	user, password := s.Username, s.Credential
	if s.Secret != "" {
		if user, password, err = turn.GenerateLongTermTURNRESTCredentials(s.Secret, "doctor", time.Hour); err != nil {
			return fail("TURN_FAULTY", "", "no credential can be made: %v", err)
		}
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: server, STUNServerAddr: server, Conn: conn, Username: user, Password: password,
		LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		return fail("TURN_FAULTY", "", "%v", err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		return fail("TURN_FAULTY", "", "%v", err)
	}
	relay, err := client.Allocate()
	if err != nil {
		if strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "400") { // coturn, and servers made with Pion
			return fail("TURN_SECRET_WRONG", "Use the same secret on both sides: static-auth-secret there, staticAuthSecret or COTURN_SHARED_SECRET_KEY here.", "it refuses our credentials: %v", err)
		}
		return fail("TURN_FAULTY", "Look into the TURN server's log.", "it does not allocate: %v", err)
	}
	defer relay.Close()
	p.RTT = time.Since(began)
	return p
}

// dialTURN opens the transport of a URL.
func dialTURN(ctx context.Context, uri *stun.URI) (conn net.PacketConn, server string, err error) {
	var dialer net.Dialer
	server = net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port))
	if uri.Scheme != stun.SchemeTypeTURNS && uri.Proto != stun.ProtoTypeTCP {
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", uri.Host)
		if err != nil {
			return nil, "", err
		}
		at := netip.AddrPortFrom(found[0].Unmap(), uint16(uri.Port)) //nolint:gosec // ParseURI bounds it
		network := "udp6"                                            // the client asks for a relayed address of its socket's family
		if at.Addr().Is4() {
			network = "udp4"
		}
		conn, err = new(net.ListenConfig).ListenPacket(ctx, network, ":0")
		return conn, at.String(), err
	}
	dial := dialer.DialContext
	if uri.Scheme == stun.SchemeTypeTURNS {
		dial = (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext
	}
	stream, err := dial(ctx, "tcp", server)
	if err != nil {
		return nil, "", err
	}
	return turn.NewSTUNConn(stream), stream.RemoteAddr().String(), nil
}
