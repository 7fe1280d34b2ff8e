package app

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"

	"tertulia/internal/config"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/node"
	"tertulia/internal/pipeline"
	"tertulia/internal/session"
	"tertulia/internal/testkit"
	"tertulia/internal/wire/mediactl"
)

// toldCalls is one session in which alice publishes, and what it was told.
type toldCalls struct {
	state session.State
	told  chan session.SetQuality
	fails atomic.Bool
}

func (c *toldCalls) List() []session.State { return []session.State{c.state} }

func (c *toldCalls) Do(_ context.Context, id string, command session.Command) (any, error) {
	if c.fails.Load() || id != c.state.ID {
		return nil, errors.New("no such session")
	}
	c.told <- command.(session.SetQuality)
	return nil, nil
}

func aliceAlone() *toldCalls {
	stream := &session.Stream{ID: "str_alice", Media: session.StreamMedia{
		HasAudio: true, HasVideo: true, AudioActive: true, VideoActive: true, TypeOfVideo: "CAMERA", Dimensions: `{"width":640,"height":480}`,
	}}
	return &toldCalls{
		state: session.State{ID: "s", Connections: []*session.Connection{{ID: "alice", Stream: stream}, {ID: "bob"}}},
		told:  make(chan session.SetQuality, 64),
	}
}

// vnetNode is a media node in a network of its own, in which so many of a thousand datagrams of media to it are lost.
func vnetNode(t *testing.T, lost *atomic.Int64) (*node.Node, *vnet.Net) {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "10.0.0.0/24", MinDelay: 10 * time.Millisecond, QueueSize: 4096, LoggerFactory: logging.NewDefaultLoggerFactory(),
	})
	noError(t, err)
	draw := rand.New(rand.NewPCG(1, 2))
	router.AddChunkFilter(func(c vnet.Chunk) bool {
		toUs := c.DestinationAddr().(*net.UDPAddr).IP.String() == "10.0.0.1"
		if lost.Load() >= 1000 {
			return false // the line is cut, both ways
		}
		return !toUs || socket.Classify(c.UserData()) != socket.RTP || draw.Int64N(1000) >= lost.Load()
	})
	var nets []*vnet.Net
	for _, ip := range []string{"10.0.0.1", "10.0.0.2"} {
		n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
		noError(t, err)
		noError(t, router.AddNet(n))
		nets = append(nets, n)
	}
	noError(t, router.Start())
	t.Cleanup(func() { _ = router.Stop() })
	conn, err := nets[0].ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP("10.0.0.1"), Port: 4443})
	noError(t, err)
	shard, err := peer.New(peer.Config{
		Socket: socket.Plain(conn), Certificate: testkit.Certificate(t), Log: slog.New(slog.DiscardHandler),
		Addresses: func() socket.Addresses { return socket.Addresses{Host: []netip.Addr{netip.MustParseAddr("10.0.0.1")}} },
	})
	noError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- shard.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		noError(t, <-done)
	})
	return node.New(node.Config{Pipeline: func(id string) *pipeline.Pipeline {
		return pipeline.New(id, shard, func(mediactl.Event) {})
	}}), nets[1]
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLOSS_12__AllSixLevelsOverARealLine: a client publishes over a network that gets worse and worse, is cut, and mended;
// its session is told of every level.
func TestLOSS_12__AllSixLevelsOverARealLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var lost atomic.Int64
		media, theirs := vnetNode(t, &lost)
		alice := testkit.NewClient(t, testkit.ClientConfig{Net: theirs})
		d, err := media.Publish(ctx, mediactl.Publish{Session: "s", Endpoint: "alice", Offer: alice.PublishOffer(testkit.VP8)})
		noError(t, err)
		alice.Accept(d.SDP)
		alice.Publish(ctx)
		alice.WaitConnected(ctx)

		calls, running := aliceAlone(), &parts{over: func() {}}
		running.start("network quality", judgeUplinks(config.Config{NetworkQuality: 5, Bandwidth: config.Bandwidth{MaxRecv: 1000}}, media, calls, slog.New(slog.DiscardHandler)))
		level := func() int {
			t.Helper()
			select {
			case q := <-calls.told:
				if q.Connection != "alice" {
					t.Errorf("told of %q", q.Connection)
				}
				return q.Level
			case <-ctx.Done():
				t.Fatal("no level is told")
				return -1
			}
		}
		var levels []int
		for _, perMille := range []int64{0, 20, 50, 130, 350, 1000} {
			lost.Store(perMille)
			levels = append(levels, level())
		}
		if want := []int{5, 4, 3, 2, 1, 0}; !slices.Equal(levels, want) {
			t.Errorf("with 0, 2, 5, 13, 35 and 100 %% lost the levels are %v, want %v", levels, want)
		}
		lost.Store(0)
		for last := level(); last != 5; last = level() {
			if last == 0 {
				t.Error("told twice that it is broken")
			}
		}
		noError(t, running.stop())
	})
}

// TestLOSS_12__WhatIsNotTakenIsToldAgain: a session that is busy starting is told later; a publisher that is gone is
// forgotten.
func TestLOSS_12__WhatIsNotTakenIsToldAgain(t *testing.T) {
	calls := aliceAlone()
	q := &quality{calls: calls, log: slog.New(slog.DiscardHandler), facts: func(context.Context, string, string) ([]mediactl.Facts, error) {
		return []mediactl.Facts{{State: "failed"}}, nil
	}}
	calls.fails.Store(true)
	q.judgeAll(t.Context())
	calls.fails.Store(false)
	q.judgeAll(t.Context())
	q.judgeAll(t.Context())
	if len(calls.told) != 1 || len(q.of) != 1 {
		t.Fatalf("told %d times, of %d publishers; want once, of one", len(calls.told), len(q.of))
	}
	if got, want := <-calls.told, (session.SetQuality{Connection: "alice"}); got != want {
		t.Errorf("told %+v, want %+v", got, want)
	}
	calls.state.Connections[0].Stream = nil
	q.judgeAll(t.Context())
	if len(q.of) != 0 {
		t.Errorf("%d publishers are still judged", len(q.of))
	}
}

// TestAnUplinksTerms: what is expected of a publisher is what it announced, within its own limit; what it says of its
// pictures is not believed blindly.
func TestAnUplinksTerms(t *testing.T) {
	c, limit := aliceAlone().state.Connections[0], 250
	if u := uplink(c, &mediactl.Facts{}, 1000); u.Pixels != 640*480 || u.MaxKbps != 1000 || !u.Announced.Video || u.Announced.Screen {
		t.Errorf("%+v", u)
	}
	c.Kurento = &session.KurentoOptions{VideoMaxSendBandwidth: &limit}
	c.Stream.Media.TypeOfVideo, c.Stream.Media.VideoActive = "SCREEN", false
	for _, nonsense := range []string{"", "no JSON", `{"width":-5,"height":9}`, `{"width":"x"}`} {
		c.Stream.Media.Dimensions = nonsense
		if u := uplink(c, &mediactl.Facts{}, 1000); u.Pixels != 0 || u.MaxKbps != 250 || u.Announced.Video || !u.Announced.Screen {
			t.Errorf("%q: %+v", nonsense, u)
		}
	}
	c.Stream.Media.Dimensions = `{"width":9000000000000,"height":9000000000000}`
	if u := uplink(c, &mediactl.Facts{}, 0); u.Pixels != 1<<28 || u.MaxKbps != 250 {
		t.Errorf("%+v", u)
	}
}

// TestQualityIsOffUnlessAskedFor starts nothing.
func TestQualityIsOffUnlessAskedFor(t *testing.T) {
	if judgeUplinks(config.Config{}, nil, nil, nil) != nil {
		t.Error("it judges though it is off")
	}
}
