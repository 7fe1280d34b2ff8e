package peer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"tertulia/internal/media"
	"tertulia/internal/media/sdp"
	"tertulia/internal/media/seal"
	"tertulia/internal/media/socket"
)

// TestAnnounced: a certificate counts only by a strong hash that the SDP announced, whole.
func TestAnnounced(t *testing.T) {
	certificate := []byte("a certificate")
	s256, s384, s512 := sha256.Sum256(certificate), sha512.Sum384(certificate), sha512.Sum512(certificate)
	good := colons(s256[:])
	for name, c := range map[string]struct {
		prints []sdp.Fingerprint
		want   bool
	}{
		"sha-256":        {[]sdp.Fingerprint{{Algorithm: "sha-256", Value: good}}, true},
		"sha-384":        {[]sdp.Fingerprint{{Algorithm: "sha-384", Value: colons(s384[:])}}, true},
		"sha-512":        {[]sdp.Fingerprint{{Algorithm: "sha-512", Value: colons(s512[:])}}, true},
		"one of several": {[]sdp.Fingerprint{{Algorithm: "sha-1", Value: "AA"}, {Algorithm: "sha-256", Value: good}}, true},
		"none":           {nil, false},
		"empty":          {[]sdp.Fingerprint{{Algorithm: "sha-256"}}, false},
		"a beginning":    {[]sdp.Fingerprint{{Algorithm: "sha-256", Value: good[:20]}}, false},
		"weak":           {[]sdp.Fingerprint{{Algorithm: "sha-1", Value: good}, {Algorithm: "md5", Value: good}}, false},
		"wrong name":     {[]sdp.Fingerprint{{Algorithm: "sha-512", Value: good}}, false},
	} {
		if got := announced(certificate, c.prints); got != c.want {
			t.Errorf("%s: announced %v", name, got)
		}
	}
}

// hello is a DTLS record that begins a handshake, and is cut short.
var hello = []byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}

// TestEarlyHandshake: what comes before we know whom to expect waits, a few records of it.
func TestEarlyHandshake(t *testing.T) {
	b := newBench(t, 0)
	e := b.endpoint(t, at(1))
	e.out, e.in, e.proven, e.state = nil, nil, false, Checking
	for range 20 {
		b.shard.packet(at(1), hello)
	}
	if len(e.early) != maxEarly || e.dtls != nil {
		t.Fatalf("%d records wait, want %d; a handshake: %v", len(e.early), maxEarly, e.dtls != nil)
	}
	e.begin("answer", sdp.Transport{Ufrag: "far", Fingerprints: []sdp.Fingerprint{{Algorithm: "sha-256", Value: "AA"}}}, nil)
	if e.dtls == nil || len(e.early) != 0 || b.shard.handshake != 1 {
		t.Errorf("after the answer: a handshake %v, %d records wait", e.dtls != nil, len(e.early))
	}
	e.release()
	b.shard.tasks.Wait()
	b.shard.due.run(0)
}

// TestHandshakesAreBounded, per endpoint and in all.
func TestHandshakesAreBounded(t *testing.T) {
	b := newBench(t, 0)
	e := b.endpoint(t, at(1))
	e.out, e.proven = nil, false
	e.remote.Fingerprints = []sdp.Fingerprint{{Algorithm: "sha-256", Value: "AA"}}
	b.shard.handshake = maxHandshakes
	b.shard.packet(at(1), hello)
	if e.dtls != nil || b.shard.counters.HandshakeRefused != 1 {
		t.Error("one handshake more than there may be")
	}
	b.shard.handshake = 0
	e.state = Checking
	for range maxAttempts + 3 {
		b.shard.packet(at(1), hello)
		if e.dtls != nil {
			e.shaken(nil, stateOfNobody, io.EOF)
		}
	}
	b.shard.tasks.Wait()
	if e.attempts != maxAttempts || e.state != Failed || b.shard.counters.HandshakeRefused != 4 {
		t.Errorf("%d attempts, state %s, %d refused", e.attempts, e.state, b.shard.counters.HandshakeRefused)
	}
	f := snapshot(e)
	if f.Attempts != maxAttempts || f.Hellos != maxAttempts+4 || f.Broken != "EOF" || !strings.Contains(f.Reason, "EOF") || f.Fingerprint || f.Cipher != "" {
		t.Errorf("facts %+v", f)
	}
}

// TestMediaBeforeKeys is counted and dropped.
func TestMediaBeforeKeys(t *testing.T) {
	b := newBench(t, 0)
	e := b.endpoint(t, at(1))
	e.in = nil
	b.shard.packet(at(1), b.packet(t, 1))
	b.shard.packet(at(1), b.sealRTCP(t, &rtcp.ReceiverReport{SSRC: 1}))
	if b.shard.counters.BeforeKeys != 2 || e.packetsIn != 0 {
		t.Errorf("%d packets before keys, %d taken", b.shard.counters.BeforeKeys, e.packetsIn)
	}
}

// TestUndecrypted tells forgeries, replays and scraps apart.
func TestUndecrypted(t *testing.T) {
	b := newBench(t, 0)
	good := b.packet(t, 1)
	forged := slices.Clone(good)
	forged[len(forged)-1] ^= 1
	for _, p := range [][]byte{forged, good, good, good[:13], append([]byte{0x9f}, good[1:20]...)} {
		b.shard.packet(b.key, p)
	}
	if c := b.shard.counters; c.Forged != 1 || c.Replayed != 1 || c.Malformed != 2 {
		t.Errorf("counted %+v", c)
	}
	if f := snapshot(b.shard.paths[b.key].endpoint); f.Forged != 1 || f.Heard != 0 {
		t.Errorf("the endpoint's: %+v", f)
	}
}

// TestScrapsOfRTCP are dropped, whoever sealed them.
func TestScrapsOfRTCP(t *testing.T) {
	b := newBench(t, 1)
	sealed, err := b.far.EncryptRTCP(nil, []byte{0x81, 200, 0, 6, 0, 0, 0, 1, 9, 9, 9, 9}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.shard.packet(b.key, sealed)
	b.shard.packet(b.key, []byte{0x81, 200, 0, 0, 0, 0, 0, 1})
	if b.shard.counters.Malformed != 2 {
		t.Errorf("%d counted, want 2", b.shard.counters.Malformed)
	}
}

// TestLargestPacket: what a publisher may send at most still fits with our header, RTX and SRTP around it, or is
// counted.
func TestLargestPacket(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	b.shard.packet(b.key, b.seal(t, rtp.Header{PayloadType: 96, SSRC: 1, SequenceNumber: 1}, append([]byte{0x10, 0}, make([]byte, media.MaxPacketSize-14)...)))
	b.shard.send()
	if len(v.opened) != 1 || v.failed != 0 {
		t.Fatalf("the largest packet: %d sent, %d failed, %+v", len(v.opened), v.failed, b.shard.counters)
	}
	egress{&v.endpoint.transport}.Send(12, make([]byte, datagram-12-seal.Overhead+1), 0)
	if b.shard.counters.SendDropped != 1 {
		t.Errorf("%d too large ones counted, want 1", b.shard.counters.SendDropped)
	}
}

// TestKeyframeWishes of a viewer, by PLI and FIR, reach the publisher once per 300 ms; those about others' SSRCs don't.
func TestKeyframeWishes(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	publisher := b.shard.paths[b.key].endpoint
	b.shard.now += second
	publisher.feedback(b.shard.now) // what the viewer asked for when it came
	before := publisher.sections[0].receiver.Stats().KeyframeRequests
	to := v.endpoint.selected.pathKey
	own := v.section().send.SSRC
	for range 10 {
		b.shard.packet(to, b.sealRTCP(t, &rtcp.PictureLossIndication{SenderSSRC: 5, MediaSSRC: own + 2}))
		b.shard.packet(to, b.sealRTCP(t, &rtcp.FullIntraRequest{SenderSSRC: 5, FIR: []rtcp.FIREntry{{SSRC: own + 2}}}))
	}
	b.from(t, 1, 1, 1) // a key frame ends the first wish
	publisher.feedback(b.shard.now)
	if got := publisher.sections[0].receiver.Stats().KeyframeRequests; got != before {
		t.Fatalf("wishes about another's SSRC reached the publisher")
	}
	b.shard.now += second
	for range 10 {
		b.shard.now += 20 * media.Time(time.Millisecond)
		b.shard.packet(to, b.sealRTCP(t, &rtcp.PictureLossIndication{SenderSSRC: 5, MediaSSRC: own}))
		b.shard.packet(to, b.sealRTCP(t, &rtcp.FullIntraRequest{SenderSSRC: 5, FIR: []rtcp.FIREntry{{SSRC: own}}}))
		publisher.feedback(b.shard.now)
	}
	if got := publisher.sections[0].receiver.Stats().KeyframeRequests - before; got != 1 {
		t.Errorf("the publisher was asked %d times in 200 ms, want once", got)
	}
}

// TestCompoundsFitADatagram, however much there is to say.
func TestCompoundsFitADatagram(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	v.endpoint.rsize = true
	var packets []rtcp.Packet
	for i := range 200 {
		packets = append(packets, &rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: uint32(i), Nacks: make([]rtcp.NackPair, 5)})
	}
	v.endpoint.sendRTCP(packets)
	b.shard.send()
	if len(v.reports) != len(packets) || len(v.indices) < 5 {
		t.Errorf("%d of %d packets came, in %d compounds", len(v.reports), len(packets), len(v.indices))
	}
	v.endpoint.state = Failed
	v.endpoint.sendRTCP(packets)
	b.shard.send()
	if len(v.reports) != len(packets) {
		t.Error("sent without consent")
	}
}

// TestConfigIsChecked: a shard without what it needs is refused by name.
func TestConfigIsChecked(t *testing.T) {
	good := Config{Socket: &nowhere{}, Addresses: func() socket.Addresses { return socket.Addresses{} }, Log: slog.New(slog.DiscardHandler)}
	for name, config := range map[string]Config{
		"Socket":      {Addresses: good.Addresses, Log: good.Log},
		"Certificate": good,
		"PrivateKey":  {Socket: good.Socket, Addresses: good.Addresses, Log: good.Log, Certificate: tls.Certificate{Certificate: [][]byte{{1}}}},
	} {
		if s, err := New(config); err == nil || s != nil {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// TestCandidates: UDP before TCP, in the order given, loopback for those who ask; and which addresses are ours.
func TestCandidates(t *testing.T) {
	b := newBench(t, 0)
	v4, v6, lo := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("127.0.0.1")
	b.shard.config.Addresses = func() socket.Addresses {
		return socket.Addresses{Host: []netip.Addr{v4, v6}, Loopback: []netip.Addr{lo}}
	}
	b.shard.config.Port, b.shard.config.TCP = 4443, true
	list := b.shard.config.candidates(&EndpointConfig{Loopback: true})
	want := []string{" udp 2130706431 192.0.2.1 4443 typ host", " udp 2130706175 2001:db8::1 4443 typ host", " udp 2130705919 127.0.0.1 4443 typ host",
		" 192.0.2.1 4443 typ host tcptype passive", " 2001:db8::1 4443 typ host tcptype passive", " 127.0.0.1 4443 typ host tcptype passive"}
	for i := range want {
		if !strings.HasSuffix(list[i], want[i]) {
			t.Errorf("candidate %d is %q, want …%q", i, list[i], want[i])
		}
	}
	b.shard.config.TCP = false
	if got := b.shard.config.candidates(&EndpointConfig{}); len(got) != 2 {
		t.Errorf("candidates %v, want the 2 of UDP", got)
	}
	for address, want := range map[string]bool{"192.0.2.1:4443": true, "[::ffff:192.0.2.1]:4443": true, "[2001:db8::1]:4443": true,
		"127.0.0.1:4443": true, "192.0.2.1:22": false, "192.0.2.2:4443": false, "127.0.0.1:80": false} {
		if got := b.shard.Serves(netip.MustParseAddrPort(address)); got != want {
			t.Errorf("serves %s: %v", address, got)
		}
	}
}

// TestSlowTCPClient loses what does not fit its queue, as on UDP; the shard never waits.
func TestSlowTCPClient(t *testing.T) {
	c := &tcpConn{out: make(chan []byte, tcpQueue)}
	packet := []byte("packet")
	for range tcpQueue + 10 {
		c.enqueue(pathKey{}, packet)
	}
	packet[0] = 'X' // it was copied
	if c.dropped.Load() != 10 || len(c.out) != tcpQueue {
		t.Errorf("%d dropped, %d wait", c.dropped.Load(), len(c.out))
	}
	if b := <-c.out; !bytes.Equal(b, append([]byte{0, 6}, "packet"...)) {
		t.Errorf("queued %q", b)
	}
}

// TestBuffered tells whole frames from the beginnings of frames.
func TestBuffered(t *testing.T) {
	for text, want := range map[string]bool{"": false, "\x00": false, "\x00\x03ab": false, "\x00\x03abc": true, "\x00\x00": true} {
		r := bufio.NewReader(strings.NewReader(text))
		_, _ = r.Peek(len(text))
		if got := buffered(r); got != want {
			t.Errorf("%q holds a frame: %v", text, got)
		}
	}
}

// TestStuckTCPClient: one that takes nothing is cut off after some time, and its writer with it.
func TestStuckTCPClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		c := &tcpConn{conn: near, out: make(chan []byte, tcpQueue), shard: &Shard{stopped: make(chan struct{})}}
		c.enqueue(pathKey{}, make([]byte, 100))
		start := time.Now()
		c.write(t.Context())
		if d := time.Since(start); d != tcpWriteWithin {
			t.Errorf("cut off after %v, want %v", d, tcpWriteWithin)
		}
		near.Close()

		// One that reads gets frames, many in one piece.
		near, far = net.Pipe()
		c.conn = near
		for range 10 {
			c.enqueue(pathKey{}, []byte("frame"))
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { c.write(ctx); close(ended) }()
		got := make([]byte, 70)
		if n, err := far.Read(got); n != 70 || err != nil || binary.BigEndian.Uint16(got[63:]) != 5 {
			t.Errorf("read %d bytes: %q, %v", n, got, err)
		}
		cancel()
		<-ended
	})
}

// TestBrokenSocketEndsRun, one hiccup does not.
func TestBrokenSocketEndsRun(t *testing.T) {
	b := newBench(t, 0)
	if err := b.shard.Run(t.Context()); !errors.Is(err, io.EOF) { // what nowhere always says
		t.Errorf("Run ended with %v", err)
	}
	if err := b.shard.Do(t.Context(), func() { t.Error("ran after the end") }); err == nil {
		t.Error("an ended shard takes messages")
	}
	if b.shard.post(func() {}) {
		t.Error("posted after the end")
	}
}

// TestCipherIsNamed as WebRTC statistics name it; where the socket does not tell our address, it is unknown.
func TestCipherIsNamed(t *testing.T) {
	for profile, want := range map[srtp.ProtectionProfile]string{
		srtp.ProtectionProfileAeadAes128Gcm: "SRTP_AEAD_AES_128_GCM", srtp.ProtectionProfileAes128CmHmacSha1_80: "SRTP_AES128_CM_HMAC_SHA1_80",
	} {
		b := newBench(t, 0)
		e := b.endpoint(t, at(1))
		e.profile = profile
		if st := e.stats(); st.Cipher != want || st.LocalCandidate != "udp unknown port 1" || st.RemoteCandidate != "udp 198.51.100.1:1" {
			t.Errorf("%+v, want the cipher %s", st, want)
		}
	}
}

// TestFAQ_01__ReachedCandidates stand behind ours, once, and are nobody else's: naming an address sends nothing there.
func TestFAQ_01__ReachedCandidates(t *testing.T) {
	b := newBench(t, 0)
	b.shard.config.Addresses = func() socket.Addresses {
		return socket.Addresses{Host: []netip.Addr{netip.MustParseAddr("10.0.0.5")}, Loopback: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}
	}
	b.shard.config.Port, b.shard.config.TCP = 4443, true
	for reached, want := range map[string][]string{
		"203.0.113.5:4443":          {"10.0.0.5 4443", "203.0.113.5 4443"},
		"203.0.113.5:443":           {"10.0.0.5 4443", "203.0.113.5 443", "203.0.113.5 4443"}, // published, or a proxy
		"[::ffff:203.0.113.5]:4443": {"10.0.0.5 4443", "203.0.113.5 4443"},
		"[2001:db8::5]:4443":        {"10.0.0.5 4443", "2001:db8::5 4443"},
		"10.0.0.5:4443":             {"10.0.0.5 4443"},
		"127.0.0.1:8443":            {"10.0.0.5 4443", "127.0.0.1 8443", "127.0.0.1 4443"},
	} {
		list := b.shard.config.candidates(&EndpointConfig{Reached: netip.MustParseAddrPort(reached)})
		if len(list) != 2*len(want) {
			t.Errorf("reached by %s: %q", reached, list)
			continue
		}
		last, foundations := uint64(1<<32), map[string]bool{}
		for i, line := range list {
			words := strings.Fields(line)
			priority, err := strconv.ParseUint(words[3], 10, 32)
			if err != nil || priority >= last || foundations[words[0]] {
				t.Errorf("%s: %q has priority %d after %d, or a foundation twice", reached, line, priority, last)
			}
			last, foundations[words[0]] = priority, true
			kind := " udp "
			if i >= len(want) {
				kind = " tcp "
			}
			if !strings.Contains(line, kind) || !strings.Contains(line, " "+want[i%len(want)]+" typ host") {
				t.Errorf("%s: candidate %d is %q, want %s%s", reached, i, line, kind, want[i%len(want)])
			}
		}
	}
	if b.shard.Serves(netip.MustParseAddrPort("203.0.113.5:4443")) {
		t.Error("a relay may have the reached address as a peer: nobody has proved that it is ours")
	}
	b.shard.send()
	if b.wire.sent != 0 {
		t.Errorf("%d packets were sent", b.wire.sent)
	}
}
