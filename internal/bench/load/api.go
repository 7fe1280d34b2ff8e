package load

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

var errAbsent = errors.New("not built yet")

// Profile names the SRTP protection to ask for.
type Profile string

const (
	GCM Profile = "gcm" // AEAD_AES_128_GCM first, AES-CM as the alternative
	CM  Profile = "cm"  // only AES128_CM_HMAC_SHA1_80
)

// Config is how a client behaves. Only Loop is required.
type Config struct {
	Loop    *Loop
	Local   netip.Addr    // our address, 127.0.0.1 unless set; IPv4
	SRTP    Profile       // GCM unless set
	Consent time.Duration // between consent checks; 2.5 s, as Chromium's, unless set; negative: none
	Reports time.Duration // between RTCP reports; 1 s unless set; negative: none
	Probe   bool          // a viewer that reads and decrypts every packet for [Hear]
}

// Loop drives clients: one goroutine for all of their sockets and timers.
type Loop struct{}

// NewLoop opens what the loop needs; nothing is driven until Run.
func NewLoop() (*Loop, error) { return nil, errAbsent }

// Run drives the clients until ctx ends, then closes those that are left.
func (l *Loop) Run(ctx context.Context) error { return errAbsent }

// Client is one WebRTC transport: it publishes a stream of VP8 and Opus, or receives one. It is a target.Transport.
type Client struct{}

// NewPublisher makes a client that offers a stream.
func NewPublisher(c Config) (*Client, error) { return nil, errAbsent }

// NewViewer makes a client that receives a stream: it offers to, or answers.
func NewViewer(c Config) (*Client, error) { return nil, errAbsent }

// Offer returns the complete offer.
func (c *Client) Offer() (string, error) { return "", errAbsent }

// Accept takes the answer to Offer and connects from then on.
func (c *Client) Accept(answer string) error { return errAbsent }

// Answer takes the server's offer and connects from then on. A later offer on the same transport, with more sections,
// may be answered too. Data channels are accepted and ignored.
func (c *Client) Answer(offer string) (string, error) { return "", errAbsent }

// Connected waits until keys are there and the socket's filter is set.
func (c *Client) Connected(ctx context.Context) error { return errAbsent }

// Chosen is the SRTP profile of a connected client.
func (c *Client) Chosen() Profile { return "" }

// Delivered counts the RTP packets that reached the socket, RTX and padding included; those that only the kernel saw too. It stays when the client
// is closed.
func (c *Client) Delivered() uint64 { return 0 }

// Close closes the socket at once, without a word to the server.
func (c *Client) Close() error { return errAbsent }

// Packet is one RTP packet of a recorded track.
type Packet struct {
	At     time.Duration // since the start of the shape
	Size   int           // bytes of RTP: header with extensions, and payload; without SRTP tag, UDP and IP
	Marker bool          // the last of its frame
}

// Track is a track of a shape.
type Track struct {
	Kind    string // "audio", "video"
	Packets []Packet
}

// Shape is what one publisher sends, over and over.
type Shape struct {
	Name   string
	Length time.Duration
	Tracks []Track
}

// LoadShape returns a recorded shape: "burst", "even" (the same packets evenly spaced), "tiles" (video with Opus) or
// "audio", at 150, 400, 1000 or 2000 kbit/s of video; audio has one rate only, and any kbps is taken.
func LoadShape(name string, kbps int) (Shape, error) { return Shape{}, errAbsent }

// PerFrame is the mean number of packets in a frame of video.
func (s Shape) PerFrame() float64 { return 0 }

// Player plays a shape into publishers, each with its own offset into the shape.
type Player struct {
	Shape      Shape
	Publishers []*Client // connected
}

// Played is what a Player has done.
type Played struct {
	Sent uint64
	Late Histogram // how long after its time each packet was handed to the kernel
}

// Play sends for so long, or until ctx ends. A second Play goes on where the first ended.
func (p *Player) Play(ctx context.Context, length time.Duration) (Played, error) {
	return Played{}, errAbsent
}

// Histogram counts durations in steps of 3 %. The zero value is empty.
type Histogram struct{}

// Count is how many there are.
func (h *Histogram) Count() uint64 { return 0 }

// Quantile is the duration that a share q (0 to 1) does not exceed; 0 when empty.
func (h *Histogram) Quantile(q float64) time.Duration { return 0 }

// Max is the longest.
func (h *Histogram) Max() time.Duration { return 0 }

// Heard is how long packets took from the publisher's send call to the kernel's receive stamp.
type Heard struct {
	Video, Audio Histogram
	Last         Histogram // of the last packet of a video frame, from the send call of its first
}

// Hear lets probes listen from now on; what it returns ends that and says what they heard together.
func Hear(probes ...*Client) (end func() Heard) { return nil }

// FloorConfig is what the floor is measured with.
type FloorConfig struct {
	Command []string // starts a process that calls FloorMain with its standard input and output
	CPU     int      // of that process
	Shape   Shape
	SRTP    Profile
	Rooms   int // publishers
	Viewers int // per room
	Length  time.Duration
}

// Floor is what sealing and sending alone cost.
type Floor struct {
	Sent      uint64 // packets of the publishers
	Expected  uint64 // at the viewers' sockets
	Delivered uint64
	User, Sys time.Duration // CPU of the process
	Took      time.Duration
}

// RunFloor measures the best bare sender: for every frame and viewer a new header, one seal, one send with UDP GSO;
// packets of shapes without frames are sent one by one.
func RunFloor(ctx context.Context, c FloorConfig) (Floor, error) { return Floor{}, errAbsent }
