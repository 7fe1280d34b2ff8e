package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"tertulia/internal/testkit"
	"tertulia/internal/wire/mediactl"
)

// allowed waits until the publisher has been told by REMB that it may send so much.
func allowed(ctx context.Context, t *testing.T, c *testkit.Client, kbps float32) {
	t.Helper()
	c.Wait(ctx, "the limit", testkit.MaySend(c, kbps*1000))
}

func (g graph) publishWithin(ctx context.Context, name string, c *testkit.Client, policy mediactl.Policy, reconnect bool) mediactl.Description {
	g.t.Helper()
	d, err := g.Publish(ctx, mediactl.Publish{
		Session: "s", Endpoint: name, Offer: c.PublishOffer(testkit.VP8), Peer: here, Policy: policy, Reconnect: reconnect,
	})
	if err != nil {
		g.t.Fatal(err)
	}
	c.Accept(d.SDP)
	c.Publish(ctx)
	return d
}

func (g graph) subscribeWithin(ctx context.Context, name string, audioOnly bool, policy mediactl.Policy) {
	g.t.Helper()
	c := g.client()
	offer := c.SubscribeOffer()
	if audioOnly {
		offer = strings.Replace(offer, "a=recvonly", "a=placeholder", 1)
		offer = strings.Replace(offer, "a=recvonly", "a=inactive", 1)
		offer = strings.Replace(offer, "a=placeholder", "a=recvonly", 1)
	}
	_, err := g.Subscribe(ctx, mediactl.Subscribe{Session: "s", Endpoint: name, Source: "alice", Offer: offer, Peer: here, Policy: policy})
	if err != nil {
		g.t.Fatal(err)
	}
}

// TestAViewersLimitIsThePublishers, as in OpenVidu 2: it is what the publisher is told by REMB, and taken back when that
// viewer goes, or when the next one may be sent more.
func TestAViewersLimitIsThePublishers(t *testing.T) {
	g, ctx := open(t)
	alice := g.client()
	d := g.publishWithin(ctx, "alice", alice, mediactl.Policy{MaxRecvKbps: 1000, MinRecvKbps: 300}, false)
	if !strings.Contains(d.SDP, "b=AS:1000\r\n") {
		t.Errorf("the answer does not tell the limit:\n%s", d.SDP)
	}
	allowed(ctx, t, alice, 1000)
	g.subscribeWithin(ctx, "bob_alice", false, mediactl.Policy{MaxSendKbps: 1000})
	g.subscribeWithin(ctx, "carol_alice", false, mediactl.Policy{MaxSendKbps: 400})
	g.subscribeWithin(ctx, "dave_alice", true, mediactl.Policy{MaxSendKbps: 350}) // is sent no video
	allowed(ctx, t, alice, 400)
	g.subscribeWithin(ctx, "erin_alice", false, mediactl.Policy{MaxSendKbps: 50})
	allowed(ctx, t, alice, 300)

	again := g.client() // the limit is of the viewers, whatever transport the publisher has
	g.publishWithin(ctx, "alice", again, mediactl.Policy{MaxRecvKbps: 1000}, true)
	allowed(ctx, t, again, 50)
	if err := g.Release(ctx, "erin_alice"); err != nil {
		t.Fatal(err)
	}
	allowed(ctx, t, again, 400)
	g.subscribeWithin(ctx, "carol_alice", false, mediactl.Policy{MaxSendKbps: 800}) // in place of her first
	allowed(ctx, t, again, 800)
	if err := g.Release(ctx, "carol_alice"); err != nil {
		t.Fatal(err)
	}
	allowed(ctx, t, again, 1000)
}

// TestALimitIsTakenBack from a publisher without one of its own: a client keeps to the latest REMB, so that silence is
// not enough.
func TestALimitIsTakenBack(t *testing.T) {
	g, ctx := open(t)
	alice := g.client()
	g.publishWithin(ctx, "alice", alice, mediactl.Policy{}, false)
	g.subscribeWithin(ctx, "bob_alice", false, mediactl.Policy{MaxSendKbps: 250})
	allowed(ctx, t, alice, 250)
	if err := g.Release(ctx, "bob_alice"); err != nil {
		t.Fatal(err)
	}
	allowed(ctx, t, alice, 999_997.44) // a gigabit, as REMB rounds it
}
