package testkit

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"
)

// ClientConfig says what network and codecs a client has. The zero value uses loopback and Pion's default codecs.
type ClientConfig struct {
	Net    transport.Net // vnet; nil for the real loopback interface
	TCP    bool          // only ICE-TCP
	Engine *webrtc.MediaEngine
	Audio  webrtc.RTPCodecCapability   // what it publishes; the zero one is Opus
	Tune   func(*webrtc.SettingEngine) // last word on the settings
}

// Client is a Pion peer connection that publishes and counts. Its goroutines end with the test.
type Client struct {
	t     testing.TB
	sound webrtc.RTPCodecCapability
	PC    *webrtc.PeerConnection
	// FrameRate is how many pictures a second are published: 30 at first; it may be changed at any time.
	FrameRate atomic.Int32

	audio *webrtc.TrackLocalStaticRTP
	video *webrtc.TrackLocalStaticRTP
	tasks sync.WaitGroup
	close func() // closes done, once
	done  chan struct{}

	mu        sync.Mutex
	keyframe  bool          // asked for by PLI
	changed   chan struct{} // closed and renewed with every packet and state
	received  map[string][]rtp.Header
	keyframes int
	reports   []rtcp.Packet
	state     webrtc.PeerConnectionState
}

// NewClient makes a client that is closed with the test.
func NewClient(t testing.TB, c ClientConfig) *Client {
	t.Helper()
	var settings webrtc.SettingEngine
	// As browsers do; Pion would be passive towards an ICE-lite offerer.
	check(t, settings.SetAnsweringDTLSRole(webrtc.DTLSRoleClient))
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if c.Net != nil {
		settings.SetNet(c.Net)
	} else {
		settings.SetIncludeLoopbackCandidate(true)
		settings.SetIPFilter(net.IP.IsLoopback)
	}
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if c.TCP {
		settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	}
	if c.Tune != nil {
		c.Tune(&settings)
	}
	engine := c.Engine
	if engine == nil {
		engine = &webrtc.MediaEngine{}
		check(t, engine.RegisterDefaultCodecs())
	}
	registry := &interceptor.Registry{}
	check(t, webrtc.RegisterDefaultInterceptors(engine, registry))
	check(t, webrtc.ConfigureTWCCHeaderExtensionSender(engine, registry))
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	check(t, err)
	client := &Client{t: t, PC: pc, changed: make(chan struct{}), done: make(chan struct{}), received: map[string][]rtp.Header{}, sound: c.Audio}
	client.FrameRate.Store(30)
	if client.sound.MimeType == "" {
		client.sound = Opus
	}
	client.close = sync.OnceFunc(func() { close(client.done) })
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { client.note(func() { client.state = s }) })
	pc.OnTrack(client.take)
	t.Cleanup(client.Close)
	return client
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Close ends the client and waits for its goroutines.
func (c *Client) Close() {
	c.close()
	_ = c.PC.GracefulClose()
	c.tasks.Wait()
}

// PublishOffer adds an audio and a video track and returns the offer to send.
func (c *Client) PublishOffer(video webrtc.RTPCodecCapability) string {
	c.t.Helper()
	var err error
	c.audio, err = webrtc.NewTrackLocalStaticRTP(c.sound, "audio", "stream")
	check(c.t, err)
	c.video, err = webrtc.NewTrackLocalStaticRTP(video, "video", "stream")
	check(c.t, err)
	for _, track := range []*webrtc.TrackLocalStaticRTP{c.audio, c.video} {
		tr, err := c.PC.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		check(c.t, err)
		if codecs := only(track.Codec()); codecs != nil {
			check(c.t, tr.SetCodecPreferences(codecs))
		}
		c.tasks.Go(func() { c.readFeedback(tr.Sender()) })
	}
	return c.offer()
}

// SubscribeOffer returns an offer to receive audio and video.
func (c *Client) SubscribeOffer() string {
	c.t.Helper()
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		_, err := c.PC.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		check(c.t, err)
	}
	return c.offer()
}

func (c *Client) offer() string {
	c.t.Helper()
	offer, err := c.PC.CreateOffer(nil)
	check(c.t, err)
	check(c.t, c.PC.SetLocalDescription(offer))
	return offer.SDP
}

// Accept takes the server's answer.
func (c *Client) Accept(answer string) {
	c.t.Helper()
	check(c.t, c.PC.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
}

// Answer answers the server's offer.
func (c *Client) Answer(offer string) string {
	c.t.Helper()
	check(c.t, c.PC.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}))
	answer, err := c.PC.CreateAnswer(nil)
	check(c.t, err)
	check(c.t, c.PC.SetLocalDescription(answer))
	return answer.SDP
}

// note changes what waiters look at.
func (c *Client) note(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	close(c.changed)
	c.changed = make(chan struct{})
}

// Wait blocks until ok holds, or fails the test when ctx ends; ok is called with the client's state locked.
func (c *Client) Wait(ctx context.Context, what string, ok func() bool) {
	c.t.Helper()
	for {
		c.mu.Lock()
		done, changed := ok(), c.changed
		c.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			c.t.Fatalf("waiting for %s: %v", what, ctx.Err())
		}
	}
}

// WaitConnected waits for ICE and DTLS.
func (c *Client) WaitConnected(ctx context.Context) {
	c.t.Helper()
	c.Wait(ctx, "connection", func() bool { return c.state == webrtc.PeerConnectionStateConnected })
}

// WaitPackets waits until n packets more than there were have come in of a kind ("audio", "video").
func (c *Client) WaitPackets(ctx context.Context, kind string, n int) {
	c.t.Helper()
	n += len(c.Headers(kind))
	c.Wait(ctx, kind+" packets", func() bool { return len(c.received[kind]) >= n })
}

// Headers returns the headers of the packets received so far of a kind, in order of arrival.
func (c *Client) Headers(kind string) []rtp.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]rtp.Header(nil), c.received[kind]...)
}

// Keyframes returns how many key frames came in.
func (c *Client) Keyframes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keyframes
}

// Reports returns the RTCP the receivers read.
func (c *Client) Reports() []rtcp.Packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]rtcp.Packet(nil), c.reports...)
}

func (c *Client) take(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	c.tasks.Go(func() {
		for {
			packets, _, err := receiver.ReadRTCP()
			if err != nil {
				return
			}
			c.note(func() { c.reports = append(c.reports, packets...) })
		}
	})
	kind, mime := track.Kind().String(), track.Codec().MimeType
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		c.note(func() {
			c.received[kind] = append(c.received[kind], p.Header)
			if kind == "video" && keyframe(mime, p.Payload) {
				c.keyframes++
			}
		})
	}
}

func (c *Client) readFeedback(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		c.note(func() {
			for _, p := range packets {
				switch p.(type) {
				case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
					c.keyframe = true
				}
			}
			c.reports = append(c.reports, packets...)
		})
	}
}

// Publish sends pictures of several packets and 50 sounds a second until ctx or the client ends; a picture is a key frame when
// one was asked for.
func (c *Client) Publish(ctx context.Context) {
	c.tasks.Go(func() {
		rate := c.FrameRate.Load()
		pictures, sounds := time.NewTicker(time.Second/time.Duration(rate)), time.NewTicker(20*time.Millisecond)
		defer pictures.Stop()
		defer sounds.Stop()
		var audio, video rtp.Header
		audio.Version, video.Version = 2, 2
		for picture := uint16(0); ; {
			select {
			case <-ctx.Done():
				return
			case <-c.done:
				return
			case <-sounds.C:
				audio.SequenceNumber++
				audio.Timestamp += c.sound.ClockRate / 50
				_ = c.audio.WriteRTP(&rtp.Packet{Header: audio, Payload: []byte{0xfc, 0xff, 0xfe}})
			case <-pictures.C:
				picture++
				video.Timestamp += uint32(90000 / rate)
				c.picture(&video, picture)
				if now := c.FrameRate.Load(); now != rate {
					rate = now
					pictures.Reset(time.Second / time.Duration(rate))
				}
			}
		}
	})
}

func (c *Client) picture(h *rtp.Header, id uint16) {
	c.mu.Lock()
	key := c.keyframe || id == 1
	c.keyframe = false
	c.mu.Unlock()
	for part := range parts {
		h.SequenceNumber++
		h.Marker = part == parts-1
		_ = c.video.WriteRTP(&rtp.Packet{Header: *h, Payload: picture(c.video.Codec().MimeType, id, part, key)})
	}
}

// HasKeyframe is for Wait: a key frame has come in.
func (c *Client) HasKeyframe() bool { return c.keyframes > 0 }

// MaySend is for Wait: the latest REMB allows a client so many bits a second.
func MaySend(c *Client, bits float32) func() bool {
	return func() bool {
		for _, p := range slices.Backward(c.reports) {
			if remb, ok := p.(*rtcp.ReceiverEstimatedMaximumBitrate); ok {
				return remb.Bitrate == bits
			}
		}
		return false
	}
}

// HasRTCP is for Wait: a packet of that type (its Go name, "SenderReport") has come in.
func (c *Client) HasRTCP(name string) func() bool {
	return func() bool {
		for _, p := range c.reports {
			if strings.HasSuffix(fmt.Sprintf("%T", p), "."+name) {
				return true
			}
		}
		return false
	}
}

// WantRTCP fails the test for each type that has not come in.
func (c *Client) WantRTCP(t testing.TB, names ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		if !c.HasRTCP(name)() {
			t.Errorf("no RTCP %s came in", name)
		}
	}
}
