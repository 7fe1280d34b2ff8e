package app

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tertulia/internal/api/frontdoor"
	"tertulia/internal/api/rest"
	"tertulia/internal/certs"
	"tertulia/internal/cluster/kv"
	"tertulia/internal/cluster/natsd"
	"tertulia/internal/config"
	"tertulia/internal/fault"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/node"
	"tertulia/internal/pipeline"
	"tertulia/internal/session"
	"tertulia/internal/turn"
	"tertulia/internal/wire/mediactl"
)

// ErrEndCalls as the cause of Run's context ends every call before the node stops (docs/adr/0001-signals.md). Any other
// cause leaves the records: the next process takes the sessions over.
var ErrEndCalls = errors.New("end every call and stop")

// Run builds a node bottom-up, serves until ctx ends or a part fails, and stops it in reverse. ready is called with the
// node's URL once it answers.
func Run(ctx context.Context, c config.Config, log *slog.Logger, ready func(url string)) error {
	running, ctx := newParts(ctx)
	err := run(ctx, c, log, running, ready)
	return errors.Join(err, running.stop())
}

func run(ctx context.Context, c config.Config, log *slog.Logger, running *parts, ready func(url string)) error {
	limitMemory(os.DirFS("/"), log)
	open := openFiles(log)
	held, err := lock(c.Data)
	if err != nil {
		return err
	}
	running.hold("lock", held.Close)
	keys, err := certs.New(certs.Config{Dir: c.Data, Domain: c.Domain, Kind: c.CertificateType, Log: log})
	if err != nil {
		return err
	}
	store, err := openStore(ctx, c, log, running)
	if err != nil {
		return err
	}
	if c.HTTPSPort != 0 { // it need not wait for the one port
		redirectHTTP(c.HTTPPort, c.HTTPSPort, running, log)
	}
	listener, conns, err := bind(ctx, c.HTTPSPort, log)
	switch {
	case ctx.Err() != nil && err != nil:
		return nil // stopped while it waited; the log has said what for
	case err != nil:
		return err
	}
	running.hold("port", func() error {
		_ = listener.Close() // the door has closed it already, unless it was never built
		return nil
	})
	port := portOf(listener)
	if c.HTTPSPort == 0 {
		redirectHTTP(c.HTTPPort, port, running, log)
	}
	name := nodeName(keys.DTLS().Certificate[0])
	addresses := &socket.Gatherer{Public: publicAddresses(ctx, c.Domain, log)}

	traffic := &traffic{}
	for i := range conns {
		conns[i] = traffic.of(conns[i])
	}
	shards, err := peer.NewShards(peer.Config{
		Addresses: addresses.Addresses, Port: uint16(port), TCP: true, Certificate: keys.DTLS(), Log: log,
	}, conns)
	if err != nil {
		for _, conn := range conns {
			err = errors.Join(err, conn.Close())
		}
		return err
	}
	running.start("media", shards.Run)

	relay, err := turn.New(turn.Config{
		Secret: c.CoturnSecret, Node: name, MediaAddresses: mediaAddresses(addresses, port), Log: log,
		OpenRelay: func(a netip.AddrPort, reply func(netip.AddrPort, []byte)) turn.Relay {
			return shards.OpenRelay(a, reply)
		},
	})
	if err != nil {
		return err
	}
	credentials := &credentials{server: relay, port: port, domain: c.Domain, overTLS: c.CertificateType != "selfsigned"}

	var registry *session.Registry
	media := node.New(node.Config{Pipeline: func(id string) *pipeline.Pipeline {
		return pipeline.New(id, shards.Group(), func(e mediactl.Event) { registry.Event(e) })
	}})
	registry = session.New(session.Config{
		Store: store, Media: media, Secrets: credentials, Log: log, Node: name,
		GCInterval:  time.Duration(c.GarbageInterval) * time.Second,
		GCThreshold: time.Duration(c.GarbageThreshold) * time.Second,
		MaxRecvKbps: c.Bandwidth.MaxRecv, MaxSendKbps: c.Bandwidth.MaxSend,
		Defaults: rest.Defaults(settings(c, port)),
	})
	running.start("sessions", registry.Run)

	clients, handler, err := routes(c, port, registry, open, log)
	if err != nil {
		return err
	}
	door, err := frontdoor.New(frontdoor.Config{
		Listener: listener, TLS: keys.TLSConfig(), HTTP: handler, TrustedProxies: c.TrustedProxies,
		ICE: logged(log, "ICE-TCP", shards.ServeTCP), TURN: logged(log, "TURN", relay.ServeConn), Limits: open.door(), Log: log,
	})
	if err != nil {
		return err
	}
	running.start("front door", door.Run)
	running.start("clients", clients.Run)
	running.start("pages", newPages(func() int { return clients.Stats().Sockets }, log).Run)
	shown := &numbers{sessions: registry, clients: clients, door: door, relay: relay, media: shards, traffic: traffic}
	if err := shown.show(c.MetricsAddress, running, log); err != nil {
		return err
	}

	select {
	case <-registry.Ready():
		ready(c.PublicURL(port))
	case <-ctx.Done(): // stop tells which part failed, if one did
	}
	<-ctx.Done()
	if errors.Is(context.Cause(ctx), ErrEndCalls) {
		endCalls(registry, clients, log)
	}
	return nil
}

// openStore starts the embedded NATS and opens the bucket of session records on it.
func openStore(ctx context.Context, c config.Config, log *slog.Logger, running *parts) (*kv.Bucket, error) {
	nats := natsd.New(natsd.Config{Dir: filepath.Join(c.Data, "nats"), Log: log})
	running.start("store", nats.Run)
	conn, err := nats.Connect(ctx)
	if err != nil {
		return nil, err
	}
	running.hold("store connection", func() error { conn.Close(); return nil })
	return kv.Open(ctx, conn, kv.Config{Name: "sessions", Taken: fault.SessionExists})
}

// logged serves a stream and tells the log why we ended it.
func logged(log *slog.Logger, kind string, serve func(context.Context, net.Conn) error) func(context.Context, net.Conn) {
	return func(ctx context.Context, stream net.Conn) {
		if err := serve(ctx, stream); err != nil {
			log.Debug("stream ended", "kind", kind, "client", stream.RemoteAddr().String(), "error", err)
		}
	}
}

// nodeName is this node's key in RPC session ids: the same as long as the data folder is.
func nodeName(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:5]
}

// credentials are what a joining client is told of our TURN server; it is session's Secrets.
type credentials struct {
	server  *turn.Server
	port    int
	domain  string
	overTLS bool // the certificate is one that clients trust
}

// TURN offers one URL: each costs an allocation per peer connection. Over TLS it passes firewalls that look inside,
// but browsers refuse a self-signed certificate there. host is where the client reached us.
func (c *credentials) TURN(sessionID, connection, host string) []session.ICEServer {
	if c.domain != "" || host == "" {
		host = net.JoinHostPort(orLocalhost(c.domain), strconv.Itoa(c.port))
	}
	for _, s := range c.server.Credentials(sessionID, connection, host) {
		if strings.HasPrefix(s.URL, "turns:") == c.overTLS {
			return []session.ICEServer{session.ICEServer(s)}
		}
	}
	return nil
}

func orLocalhost(domain string) string {
	if domain == "" {
		return "localhost"
	}
	return domain
}
