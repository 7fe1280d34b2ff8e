package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"tertulia/internal/api/frontdoor"
	"tertulia/internal/api/signal"
	"tertulia/internal/media/peer"
	"tertulia/internal/metrics"
	"tertulia/internal/session"
	"tertulia/internal/turn"
)

// numbers are what the metrics port shows of the parts of a node.
type numbers struct {
	sessions *session.Registry
	clients  *signal.Server
	door     *frontdoor.Door
	relay    *turn.Server
	media    *peer.Shards
	traffic  *traffic
	faults   faults
	told     *events
	more     []func() []metrics.Sample // of parts that only count
}

// show starts the metrics port, if there is one.
func (n *numbers) show(address string, running *parts, log *slog.Logger) error {
	if address == "" {
		return nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return noMetrics(address, err)
	}
	running.start("metrics", metrics.New(metrics.Config{Listener: listener, Read: n.read, Log: log}).Run)
	log.Info("metrics", "url", "http://"+listener.Addr().String()+"/metrics")
	return nil
}

// read returns the numbers of now. Only those of media wait for somebody, a shard between two batches.
func (n *numbers) read(ctx context.Context) ([]metrics.Sample, error) {
	list, err := n.packets(ctx)
	list = append(list, n.calls()...)
	list = append(list, n.faults.samples()...)
	list = append(list, n.told.samples()...)
	for _, samples := range n.more {
		list = append(list, samples()...)
	}
	return append(list, n.connections()...), err
}

func (n *numbers) calls() []metrics.Sample {
	const quality, qualityHelp = "tertulia_network_quality", "Publishers whose network was judged, by level: 0 (broken) to 5 (excellent)."
	var connections, streams, subscriptions int
	var levels [6]uint64
	sessions := n.sessions.List()
	for i := range sessions {
		for _, c := range sessions[i].Connections {
			if c.ActiveAt != 0 {
				connections++
			}
			if c.Stream != nil {
				streams++
				if q := c.Quality; q != nil && *q >= 0 && *q < len(levels) {
					levels[*q]++
				}
			}
			subscriptions += len(c.Subscriptions)
		}
	}
	list := []metrics.Sample{
		{Name: "tertulia_sessions", Help: "Sessions there are, joined or not.", Number: float64(len(sessions))},
		{Name: "tertulia_connections", Help: "Connections that have joined.", Number: float64(connections)},
		{Name: "tertulia_streams", Help: "Streams that are published.", Number: float64(streams)},
		{Name: "tertulia_subscriptions", Help: "Subscriptions to streams.", Number: float64(subscriptions)},
	}
	for level, n := range levels {
		list = append(list, by("level", strconv.Itoa(level), quality, qualityHelp, n))
	}
	return list
}

func (n *numbers) connections() []metrics.Sample {
	clients, door, relay := n.clients.Stats(), n.door.Stats(), n.relay.Stats()
	const (
		accepted, acceptedHelp = "tertulia_door_connections_total", "Connections to the public port, by what became of them."
		turned, turnedHelp     = "tertulia_turn_refused_total", "What TURN clients were refused, by reason."
		packets, packetsHelp   = "tertulia_turn_packets_total", "Packets that TURN clients and our media sent each other, by direction."
	)
	return []metrics.Sample{
		{Name: "tertulia_websockets", Help: "Websockets of clients that are open.", Number: float64(clients.Sockets)},
		{Name: "tertulia_websockets_refused_total", Help: "Websockets over the limit of their address.", Number: float64(clients.Refused)},
		{Name: "tertulia_websocket_messages_dropped_total", Help: "Messages nobody could be answered for.", Number: float64(clients.Dropped)},

		{Name: "tertulia_door_connections", Help: "Connections to the public port that are open.", Number: float64(door.Open)},
		by("kind", "https", accepted, acceptedHelp, door.HTTPS),
		by("kind", "http", accepted, acceptedHelp, door.HTTP),
		by("kind", "turn", accepted, acceptedHelp, door.TURN),
		by("kind", "ice", accepted, acceptedHelp, door.ICE),
		by("kind", "unknown", accepted, acceptedHelp, door.Unknown),
		by("kind", "timed_out", accepted, acceptedHelp, door.TimedOut),
		by("kind", "gone", accepted, acceptedHelp, door.Gone),
		by("kind", "handshake_error", accepted, acceptedHelp, door.HandshakeErrors),
		by("kind", "refused", accepted, acceptedHelp, door.Refused),
		{Name: "tertulia_door_accept_errors_total", Help: "Connections the system could not hand over.", Number: float64(door.AcceptErrors)},

		{Name: "tertulia_turn_connections", Help: "Connections of TURN clients that are open.", Number: float64(relay.Connections)},
		{Name: "tertulia_turn_allocations", Help: "TURN allocations there are.", Number: float64(relay.Allocations)},
		by("reason", "unauthorized", turned, turnedHelp, relay.Unauthorized),
		by("reason", "peer", turned, turnedHelp, relay.Refused),
		by("reason", "quota", turned, turnedHelp, relay.OverQuota),
		by("reason", "malformed", turned, turnedHelp, relay.Malformed),
		by("direction", "to_media", packets, packetsHelp, relay.ToMedia),
		by("direction", "from_media", packets, packetsHelp, relay.FromMedia),
		{Name: "tertulia_turn_dropped_total", Help: "Packets that media or a TURN client did not take.", Number: float64(relay.Dropped)},
	}
}

func (n *numbers) packets(ctx context.Context) ([]metrics.Sample, error) {
	const (
		packets, packetsHelp = "tertulia_media_packets_total", "UDP packets of media, of key exchange and of connectivity checks, those that could not be sent too, by direction."
		bytes, bytesHelp     = "tertulia_media_bytes_total", "Bytes of these packets, without IP and UDP headers, by direction."
	)
	list := []metrics.Sample{
		by("direction", "in", packets, packetsHelp, n.traffic.packetsIn.Load()),
		by("direction", "out", packets, packetsHelp, n.traffic.packetsOut.Load()),
		by("direction", "in", bytes, bytesHelp, n.traffic.bytesIn.Load()),
		by("direction", "out", bytes, bytesHelp, n.traffic.bytesOut.Load()),
	}
	refused, err := n.media.Counters(ctx)
	if err != nil {
		return list, fmt.Errorf("media counters: %w", err)
	}
	list = append(list, refusals(refused)...)
	paths, err := n.media.Paths(ctx)
	if err != nil {
		return list, fmt.Errorf("media paths: %w", err)
	}
	return append(list, ways(paths)...), nil
}

// ways show by what clients reach our media.
func ways(p peer.Paths) []metrics.Sample {
	const (
		state, stateHelp = "tertulia_endpoints", "Media transports there are: one for each publisher and subscription, by state."
		now, nowHelp     = "tertulia_connections_by_path", "Media transports that are connected, by what their packets take."
		ever, everHelp   = "tertulia_connections_by_path_total", "Media transports that ever connected, by what their first packets took."
	)
	return []metrics.Sample{
		by("state", "new", state, stateHelp, p.New),
		by("state", "checking", state, stateHelp, p.Checking),
		by("state", "connected", state, stateHelp, p.Connected),
		by("state", "failed", state, stateHelp, p.Failed),
		by("path", "udp", now, nowHelp, p.Now.UDP),
		by("path", "tcp", now, nowHelp, p.Now.TCP),
		by("path", "relay", now, nowHelp, p.Now.Relay),
		by("path", "udp", ever, everHelp, p.All.UDP),
		by("path", "tcp", ever, everHelp, p.All.TCP),
		by("path", "relay", ever, everHelp, p.All.Relay),
	}
}

// refusals show every field of the shards' counters.
func refusals(c peer.Counters) []metrics.Sample {
	const refused, help = "tertulia_media_refused_total", "Packets and handshakes of media that were refused, by reason."
	return []metrics.Sample{
		by("reason", "malformed", refused, help, c.Malformed),
		by("reason", "unauthenticated", refused, help, c.Unauthenticated),
		by("reason", "disowned", refused, help, c.Disowned),
		by("reason", "address_held", refused, help, c.AddressHeld),
		by("reason", "rate_limited", refused, help, c.RateLimited),
		by("reason", "before_keys", refused, help, c.BeforeKeys),
		by("reason", "forged", refused, help, c.Forged),
		by("reason", "replayed", refused, help, c.Replayed),
		by("reason", "unknown_ssrc", refused, help, c.UnknownSSRC),
		by("reason", "fingerprint_mismatch", refused, help, c.FingerprintMismatch),
		by("reason", "handshake_refused", refused, help, c.HandshakeRefused),
		{Name: "tertulia_media_handed_over_total", Help: "Packets that one shard gave another: those of tracks watched on both, and those that came to the wrong socket.", Number: float64(c.HandedOver)},
		{Name: "tertulia_media_hand_over_dropped_total", Help: "Packets that another shard was too slow to take.", Number: float64(c.HandOverDropped)},
		{Name: "tertulia_media_unsent_total", Help: "Outgoing packets that the network, or a slow TCP client, did not take.", Number: float64(c.SendDropped)},
	}
}

// by is one of several numbers of a name.
func by(label, value, name, help string, n uint64) metrics.Sample {
	return metrics.Sample{Name: name, Help: help, Label: label, Value: value, Number: float64(n)}
}
