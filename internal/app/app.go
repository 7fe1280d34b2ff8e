package app

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"

	"tertulia/internal/api/frontdoor"
	"tertulia/internal/config"
	"tertulia/internal/diagnosis"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/metrics"
	"tertulia/internal/node"
	"tertulia/internal/pipeline"
	"tertulia/internal/reach"
	"tertulia/internal/session"
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
	if err := Check(c); err != nil {
		return err
	}
	limitMemory(os.DirFS("/"), log)
	open := openFiles(log)
	held, err := lock(c.Data)
	if err != nil {
		return err
	}
	running.hold("lock", held.Close)
	changes, err := newLive(c, log)
	if err != nil {
		return err
	}
	changes.adopt(setLevel(log))
	addresses := &socket.Gatherer{}
	reached := &reached{}
	keys, err := certificates(c, reached.public, log)
	if err != nil {
		return err
	}
	changes.adopt(func(c config.Config) error { return keys.SetAlso(c.Edge.WWW(c.Domain)) })
	sent, err := newExport(c, keys.DTLS().Certificate[0], log, running)
	if err != nil {
		return err
	}
	changes.adopt(sent.adopt)
	log = sent.to.Tee(log)
	store, err := openStore(ctx, c, log, running)
	if err != nil {
		return err
	}
	told, err := newEvents(ctx, c, store.events, log, running)
	if err != nil {
		return err
	}
	told.also = sent.event
	changes.adopt(told.adopt)
	listener, conns, err := openPort(ctx, c, keys.HTTPChallenge, open, running, log)
	switch {
	case ctx.Err() != nil && err != nil:
		return nil // stopped while it waited; the log has said what for
	case err != nil:
		return err
	}
	port := portOf(listener)
	name := nodeName(keys.DTLS().Certificate[0])
	reached.begin(c, uint16(port), addresses, conns[0], log)
	journal := diagnosis.NewJournal()
	asked, found, counted := &calls{}, newFaults(), newTally()
	watch := diagnosis.New(diagnosis.Config{
		Calls: asked, Journal: journal, Log: log,
		Host: reached.host, Report: reported(observed(found.event, told.tell)),
	})

	traffic := &traffic{}
	shards, err := startMedia(peer.Config{
		Addresses: addresses.Addresses, Port: uint16(port), TCP: true, Certificate: keys.DTLS(), Log: log,
	}, conns, reached, traffic, running)
	if err != nil {
		return err
	}
	relay, err := newTURN(c, name, port, addresses, shards, log)
	if err != nil {
		return err
	}
	changes.adopt(rekey(relay))
	credentials, err := serveTURN(ctx, c, relay, port, keys.Trusted, reached, open, running, log)
	if err != nil {
		return err
	}
	running.start("reach", reached.watching(c, relay, log).Run)

	edge, err := newEdge(c, port, reached.public, watch, running, log)
	if err != nil {
		return err
	}
	var registry *session.Registry
	media := node.New(node.Config{Pipeline: func(id string) *pipeline.Pipeline {
		return pipeline.New(id, shards.Group(), func(e mediactl.Event) { registry.Event(e) })
	}})
	registry = session.New(session.Config{
		Store: store.sessions, Media: media, Secrets: credentials, Log: log, Node: name,
		Observe: observed(journal.Add, watch.Event, told.tell, edge.event, counted.event),
	})
	adoptLimits := func(c config.Config) error { registry.Adopt(limitsOf(c, port)); return nil }
	if err := adoptLimits(c); err != nil {
		return err
	}
	changes.adopt(adoptLimits)
	told.endSubscriptions(ctx, log)
	running.start("sessions", registry.Run)
	startQuality(changes, media, registry, running, log)

	self := newMediaNode(c, port, keys.DTLS().Certificate[0], reached.ip)
	running.start("load", self.Run)
	sent.sessions, sent.facts, sent.traffic, sent.node = registry, media.Facts, traffic, self
	running.start("statistics", sent.Run)
	wall := newClock(c, log)
	running.start("clock", wall.Run)
	clients := newClients(c, registry, store.born.UnixMilli(), edge, open, log)
	pages := &routes{
		port: port, changes: changes, clients: clients, registry: registry, media: self, told: told, edge: edge, turn: credentials,
		checks: checks(keys, reached, changes, store.checks, sent.checks, wall.checks), journal: sent.hear(journal), open: open, log: log,
	}
	built, err := changes.handler(pages.build)
	if err != nil {
		return err
	}
	handler, err := edge.serve(built, running)
	if err != nil {
		return err
	}
	changes.adopt(edge.adopt)
	secure, err := edge.tls(keys.TLSConfig())
	if err != nil {
		return err
	}
	*asked = calls{media: media, sessions: registry, clients: clients}
	running.start("diagnosis", watch.Run)
	door, err := frontdoor.New(frontdoor.Config{
		Listener: listener, TLS: reached.tls(secure), HTTP: handler, TrustedProxies: c.TrustedProxies, ServePlain: edge.plain(),
		ICE: logged(log, "ICE-TCP", reached.over(reach.TCP, shards.ServeTCP)), TURN: logged(log, "TURN", reached.over(reach.TURN, relay.ServeConn)),
		Limits: open.door(), Log: log,
	})
	if err != nil {
		return err
	}
	running.start("front door", door.Run)
	running.start("certificates", func(ctx context.Context) error { return keys.Run(ctx, port) })
	running.start("clients", clients.Run)
	running.start("settings", changes.Run)
	running.start("pages", newPages(func() int { return clients.Stats().Sockets }, log).Run)
	shown := &numbers{sessions: registry, clients: clients, door: door, relay: relay, media: shards, traffic: traffic, faults: found, told: told, more: []func() []metrics.Sample{store.samples, sent.samples, counted.samples}}
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

// maxStore is more than the stream of events may be set to: each part of the store has its own bound. One that followed
// EVENTS_MAX would keep the stream from opening, and so from shrinking, once that is lowered.
const maxStore = 2 << 40

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
