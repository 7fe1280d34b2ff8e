package peer_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"

	"tertulia/internal/fault"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/testkit"
)

// across are shards under test, which share a port as the test says.
type across struct {
	*server
	shards  *peer.Shards
	readers [256]atomic.Int32 // which shard reads what comes from an address with that last byte
	pause   func()            // before looking again
}

// The hosts of a lab's clients, in the order they are made.
const (
	firstHost  = 2
	secondHost = 3
	thirdHost  = 4
)

// inShards runs a test in a lab whose server has n shards; the first reads everything.
func inShards(t *testing.T, n int, test func(ctx context.Context, l *lab, a *across)) {
	t.Helper()
	a := &across{pause: func() { time.Sleep(time.Millisecond) }}
	inLabWith(t, func(t *testing.T, conn socket.Conn, addresses socket.Addresses) *server {
		return a.serve(t, n, conn, addresses)
	}, func(ctx context.Context, l *lab, s *server) { test(ctx, l, a) })
}

func (a *across) serve(t *testing.T, n int, conn socket.Conn, addresses socket.Addresses) *server {
	t.Helper()
	conns := testkit.Fork(conn, n, func(remote netip.AddrPort) int {
		b := remote.Addr().As4()
		return int(a.readers[b[3]].Load())
	})
	a.shards = must[*peer.Shards](t)(peer.NewShards(configOf(t, addresses), conns))
	a.server = run(t, a.shards)
	return a.server
}

// on is the server with all its new endpoints on one shard.
func (a *across) on(shard int) *across {
	a.node = placed{a.shards, a.shards.Shard(shard)}
	return a
}

type placed struct {
	*peer.Shards
	at *peer.Shard
}

func (p placed) Open(ctx context.Context, c peer.EndpointConfig) (*peer.Endpoint, error) {
	return p.at.Open(ctx, c)
}

// reads lets a shard read what comes from hosts.
func (a *across) reads(shard int, hosts ...int) {
	for _, h := range hosts {
		a.readers[h].Store(int32(shard))
	}
}

// crossed waits until a shard has so many routes and mirrors.
func (a *across) crossed(ctx context.Context, shard, routes, mirrors int) {
	a.t.Helper()
	for {
		r, m, err := a.shards.Shard(shard).Crossed(ctx)
		if err != nil {
			a.t.Fatalf("shard %d has %d routes and %d mirrors, want %d and %d: %v", shard, r, m, routes, mirrors, err)
		}
		if r == routes && m == mirrors {
			return
		}
		a.pause()
	}
}

func (a *across) handedOver(ctx context.Context) uint64 {
	a.t.Helper()
	return must[peer.Counters](a.t)(a.Counters(ctx)).HandedOver
}

// TestMediaCrossesShards wherever publisher, viewers and what they send happen to be.
func TestMediaCrossesShards(t *testing.T) {
	for _, c := range []struct{ shards, publisher, viewer, reader int }{
		{2, 0, 1, 0}, {2, 0, 1, 1}, {2, 1, 0, 1}, {2, 1, 1, 0}, {3, 0, 1, 2}, {3, 2, 0, 1},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			inShards(t, c.shards, func(ctx context.Context, l *lab, a *across) {
				a.reads(c.reader, firstHost, secondHost, thirdHost)
				alice, bob, carol := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
				publisher, tracks := a.on(c.publisher).publish(ctx, "alice", alice, peer.PublishOptions{})
				a.await(ctx, publisher, 1)
				alice.Publish(ctx)
				a.on(c.viewer).subscribe(ctx, "bob_alice", bob, tracks)
				e := must[*peer.Endpoint](t)(a.Open(ctx, peer.EndpointConfig{Name: "carol_alice"}))
				d := must[peer.Description](t)(e.OfferSubscribe(ctx, peer.SubscribeOptions{Tracks: tracks, Audio: true, Video: true}))
				if err := e.Answer(ctx, carol.Answer(d.SDP)); err != nil {
					t.Fatal(err)
				}
				for _, viewer := range []*testkit.Client{bob, carol} {
					viewer.Wait(ctx, "a key frame", viewer.HasKeyframe)
					viewer.WaitPackets(ctx, "video", 60)
					viewer.WaitPackets(ctx, "audio", 30)
					viewer.Wait(ctx, "a report", viewer.HasRTCP("SenderReport"))
				}
				if got := must[peer.Counters](t)(a.Counters(ctx)); got.HandedOver == 0 || got.HandOverDropped != 0 {
					t.Errorf("%d datagrams and packets were handed over, %d dropped", got.HandedOver, got.HandOverDropped)
				}
				routes := 0 // of those whose shard is not the reader
				for _, shard := range []int{c.publisher, c.viewer, c.viewer} {
					if shard != c.reader {
						routes++
					}
				}
				mirrors := 0
				if c.viewer == c.reader && c.viewer != c.publisher {
					mirrors = 2
				}
				a.crossed(ctx, c.reader, routes, mirrors)
			})
		})
	}
}

// TestSoundAndPictureStayInStep: reports of a publisher's tracks tell one clock, though both cross.
func TestSoundAndPictureStayInStep(t *testing.T) {
	inShards(t, 2, func(ctx context.Context, l *lab, a *across) {
		a.reads(1, firstHost)
		alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
		a.await(ctx, publisher, 1)
		alice.Publish(ctx)
		a.on(1).subscribe(ctx, "bob_alice", bob, tracks)
		bob.WaitPackets(ctx, "video", 300)
		clocks := map[string]uint64{} // of the latest reports, NTP in 32.32 bits
		for _, packet := range bob.Reports() {
			if sr, ok := packet.(*rtcp.SenderReport); ok {
				kind := "audio"
				if sr.SSRC == bob.Headers("video")[0].SSRC {
					kind = "video"
				}
				clocks[kind] = sr.NTPTime
			}
		}
		d := int64(clocks["audio"] - clocks["video"])
		if len(clocks) != 2 || max(d, -d) > 1<<32/1000 {
			t.Errorf("clocks %x: want audio and video, less than 1 ms apart", clocks)
		}
	})
}

// TestLossIsRepairedAcrossShards: viewers find what they lack on their own shard, the publisher is asked by its own.
func TestLossIsRepairedAcrossShards(t *testing.T) {
	inShards(t, 3, func(ctx context.Context, l *lab, a *across) {
		a.reads(2, firstHost, secondHost)
		alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
		a.await(ctx, publisher, 1)
		alice.Publish(ctx)
		viewer := a.on(1).subscribe(ctx, "bob_alice", bob, tracks)
		bob.WaitPackets(ctx, "video", 30)

		count := 0
		drop := func(d dropArgs) bool {
			if socket.Classify(d.Bytes) != socket.RTP || len(d.Bytes) < 900 {
				return false
			}
			count++
			return count%40 == 0
		}
		l.drop.Store(&drop)
		bob.WaitPackets(ctx, "video", 600)
		l.drop.Store(nil)
		bob.WaitPackets(ctx, "video", 100)
		synctest.Wait()

		headers := bob.Headers("video")
		got := map[uint16]bool{}
		for _, h := range headers {
			got[h.SequenceNumber] = true
		}
		missing := 0
		for n := headers[0].SequenceNumber; n != headers[len(headers)-1].SequenceNumber-60; n++ {
			if !got[n] {
				missing++
			}
		}
		in, out := must[peer.Stats](t)(publisher.Stats(ctx)), must[peer.Stats](t)(viewer.Stats(ctx))
		if in.Received["video"].Recovered == 0 || out.Sent["video"].Resent == 0 || missing > 0 {
			t.Errorf("%d packets never came\n%+v\n%+v", missing, in.Received["video"], out.Sent["video"])
		}
	})
}

// TestLateJoinAcrossShards: the wish for a key frame reaches the publisher, and two viewers cost few of them.
func TestLateJoinAcrossShards(t *testing.T) {
	inShards(t, 3, func(ctx context.Context, l *lab, a *across) {
		a.reads(1, firstHost)
		alice, bob, carol := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
		a.await(ctx, publisher, 1)
		alice.Publish(ctx)
		time.Sleep(5 * time.Second)
		before := must[peer.Stats](t)(publisher.Stats(ctx)).Received["video"].KeyframeRequests
		bobs := a.on(1).subscribe(ctx, "bob_alice", bob, tracks)
		carols := a.on(2).subscribe(ctx, "carol_alice", carol, tracks)
		a.await(ctx, bobs, 1)
		a.await(ctx, carols, 1)
		start := time.Now()
		bob.Wait(ctx, "a key frame", bob.HasKeyframe)
		carol.Wait(ctx, "a key frame", carol.HasKeyframe)
		if d := time.Since(start); d > within {
			t.Errorf("pictures came after %v", d)
		}
		if n := must[peer.Stats](t)(publisher.Stats(ctx)).Received["video"].KeyframeRequests - before; n == 0 || n > 2 {
			t.Errorf("%d key frames asked for by 2 viewers who came together", n)
		}
	})
}

// TestPublisherReconnectsAcrossShards: the stream of a viewer elsewhere goes on without a seam. The new endpoint goes
// where the tracks are, and nowhere else.
func TestPublisherReconnectsAcrossShards(t *testing.T) {
	inShards(t, 2, func(ctx context.Context, l *lab, a *across) {
		a.reads(1, thirdHost)
		alice, bob, again := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		first, tracks := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
		a.await(ctx, first, 1)
		sending, stop := context.WithCancel(ctx)
		alice.Publish(sending)
		a.on(1).subscribe(ctx, "bob_alice", bob, tracks)
		bob.WaitPackets(ctx, "video", 50)
		stop()

		elsewhere := must[*peer.Endpoint](t)(a.Open(ctx, peer.EndpointConfig{Name: "alice"}))
		_, err := elsewhere.AcceptPublish(ctx, again.PublishOffer(testkit.VP8), peer.PublishOptions{Tracks: tracks})
		if !fault.Is(err, fault.MediaFailed) {
			t.Fatalf("tracks of another shard are fed: %v", err)
		}
		second := must[*peer.Endpoint](t)(a.shards.Open(ctx, peer.EndpointConfig{Name: "alice", Tracks: tracks, Event: a.event}))
		offer := again.PC.LocalDescription().SDP
		d := must[peer.Description](t)(second.AcceptPublish(ctx, offer, peer.PublishOptions{Tracks: tracks}))
		again.Accept(d.SDP)
		if err := first.Close(ctx); err != nil {
			t.Fatal(err)
		}
		a.await(ctx, second, 1)
		again.Publish(ctx)
		bob.WaitPackets(ctx, "video", 50)
		bob.WaitPackets(ctx, "audio", 20)
		headers := bob.Headers("video")
		for i := 1; i < len(headers); i++ {
			before, h := headers[i-1], headers[i]
			step := int32(h.Timestamp - before.Timestamp)
			if h.SSRC != before.SSRC || h.SequenceNumber != before.SequenceNumber+1 || step < 0 || step > 60*90000 {
				t.Fatalf("packet %d: %+v after %+v", i, h, before)
			}
		}
	})
}

// TestCrossingsEnd: routes end with the endpoint they lead to, mirrors with their last viewer, and nothing crosses then.
func TestCrossingsEnd(t *testing.T) {
	inShards(t, 2, func(ctx context.Context, l *lab, a *across) {
		a.reads(1, firstHost)
		alice, bob, carol := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
		a.await(ctx, publisher, 1)
		alice.Publish(ctx)
		bobs := a.on(1).subscribe(ctx, "bob_alice", bob, tracks)
		carols := a.subscribe(ctx, "carol_alice", carol, tracks)
		bob.WaitPackets(ctx, "video", 10)
		carol.WaitPackets(ctx, "video", 10)
		a.crossed(ctx, 1, 1, 2)
		a.crossed(ctx, 0, 2, 0)

		if err := bobs.Close(ctx); err != nil {
			t.Fatal(err)
		}
		a.crossed(ctx, 0, 1, 0)
		a.crossed(ctx, 1, 1, 2)
		carol.WaitPackets(ctx, "video", 10)
		if err := carols.Close(ctx); err != nil {
			t.Fatal(err)
		}
		a.crossed(ctx, 0, 0, 0)
		a.crossed(ctx, 1, 1, 0)

		// What crosses now is what alice sends, and no packet of her tracks.
		synctest.Wait()
		in, over := must[peer.Stats](t)(publisher.Stats(ctx)).PacketsIn, a.handedOver(ctx)
		time.Sleep(time.Second)
		in, over = must[peer.Stats](t)(publisher.Stats(ctx)).PacketsIn-in, a.handedOver(ctx)-over
		if in < 100 || over < in || over > in+10 {
			t.Errorf("%d packets came in, %d crossed", in, over)
		}
		if err := publisher.Close(ctx); err != nil {
			t.Fatal(err)
		}
		a.crossed(ctx, 1, 0, 0)
	})
}

// TestAnotherSocketReadsAClient from now on, as when the kernel shares the port out anew: its route moves.
func TestAnotherSocketReadsAClient(t *testing.T) {
	inShards(t, 3, func(ctx context.Context, l *lab, a *across) {
		alice := l.client(testkit.ClientConfig{})
		publisher, _ := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
		a.await(ctx, publisher, 1)
		alice.Publish(ctx)
		for _, step := range []struct{ reader, first, second int }{{1, 1, 0}, {2, 0, 1}, {0, 0, 0}, {2, 0, 1}} {
			a.reads(step.reader, firstHost)
			a.crossed(ctx, 1, step.first, 0)
			a.crossed(ctx, 2, step.second, 0)
			before := must[peer.Stats](t)(publisher.Stats(ctx)).PacketsIn
			time.Sleep(time.Second)
			if after := must[peer.Stats](t)(publisher.Stats(ctx)).PacketsIn; after < before+100 {
				t.Errorf("shard %d reads alice: %d packets of hers came in within a second", step.reader, after-before)
			}
		}
	})
}

// TestCrossedOutConsent: a client whose checks cross shards lapses and revives like any other.
func TestCrossedOutConsent(t *testing.T) {
	inShards(t, 2, func(ctx context.Context, l *lab, a *across) {
		a.reads(1, firstHost)
		alice := l.client(testkit.ClientConfig{})
		publisher, _ := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
		a.await(ctx, publisher, 1)
		l.cut.Store(true)
		if e := a.await(ctx, publisher, 2); e.State != peer.Failed {
			t.Errorf("event %+v while the network is cut", e)
		}
	})
}

// TestAProvenTCPConnectionStays, though the shard that reads it has no endpoint on it.
func TestAProvenTCPConnectionStays(t *testing.T) {
	inShards(t, 3, func(ctx context.Context, l *lab, a *across) {
		ctx, cancel := context.WithCancel(ctx)
		var ends sync.WaitGroup
		defer ends.Wait()
		defer cancel()
		for shard := range 3 {
			_, own := a.on(shard).receiving(ctx, "alice")
			conn, ended := dial(ctx, a.server, &ends)
			ends.Go(func() { _, _ = io.Copy(io.Discard, conn) })
			for range 10 {
				check := own.request(t, nominate)
				if _, err := conn.Write(append([]byte{0, byte(len(check))}, check...)); err != nil {
					t.Fatalf("shard %d: %v, the connection ended with %v", shard, err, <-ended)
				}
				time.Sleep(3 * time.Second)
			}
		}
	})
}

// forked is tapped with shards; one of them reads everything, through the tap.
func forked(t *testing.T, n, reader int) (*across, *tap, context.Context) {
	t.Helper()
	noLeaks(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	conn := must[socket.Conn](t)(socket.Listen(ctx, "127.0.0.1:0"))
	tp, a := &tap{Conn: conn}, &across{pause: runtime.Gosched}
	a.reads(reader, 1)
	a.serve(t, n, tp, socket.Addresses{Loopback: []netip.Addr{loopback}})
	return a, tp, ctx
}

// TestSpoofedCheckInstallsNoRoute: neither a check without the password nor a genuine one from the address of another
// shard's live endpoint changes who gets what comes from there.
func TestSpoofedCheckInstallsNoRoute(t *testing.T) {
	a, tp, ctx := forked(t, 3, 2)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	publisher, _ := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
	a.await(ctx, publisher, 1)
	a.crossed(ctx, 2, 1, 0)
	check, _ := tp.latest(socket.STUN)
	_, mallory := a.on(1).receiving(ctx, "mallory")
	_, resident := a.on(2).receiving(ctx, "resident")

	c := a.talk(tp.LocalAddr())
	wrong := mallory
	wrong.pwd = "not the password at all"
	for _, b := range [][]byte{
		wrong.request(t, nominate),
		append([]byte{0x80, 96}, make([]byte, 40)...),
		append([]byte{22, 254, 253}, make([]byte, 40)...),
	} {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []credentials{mallory, resident} {
		tp.add(socket.Message{Buf: who.request(t, nominate), Remote: check.Remote, Local: check.Local})
	}
	if m := c.ask(mallory.request(t, nominate)); m.Type != stun.BindingSuccess {
		t.Fatalf("a verified request was answered with %v", m.Type)
	}
	a.crossed(ctx, 2, 2, 0)
	for {
		count := must[peer.Counters](t)(a.Counters(ctx))
		if count.AddressHeld == 2 && count.Unauthenticated == 3 {
			break
		}
		if count.AddressHeld > 2 || count.Unauthenticated > 3 {
			t.Fatalf("counters %+v, want 2 held and 3 unauthenticated", count)
		}
	}
	// Once claimed, an address is held against those who live where it is read, too.
	if m := a.talk(tp.LocalAddr()).ask(resident.request(t, nominate)); m.Type != stun.BindingSuccess {
		t.Fatalf("a verified request was answered with %v", m.Type)
	}
	before := must[peer.Stats](t)(publisher.Stats(ctx)).PacketsIn
	sending, stop := context.WithCancel(ctx)
	defer stop()
	alice.Publish(sending)
	a.until(ctx, publisher, func(st peer.Stats) bool { return st.PacketsIn > before+20 })
}

// TestAClientOfAFormerProcessIsToldAtOnce, whatever number of shards that had, and whichever socket its check comes to.
func TestAClientOfAFormerProcessIsToldAtOnce(t *testing.T) {
	noLeaks(t)
	certificate := testkit.Certificate(t)
	var known credentials
	for _, n := range []int{3, 2, 1} {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		conn := must[socket.Conn](t)(socket.Listen(ctx, "127.0.0.1:0"))
		at := conn.LocalAddr()
		config := configOf(t, socket.Addresses{Loopback: []netip.Addr{loopback}})
		config.Certificate = certificate
		var last atomic.Int32
		conns := testkit.Fork(conn, n, func(netip.AddrPort) int { return int(last.Add(1)) % n })
		s := run(t, must[*peer.Shards](t)(peer.NewShards(config, conns)))
		if known.ufrag == "" {
			_, known = s.receiving(ctx, "alice")
			continue
		}
		for range 4 {
			m := s.talk(at).ask(known.request(t, nominate))
			var code stun.ErrorCodeAttribute
			if err := code.GetFrom(m); err != nil || code.Code != stun.CodeForbidden {
				t.Errorf("%d shards answer %v, code %v, %v; want 403", n, m.Type, code, err)
			}
			if err := stun.NewShortTermIntegrity(known.pwd).Check(m); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestAddressRequestsAreBoundedForAllShards together.
func TestAddressRequestsAreBoundedForAllShards(t *testing.T) {
	inShards(t, 3, func(ctx context.Context, l *lab, a *across) {
		conn := must[net.PacketConn](t)(l.nets[0].ListenPacket("udp4", "10.0.0.2:0"))
		defer conn.Close()
		server := &net.UDPAddr{IP: net.ParseIP(serverIP), Port: 4443}
		for i := range 90 {
			a.reads(i%3, firstHost)
			if _, err := conn.WriteTo(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw, server); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		time.Sleep(50 * time.Millisecond)
		if got := must[peer.Counters](t)(a.Counters(ctx)).RateLimited; got != 70 {
			t.Errorf("%d of 90 requests of one address within a second were refused, want 70", got)
		}
	})
}
