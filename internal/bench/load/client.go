package load

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

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
	Consent time.Duration // between consent checks; 2.5 s, as Chromium's, unless set, 5 s at most; negative: none
	Reports time.Duration // between RTCP reports; 1 s unless set, 5 s at most; negative: none
	Probe   bool          // a viewer that reads and decrypts every packet for [Hear]
}

// Client is one WebRTC transport: it publishes a stream of VP8 and Opus, or receives one. It is a target.Transport. Its
// descriptions are made and taken by one goroutine at a time; below, its fields belong to the loop unless it says otherwise.
type Client struct {
	loop      *Loop
	config    Config
	publishes bool
	fd        int
	local     netip.AddrPort

	terms // what the descriptions say
	agent // ICE
	keys  // DTLS and SRTP
	talk  // RTCP, and what is heard of RTP

	begun  bool
	closed bool
	began  time.Duration

	ready  chan struct{}
	once   sync.Once
	failed error // written before ready is closed

	transportN uint16        // the player's
	read       atomic.Uint64 // RTP packets

	mu    sync.Mutex // guards fd against being closed while Delivered asks the kernel
	final uint64     // what was delivered, once the socket is closed
	shut  bool
}

// NewPublisher makes a client that offers a stream.
func NewPublisher(c Config) (*Client, error) { return newClient(c, true) }

// NewViewer makes a client that receives a stream: it offers to, or answers.
func NewViewer(c Config) (*Client, error) { return newClient(c, false) }

func newClient(config Config, publishes bool) (*Client, error) {
	if config.Loop == nil {
		return nil, errors.New("load.Config: Loop is required")
	}
	if !config.Local.IsValid() {
		config.Local = loopback
	}
	if config.SRTP == "" {
		config.SRTP = GCM
	}
	if config.Consent == 0 {
		config.Consent = 2500 * time.Millisecond
	}
	if config.Reports == 0 {
		config.Reports = time.Second
	}
	var seed [64]byte
	_, _ = rand.Read(seed[:])
	c := &Client{
		loop: config.Loop, config: config, publishes: publishes, ready: make(chan struct{}),
		terms: terms{session: binary.BigEndian.Uint64(seed[:]) >> 2, ufrag: text(seed[20:23]), pwd: text(seed[44:]), cname: text(seed[34:44])},
		agent: agent{tieBreaker: binary.BigEndian.Uint64(seed[8:])},
		talk:  talk{ssrc: binary.BigEndian.Uint32(seed[16:]) | 1},
	}
	c.terms.client, c.agent.client, c.keys.client, c.talk.client = c, c, c, c
	if publishes {
		c.tracks = []*track{newTrack("audio", seed[24:]), newTrack("video", seed[34:])}
	}
	var err error
	c.fd, c.local, err = openUDP(config.Local)
	if err != nil {
		return nil, err
	}
	if config.Probe {
		if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
			_ = unix.Close(c.fd)
			return nil, fmt.Errorf("SO_TIMESTAMPNS: %w", err)
		}
	}
	return c, nil
}

// text is random bytes as ICE credentials may hold them (RFC 8839 §5.4).
func text(b []byte) string { return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b) }

// Connected waits until the keys are there, and the filter of a viewer's socket.
func (c *Client) Connected(ctx context.Context) error {
	select {
	case <-c.ready:
		return c.failed
	case <-ctx.Done():
		return fmt.Errorf("client %s is not connected: %w", c.ufrag, context.Cause(ctx))
	}
}

// Chosen is the SRTP profile of a connected client.
func (c *Client) Chosen() Profile {
	<-c.ready
	return c.chosen
}

// Delivered counts the RTP packets that reached the socket, those that only the kernel saw too; RTX and padding included.
// It stays when the client is closed.
func (c *Client) Delivered() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.shut:
		return c.final
	case c.config.Probe || c.publishes:
		return c.read.Load() // no filter: what the kernel drops is lost
	}
	return c.read.Load() + dropped(c.fd)
}

// Close closes the socket, without a word to the server, and waits until that is done.
func (c *Client) Close() error {
	if c.loop.do(func() { c.release(errClosed) }) != nil {
		<-c.loop.stopped
		c.release(errEnded) // nobody else will
	}
	return nil
}

var errClosed = errors.New("the client was closed")

// release is the end of a client. A handshake under way still writes to the socket, so it goes first.
func (c *Client) release(why error) {
	if c.closed {
		return
	}
	c.closed = true
	c.settle(why)
	delete(c.loop.clients, int32(c.fd))
	if c.handshake != nil {
		c.handshake.end()
		c.handshake = nil
	}
	c.shutSocket()
}

func (c *Client) shutSocket() {
	final := c.Delivered()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.shut {
		c.final, c.shut = final, true
		_ = unix.Close(c.fd)
	}
}

// begin starts connecting; the loop owns the client from now on.
func (c *Client) begin() error {
	if c.begun {
		return nil
	}
	c.begun = true
	return c.loop.do(func() {
		if c.closed {
			return
		}
		c.loop.connecting++
		if err := c.loop.watch(c.fd); err != nil {
			c.settle(fmt.Errorf("epoll: %w", err))
			return
		}
		c.loop.clients[int32(c.fd)] = c
		c.began = c.loop.now()
		c.loop.schedule(c, c.tick(c.began))
	})
}

// settle says how connecting has ended.
func (c *Client) settle(err error) {
	c.once.Do(func() {
		if c.begun {
			c.loop.connecting--
		}
		c.failed = err
		close(c.ready)
	})
}

const connectWithin = 30 * time.Second

// tick does what is due and says when to come again.
func (c *Client) tick(now time.Duration) time.Duration {
	if !c.connected() {
		if now-c.began > connectWithin {
			c.settle(fmt.Errorf("client %s: %s", c.ufrag, c.progress()))
			return time.Second
		}
		c.checkCandidates()
		return checkEvery
	}
	if c.lingers != 0 && now >= c.lingers {
		c.lingers = 0
		c.handshake.end()
		c.handshake = nil
	}
	next := now + 5*time.Second
	if c.config.Consent > 0 {
		if now >= c.consentAt {
			c.consentAt = now + c.config.Consent
			c.check(c.selected, !c.remote.controlling)
		}
		next = min(next, c.consentAt)
	}
	if c.config.Reports > 0 {
		if now >= c.reportAt {
			c.reportAt = now + c.config.Reports
			c.report()
		}
		next = min(next, c.reportAt)
	}
	return next - now
}

// progress says how far connecting has come.
func (c *Client) progress() string {
	switch {
	case !c.selected.IsValid():
		return fmt.Sprintf("no candidate of %v answered", c.remote.candidates)
	case c.handshake == nil:
		return "the server has not begun its DTLS handshake"
	}
	return "the DTLS handshake does not finish"
}
