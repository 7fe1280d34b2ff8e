package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/media/socket"
	"tertulia/internal/reach"
	"tertulia/internal/turn"
	"tertulia/internal/wire/openvidu"
)

const (
	noteEvery     = 250 * time.Millisecond
	maxICETargets = 8 // TURN servers elsewhere that are tried
)

// reached joins internal/reach to the node: it notes what comes from outside, asks STUN servers through the media port,
// and tells the media which public addresses to offer.
type reached struct {
	port      uint16
	domain    string
	addresses *socket.Gatherer
	queries   *reach.Queries
	seen      *reach.Seen
	watch     *reach.Watch
}

// begin offers what is known without asking. conn is a socket of the media port.
func (r *reached) begin(c config.Config, port uint16, addresses *socket.Gatherer, conn socket.Conn, log *slog.Logger) {
	addresses.SetPublic(literal(c.Domain))
	*r = reached{port: port, domain: c.Domain, addresses: addresses, seen: &reach.Seen{}}
	// Only the shard may use a socket.Conn; the UDP socket inside may be written to by anybody.
	if writer, ok := conn.(interface {
		WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	}); ok {
		r.queries = &reach.Queries{Send: func(b []byte, to netip.AddrPort) error {
			_, err := writer.WriteToUDPAddrPort(b, to)
			return err
		}}
	} else {
		log.Warn("STUN servers are asked from another port than that of media: whether a NAT keeps our port is not known")
	}
}

// watching makes the part that finds out and keeps trying.
func (r *reached) watching(c config.Config, relay *turn.Server, log *slog.Logger) *reach.Watch {
	r.watch = reach.New(r.config(c, relay, log))
	return r.watch
}

func (r *reached) config(c config.Config, relay *turn.Server, log *slog.Logger) reach.Config {
	watch := reach.Config{
		Domain: strings.Trim(c.Domain, "[]"), Port: r.port, Discover: c.AddressDiscovery != "off", STUNServers: c.STUNServers,
		Kept: filepath.Join(c.Data, "address.json"), Seen: r.seen, Log: log,
		Found:    func(f reach.Finding) { r.addresses.SetPublic(candidates(f)) },
		TryUDP:   func(ctx context.Context, at netip.Addr) error { _, err := reach.AskAlone(ctx, r.or(at)); return err },
		TryTCP:   func(ctx context.Context, at netip.Addr) error { _, err := reach.AskTCP(ctx, r.or(at)); return err },
		NotAfter: r.notAfter, Relays: elsewhere(c),
	}
	if r.queries != nil {
		watch.Ask = r.queries.Ask
	}
	if len(watch.Relays) == 0 {
		watch.Relay = func() (reach.Target, bool) { return r.target(relay), true }
	}
	return watch
}

// public are the addresses at which the world was seen to reach us; none before somebody looked.
func (r *reached) public() []netip.Addr {
	if r.watch == nil {
		return nil
	}
	if found := r.watch.Finding(); found.Verified {
		return found.Public
	}
	return nil
}

// target is our own TURN on the one port, and our own media behind it.
func (r *reached) target(relay *turn.Server) reach.Target {
	at := r.own()
	own := relay.Credentials("health", "health", at.String())[0]
	return reach.Target{URL: own.URL, Username: own.Username, Credential: own.Credential, Peer: at}
}

// own is an address of this machine's interfaces, with the port: packets to it pass the firewall's rules for the port.
func (r *reached) own() netip.AddrPort {
	interfaces, offered := r.watch.Finding().Interfaces, r.addresses.Addresses()
	for _, a := range offered.Host {
		if slices.Contains(interfaces, a) {
			return netip.AddrPortFrom(a, r.port)
		}
	}
	for _, a := range offered.Loopback {
		return netip.AddrPortFrom(a, r.port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), r.port)
}

// or is an address with our port, or our own.
func (r *reached) or(at netip.Addr) netip.AddrPort {
	if at.IsValid() {
		return netip.AddrPortFrom(at, r.port)
	}
	return r.own()
}

// notAfter is the end of the certificate that the front door shows to who asks for the domain.
func (r *reached) notAfter(ctx context.Context) (time.Time, error) {
	dialer := &tls.Dialer{Config: &tls.Config{
		ServerName: cmp.Or(r.domain, "localhost"), InsecureSkipVerify: true, // its end is looked at, nothing is sent
	}}
	conn, err := dialer.DialContext(ctx, "tcp", r.own().String())
	if err != nil {
		return time.Time{}, err
	}
	defer conn.Close()
	shown := conn.(*tls.Conn).ConnectionState().PeerCertificates
	if len(shown) == 0 {
		return time.Time{}, errors.New("the front door shows no certificate")
	}
	return shown[0].NotAfter, nil
}

// elsewhere are the TURN servers of others that clients are told of.
func elsewhere(c config.Config) (list []reach.Target) {
	for _, s := range c.ICEServers {
		if strings.HasPrefix(s.URL, "turn") && len(list) < maxICETargets {
			list = append(list, reach.Target{URL: s.URL, Username: s.Username, Credential: s.Credential, Secret: s.StaticAuthSecret})
		}
	}
	if len(c.ICEServers) == 0 && c.TURNHost != "" {
		at := "turn:" + net.JoinHostPort(strings.Trim(c.TURNHost, "[]"), cmp.Or(c.TURNPort, outsideTURNPort))
		list = append(list, reach.Target{URL: at, Secret: c.CoturnSecret}, reach.Target{URL: at + "?transport=tcp", Secret: c.CoturnSecret})
	}
	return list
}

// checks are what health shows of reach; calls go on while one of them is red.
func (r *reached) checks() []openvidu.RESTCheck {
	var list []openvidu.RESTCheck
	for _, c := range r.watch.Checks() {
		list = append(list, openvidu.RESTCheck{Name: c.Name, OK: c.OK, Code: c.Code, Text: c.Text, Fix: c.Fix, Bearable: true})
	}
	return list
}

// by notes who sends to a UDP socket, and takes the answers of STUN servers out of what is read from it.
func (r *reached) by(transport reach.Transport, conn socket.Conn) socket.Conn {
	return &heard{Conn: conn, reached: r, transport: transport, began: time.Now()}
}

type heard struct {
	socket.Conn
	*reached
	transport reach.Transport
	began     time.Time
	next      time.Duration // since began
}

func (h *heard) ReadBatch(ms []socket.Message, wait bool) (int, error) {
	n, err := h.Conn.ReadBatch(ms, wait)
	if n == 0 {
		return n, err
	}
	if h.queries != nil && h.queries.Waiting() {
		kept := 0
		for i := range ms[:n] {
			if !h.queries.Take(ms[i].Buf, ms[i].Remote) {
				ms[kept] = ms[i]
				kept++
			}
		}
		n = kept
	}
	// A look now and then is enough: who is in a call sends all the time.
	if now := time.Since(h.began); now >= h.next {
		h.next = now + noteEvery
		for i := range ms[:n] {
			if i == 0 || ms[i].Remote.Addr() != ms[i-1].Remote.Addr() {
				h.seen.Note(h.transport, ms[i].Remote.Addr())
			}
		}
	}
	return n, err
}

// over notes who sends over the connections that serve is given.
func (r *reached) over(transport reach.Transport, serve func(context.Context, net.Conn) error) func(context.Context, net.Conn) error {
	return func(ctx context.Context, conn net.Conn) error { return serve(ctx, r.seen.Conn(transport, conn)) }
}

// listener notes who sends over the connections of a port.
func (r *reached) listener(transport reach.Transport, l net.Listener) net.Listener {
	return &noted{l, transport, r.seen}
}

type noted struct {
	net.Listener
	transport reach.Transport
	seen      *reach.Seen
}

func (n *noted) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return n.seen.Conn(n.transport, conn), nil
}

// tls notes who greets the front door.
func (r *reached) tls(config *tls.Config) *tls.Config {
	before := config.GetConfigForClient
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if from, err := netip.ParseAddrPort(hello.Conn.RemoteAddr().String()); err == nil {
			r.seen.Note(reach.TLS, from.Addr())
		}
		if before == nil {
			return nil, nil
		}
		return before(hello)
	}
	return config
}
