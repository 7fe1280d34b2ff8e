package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/reach"
	"tertulia/internal/session"
	"tertulia/internal/turn"
)

const (
	outsideTURNPort = usualTURNPort // of COTURN_IP, unless COTURN_PORT says otherwise (spec §7)
	outsideTURNLife = 24 * time.Hour
	usualTURNPort   = "3478" // the only one that clients before 2.21 ask
)

// newTURN makes our own TURN server, which hands what clients send to our media, in memory.
func newTURN(c config.Config, name string, port int, addresses *socket.Gatherer, shards *peer.Shards, log *slog.Logger) (*turn.Server, error) {
	return turn.New(turn.Config{
		Secret: c.CoturnSecret, Previous: c.OldCoturnSecrets(), Node: name, MediaAddresses: mediaAddresses(addresses, port), Log: log,
		OpenRelay: func(a netip.AddrPort, reply func(netip.AddrPort, []byte)) turn.Relay {
			return shards.OpenRelay(a, reply)
		},
	})
}

// rekey has TURN credentials follow the secret.
func rekey(relay *turn.Server) func(config.Config) error {
	return func(c config.Config) error { return relay.Rekey(c.CoturnSecret, c.OldCoturnSecrets()...) }
}

// serveTURN opens COTURN_PORT, if it is ours, and returns what clients are told. The front door serves TURN in any case.
func serveTURN(ctx context.Context, c config.Config, relay *turn.Server, port int, trusted func() bool, reached *reached, open *files, running *parts, log *slog.Logger) (*credentials, error) {
	told := &credentials{server: relay, port: port, domain: c.Domain, overTLS: trusted}
	switch {
	case c.TURNHost != "":
		told.outside = net.JoinHostPort(strings.Trim(c.TURNHost, "[]"), cmp.Or(c.TURNPort, outsideTURNPort))
		told.secret = c.CoturnSecret
		return told, nil
	case c.TURNPort == "":
		return told, nil
	}
	wanted, err := strconv.Atoi(c.TURNPort)
	if err != nil {
		return nil, err // config has parsed it
	}
	listener, conns, err := bindBoth(ctx, wanted)
	if errors.Is(err, syscall.EADDRINUSE) && wanted != 0 { // often by a coturn of the system; calls do not wait for it
		told.own = c.TURNPort
		running.start("TURN", func(ctx context.Context) error {
			listener, conns, err := bind(ctx, "COTURN_PORT", wanted, log)
			if err != nil {
				return err
			}
			late, over := newParts(ctx)
			startTURN(late, relay, reached, open.listener(listener), conns)
			<-over.Done()
			return late.stop()
		})
		return told, nil
	}
	if err != nil {
		return nil, unavailable("COTURN_PORT", err)
	}
	told.own = strconv.Itoa(portOf(listener))
	startTURN(running, relay, reached, open.listener(listener), conns)
	return told, nil
}

func startTURN(running *parts, relay *turn.Server, reached *reached, listener net.Listener, conns []socket.Conn) {
	running.start("TURN over TCP", func(ctx context.Context) error {
		return relay.ServeListener(ctx, reached.listener(reach.TURN, listener))
	})
	for _, conn := range conns {
		conn = reached.by(reach.TURN, conn)
		running.start("TURN over UDP", func(ctx context.Context) error { return relay.ServeUDP(ctx, conn) })
	}
}

// credentials are what a joining client is told of TURN; it is session's Secrets.
type credentials struct {
	server  *turn.Server
	port    int
	domain  string
	overTLS func() bool // the certificate is one that clients trust
	own     string      // COTURN_PORT of ours; "" for none

	outside, secret string // "host:port" of a coturn elsewhere and the secret it shares; "" for none
}

// TURN offers few URLs: each costs an allocation per peer connection. Our own is offered on the one port, over TLS if
// browsers trust our certificate, which passes firewalls that look inside; and over UDP if it has a port for that. The
// older clients take the first URL's address for UDP. host is where the client reached us.
func (c *credentials) TURN(sessionID, connection, host string) []session.ICEServer {
	if c.outside != "" {
		username, credential := reach.Timed(c.secret, rand.Text()[:8], time.Now().Add(outsideTURNLife))
		return []session.ICEServer{
			{URL: "turn:" + c.outside, Username: username, Credential: credential},
			{URL: "turn:" + c.outside + "?transport=tcp", Username: username, Credential: credential},
		}
	}
	if c.domain != "" || host == "" {
		host = net.JoinHostPort(orLocalhost(c.domain), strconv.Itoa(c.port))
	}
	var list []session.ICEServer
	for _, s := range c.server.Credentials(sessionID, connection, host) {
		if strings.HasPrefix(s.URL, "turns:") != c.overTLS() {
			continue
		}
		if name, _, err := net.SplitHostPort(host); c.own != "" && err == nil {
			list = append(list, session.ICEServer{URL: "turn:" + net.JoinHostPort(name, c.own) + "?transport=udp", Username: s.Username, Credential: s.Credential})
		}
		list = append(list, session.ICEServer(s))
	}
	return list
}

// inToken is rest's TURN: what the token says for clients before 2.16, which ask the usual port of our host. nil unless we
// answer there; a coturn elsewhere has another host, and passwords with letters that those clients spoil.
func (c *credentials) inToken() func(session, connection string, made time.Time) (username, credential string) {
	if c.own != usualTURNPort {
		return nil
	}
	return c.server.Credential
}

func orLocalhost(domain string) string {
	if domain == "" {
		return "localhost"
	}
	return domain
}
