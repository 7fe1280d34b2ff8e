package target

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/webrtc/v4"
)

// peer is a Transport over a Pion peer connection.
type peer struct {
	pc       *webrtc.PeerConnection
	tracks   []*webrtc.TrackLocalStaticRTP // of a publisher
	offered  []string
	playing  sync.WaitGroup
	connects chan struct{}

	mu      sync.Mutex
	changed chan struct{}
	heard   map[string]int // packets by kind
}

func newPeer(t *testing.T, address netip.Addr, publisher bool) *peer {
	t.Helper()
	var settings webrtc.SettingEngine
	check(t, settings.SetAnsweringDTLSRole(webrtc.DTLSRoleClient))
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.Equal(address.AsSlice()) })
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	engine := &webrtc.MediaEngine{}
	check(t, engine.RegisterDefaultCodecs())
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(engine)).NewPeerConnection(webrtc.Configuration{})
	check(t, err)
	p := &peer{pc: pc, connects: make(chan struct{}), changed: make(chan struct{}), heard: map[string]int{}}
	once := sync.OnceFunc(func() { close(p.connects) })
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once()
		}
	})
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.listen(track) })
	t.Cleanup(func() { _ = pc.GracefulClose() })
	if publisher {
		for _, codec := range []webrtc.RTPCodecCapability{
			{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, {MimeType: webrtc.MimeTypeVP8, ClockRate: 90000},
		} {
			track, err := webrtc.NewTrackLocalStaticRTP(codec, "track-"+codec.MimeType[:5], "stream")
			check(t, err)
			_, err = pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
			check(t, err)
			p.tracks = append(p.tracks, track)
		}
	}
	return p
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *peer) Offer() (string, error) {
	if p.tracks == nil {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			receive := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
			if _, err := p.pc.AddTransceiverFromKind(kind, receive); err != nil {
				return "", err
			}
		}
	}
	offer, err := p.pc.CreateOffer(nil)
	return p.complete(offer, err)
}

func (p *peer) Accept(answer string) error {
	return p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

func (p *peer) Answer(offer string) (string, error) {
	p.offered = append(p.offered, offer)
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := p.pc.CreateAnswer(nil)
	return p.complete(answer, err)
}

// complete sets a local description and returns it with its candidates.
func (p *peer) complete(d webrtc.SessionDescription, err error) (string, error) {
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(d); err != nil {
		return "", err
	}
	<-gathered
	return p.pc.LocalDescription().SDP, nil
}

// listen counts a track's packets until it ends with the peer connection, which waits for it.
func (p *peer) listen(track *webrtc.TrackRemote) {
	for {
		if _, _, err := track.ReadRTP(); err != nil {
			return
		}
		p.mu.Lock()
		p.heard[track.Kind().String()]++
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
	}
}

// waitHeard waits for packets of both kinds.
func (p *peer) waitHeard(ctx context.Context, n int) error {
	for {
		p.mu.Lock()
		audio, video, changed := p.heard["audio"], p.heard["video"], p.changed
		p.mu.Unlock()
		if audio >= n && video >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), errors.New("media has not come in"))
		}
	}
}

// play sends sounds and key frames of one packet until stopped.
func (p *peer) play(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p.playing.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := uint32(0); ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			sound := rtp.Header{Version: 2, Marker: true, SequenceNumber: uint16(n), Timestamp: n * 960}
			_ = p.tracks[0].WriteRTP(&rtp.Packet{Header: sound, Payload: []byte{0xfc, 0xff, 0xfe}})
			picture := rtp.Header{Version: 2, Marker: true, SequenceNumber: uint16(n), Timestamp: n * 1800}
			_ = p.tracks[1].WriteRTP(&rtp.Packet{Header: picture, Payload: keyframe(uint16(n))})
		}
	})
	t.Cleanup(func() { cancel(); p.playing.Wait() })
}

// keyframe is a VP8 payload of a 320×240 key frame: descriptor with 15-bit picture id (RFC 7741 §4.2), frame tag (RFC 6386 §9.1).
func keyframe(id uint16) []byte {
	head := []byte{0x90, 0x80, 0x80 | byte(id>>8)&0x7f, byte(id), 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00}
	return slices.Concat(head, make([]byte, 400))
}

// srtp names the SRTP protection a connected peer negotiated, which Pion keeps to itself.
func (p *peer) srtp() string {
	profile := reflect.ValueOf(p.pc.GetReceivers()[0].Transport()).Elem().FieldByName("srtpProtectionProfile").Uint()
	return srtp.ProtectionProfile(profile).String()
}
