package load_test

import (
	"context"
	"testing"
	"time"

	"tertulia/internal/bench/load"
	"tertulia/internal/media/peer"
)

// play sends video with sound for a while.
func (l *lab) play(publishers ...*load.Client) load.Played {
	l.t.Helper()
	return l.playShape("tiles", publishers...)
}

func (l *lab) playShape(name string, publishers ...*load.Client) load.Played {
	l.t.Helper()
	p := load.Player{Shape: must[load.Shape](l.t)(load.LoadShape(name, 1000)), Publishers: publishers}
	played := must[load.Played](l.t)(p.Play(l.ctx(), 300*time.Millisecond))
	if played.Sent == 0 {
		l.t.Fatal("nothing was sent")
	}
	return played
}

// await waits until clients have as many packets as they should.
func (l *lab) await(want uint64, clients ...*load.Client) {
	l.t.Helper()
	for _, c := range clients {
		for c.Delivered() < want {
			select {
			case <-l.ctx().Done():
				l.t.Fatalf("%d packets delivered, want %d", c.Delivered(), want)
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
}

// TestDeliveredIsExact: what the kernel counts for viewers that read next to nothing is what was sent, with both profiles.
func TestDeliveredIsExact(t *testing.T) {
	for _, profile := range []load.Profile{load.GCM, load.CM} {
		t.Run(string(profile), func(t *testing.T) {
			l := newLab(t)
			publisher, d, _ := l.publisher(load.Config{SRTP: profile})
			var viewers []*load.Client
			for i := range 20 {
				v, _ := l.viewer(load.Config{SRTP: profile, Probe: i%10 == 9}, d)
				viewers = append(viewers, v)
			}
			if publisher.Chosen() != profile || viewers[0].Chosen() != profile {
				t.Fatalf("chosen: %s and %s, want %s", publisher.Chosen(), viewers[0].Chosen(), profile)
			}
			before := must[uint64](t)(load.Overflows())
			sent := l.play(publisher).Sent
			sent += l.play(publisher).Sent // streams go on
			l.await(sent, viewers...)
			// Of any socket on this machine: it explains a failure, and is none by itself.
			t.Logf("%d datagrams found a full buffer meanwhile", must[uint64](t)(load.Overflows())-before)
			for i, v := range viewers {
				if n := v.Delivered(); n != sent {
					t.Errorf("viewer %d: %d packets delivered, %d sent", i, n, sent)
				}
				l.check(v.Close())
				if n := v.Delivered(); n != sent {
					t.Errorf("viewer %d: %d packets after it was closed, %d before", i, n, sent)
				}
			}
		})
	}
}

// TestServerUnderstands: the server has all packets, in order, with its key frame, and reports both ways.
func TestServerUnderstands(t *testing.T) {
	l := newLab(t)
	publisher, d, e := l.publisher(load.Config{})
	viewer, ve := l.viewer(load.Config{}, d)
	sent := l.play(publisher).Sent
	l.await(sent, viewer)
	st := must[peer.Stats](t)(e.Stats(l.ctx()))
	var packets uint64
	for kind, r := range st.Received {
		packets += r.Packets
		if r.Lost != 0 {
			t.Errorf("%s: %d packets lost", kind, r.Lost)
		}
	}
	if packets != sent {
		t.Errorf("the server has %d packets, %d were sent\n%+v", packets, sent, st.Received)
	}
	if out := must[peer.Stats](t)(ve.Stats(l.ctx())); out.State != peer.Connected {
		t.Errorf("the viewer's endpoint is %s", out.State)
	}
}

// TestProbesHear: probes decrypt what comes and know when it was sent.
func TestProbesHear(t *testing.T) {
	for _, profile := range []load.Profile{load.GCM, load.CM} {
		t.Run(string(profile), func(t *testing.T) {
			l := newLab(t)
			publisher, d, _ := l.publisher(load.Config{SRTP: profile})
			probe, _ := l.viewer(load.Config{SRTP: profile, Probe: true}, d)
			deaf := l.play(publisher)
			l.await(deaf.Sent, probe)
			end := load.Hear(probe)
			played := l.playShape("burst", publisher)
			sent := deaf.Sent + played.Sent
			l.await(sent, probe)
			sent += l.playShape("audio", publisher).Sent
			l.await(sent, probe)
			heard := end()
			if n := heard.Video.Count(); n != played.Sent {
				t.Errorf("heard %d packets of %d", n, played.Sent)
			}
			// What Opus makes of silence is too small to say when it was sent.
			if heard.Last.Count() == 0 || heard.Last.Count() >= heard.Video.Count() || heard.Audio.Count() == 0 {
				t.Errorf("%d last packets, %d of video, %d of audio", heard.Last.Count(), heard.Video.Count(), heard.Audio.Count())
			}
			if m := heard.Video.Max(); m <= 0 || m > 10*time.Second {
				t.Errorf("a packet took %v", m)
			}
			l.await(sent+l.play(publisher).Sent, probe)
			if again := heard.Video.Count(); again != played.Sent {
				t.Errorf("heard %d packets after the end", again)
			}
		})
	}
}

// TestServerOffers: a viewer that answers.
func TestServerOffers(t *testing.T) {
	l := newLab(t)
	publisher, d, _ := l.publisher(load.Config{})
	viewer := must[*load.Client](t)(load.NewViewer(load.Config{Loop: l.loop}))
	e := l.endpoint("viewer")
	offer := must[peer.Description](t)(e.OfferSubscribe(l.ctx(), peer.SubscribeOptions{Tracks: d.Tracks, Audio: true, Video: true}))
	answer := must[string](t)(viewer.Answer(offer.SDP))
	l.check(e.Answer(l.ctx(), answer))
	l.check(viewer.Connected(l.ctx()))
	l.await(l.play(publisher).Sent, viewer)
}

// TestManyPublishers: each with its own offset, all packets arrive.
func TestManyPublishers(t *testing.T) {
	l := newLab(t)
	var publishers, viewers []*load.Client
	for range 5 {
		p, d, _ := l.publisher(load.Config{})
		v, _ := l.viewer(load.Config{}, d)
		publishers, viewers = append(publishers, p), append(viewers, v)
	}
	sent := l.play(publishers...).Sent
	sum := func() (n uint64) {
		for _, v := range viewers {
			n += v.Delivered()
		}
		return n
	}
	for sum() < sent {
		select {
		case <-l.ctx().Done():
			t.Fatalf("%d packets delivered, %d sent", sum(), sent)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestNobodyAnswers: waiting ends with its context, and the client can be closed on its way.
func TestNobodyAnswers(t *testing.T) {
	l := newLab(t)
	client := must[*load.Client](t)(load.NewPublisher(load.Config{Loop: l.loop}))
	offer := must[string](t)(client.Offer())
	e := l.endpoint("publisher")
	d := must[peer.Description](t)(e.AcceptPublish(l.ctx(), offer, peer.PublishOptions{}))
	l.check(e.Close(l.ctx()))
	l.check(client.Accept(d.SDP))
	ctx, cancel := context.WithTimeout(l.ctx(), 100*time.Millisecond)
	defer cancel()
	if err := client.Connected(ctx); err == nil {
		t.Error("connected to an endpoint that is closed")
	}
	l.check(client.Close())
	if err := client.Connected(l.ctx()); err == nil {
		t.Error("a closed client is connected")
	}
}
