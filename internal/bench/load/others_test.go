package load_test

import (
	"context"
	"net"
	"regexp"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"

	"tertulia/internal/bench/load"
)

const patience = 20 * time.Second

// other is a server of another kind: a full ICE agent that checks its client, and takes the DTLS role it is told to.
type other struct {
	*webrtc.PeerConnection
	t       *testing.T
	arrived chan string // kinds of tracks whose first packet has come
}

func newOther(t *testing.T, role webrtc.DTLSRole) *other {
	t.Helper()
	var settings webrtc.SettingEngine
	l := &lab{t: t}
	l.check(settings.SetAnsweringDTLSRole(role))
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	engine := &webrtc.MediaEngine{}
	l.check(engine.RegisterDefaultCodecs())
	pc := must[*webrtc.PeerConnection](t)(webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(engine)).NewPeerConnection(webrtc.Configuration{}))
	o := &other{PeerConnection: pc, t: t, arrived: make(chan string, 2)}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if _, _, err := track.ReadRTP(); err == nil {
			o.arrived <- track.Kind().String()
		}
	})
	t.Cleanup(func() { _ = pc.GracefulClose() })
	return o
}

// describe sets a local description and returns it with its candidates.
func (o *other) describe(d webrtc.SessionDescription, err error) string {
	o.t.Helper()
	l := &lab{t: o.t}
	l.check(err)
	gathered := webrtc.GatheringCompletePromise(o.PeerConnection)
	l.check(o.SetLocalDescription(d))
	<-gathered
	return o.LocalDescription().SDP
}

// TestOtherServersAnswer, in either DTLS role: the publisher's streams arrive.
func TestOtherServersAnswer(t *testing.T) {
	for name, role := range map[string]webrtc.DTLSRole{"active": webrtc.DTLSRoleClient, "passive": webrtc.DTLSRoleServer} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			l := &lab{t: t, ctx: func() context.Context { return ctx }, loop: newLoop(t)}
			o := newOther(t, role)
			client := must[*load.Client](t)(load.NewPublisher(load.Config{Loop: l.loop}))
			offer := must[string](t)(client.Offer())
			l.check(o.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}))
			l.check(client.Accept(o.describe(o.CreateAnswer(nil))))
			l.check(client.Connected(ctx))
			l.play(client)
			for range 2 {
				select {
				case <-o.arrived:
				case <-ctx.Done():
					t.Fatal("media has not come in")
				}
			}
		})
	}
}

// TestOtherServersOffer: they decide the pair, with a data channel beside the media or before it.
func TestOtherServersOffer(t *testing.T) {
	for _, profile := range []load.Profile{load.GCM, load.CM} {
		t.Run(string(profile), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			l := &lab{t: t, ctx: func() context.Context { return ctx }, loop: newLoop(t)}
			o := newOther(t, webrtc.DTLSRoleClient)
			must[*webrtc.DataChannel](t)(o.CreateDataChannel("words", nil))
			client := must[*load.Client](t)(load.NewPublisher(load.Config{Loop: l.loop, SRTP: profile}))
			for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
				must[*webrtc.RTPTransceiver](t)(o.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}))
			}
			answer := must[string](t)(client.Answer(o.describe(o.CreateOffer(nil))))
			l.check(o.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
			l.check(client.Connected(ctx))
			if client.Chosen() != profile {
				t.Errorf("%s was chosen, want %s", client.Chosen(), profile)
			}
			l.play(client)
			for range 2 {
				select {
				case <-o.arrived:
				case <-ctx.Done():
					t.Fatal("media has not come in")
				}
			}
		})
	}
}

// TestWrongCertificate: a server that is not the one its description announced gets no keys.
func TestWrongCertificate(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l := &lab{t: t, ctx: func() context.Context { return ctx }, loop: newLoop(t)}
	o, twin := newOther(t, webrtc.DTLSRoleServer), newOther(t, webrtc.DTLSRoleServer)
	client := must[*load.Client](t)(load.NewViewer(load.Config{Loop: l.loop}))
	offer := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: must[string](t)(client.Offer())}
	l.check(o.SetRemoteDescription(offer))
	l.check(twin.SetRemoteDescription(offer))
	l.check(client.Accept(withFingerprintOf(o.describe(o.CreateAnswer(nil)), twin.describe(twin.CreateAnswer(nil)))))
	if err := client.Connected(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("connected: %v, %v", err, ctx.Err())
	}
	l.check(client.Close())
}

var fingerprintLine = regexp.MustCompile(`a=fingerprint:[^\r\n]*`)

func withFingerprintOf(text, other string) string {
	return fingerprintLine.ReplaceAllString(text, fingerprintLine.FindString(other))
}
