package peer

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"

	"tertulia/internal/media"
	"tertulia/internal/media/congestion"
	"tertulia/internal/media/sdp"
	"tertulia/internal/media/seal"
	"tertulia/internal/media/socket"
)

// nowhere is a socket that swallows what is sent.
type nowhere struct {
	sent     int // datagrams
	messages int
	take     func(socket.Message) // told of each, if set
}

func (n *nowhere) ReadBatch([]socket.Message, bool) (int, error) { return 0, io.EOF }
func (n *nowhere) SetReadDeadline(time.Time) error               { return nil }
func (n *nowhere) LocalAddr() netip.AddrPort                     { return netip.MustParseAddrPort("127.0.0.1:1") }
func (n *nowhere) Close() error                                  { return nil }
func (n *nowhere) WriteBatch(ms []socket.Message) int {
	for _, m := range ms {
		size := len(m.Buf)
		if m.Segment > 0 {
			size = m.Segment
		}
		for b := range slices.Chunk(m.Buf, size) {
			n.sent++
			if n.take != nil {
				n.take(socket.Message{Buf: b, Remote: m.Remote, Local: m.Local})
			}
		}
	}
	n.messages += len(ms)
	return 0
}

// bench is a shard without goroutine, with a publisher and viewers that have keys already.
type bench struct {
	shard *Shard
	wire  *nowhere
	far   *srtp.Context // the publisher's side
	key   pathKey
	track *media.Track
}

var profile = srtp.ProtectionProfileAeadAes128Gcm

func keyed(t testing.TB, options ...srtp.ContextOption) *srtp.Context {
	t.Helper()
	c, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), profile, options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newBench(t testing.TB, viewers int) *bench {
	t.Helper()
	wire := &nowhere{}
	s, err := New(Config{
		Socket: wire, Addresses: func() socket.Addresses { return socket.Addresses{} },
		Certificate: tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))},
		Log:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.now = 1
	b := &bench{shard: s, wire: wire, far: keyed(t), key: pathKey{remote: netip.MustParseAddrPort("192.0.2.1:5000")}}
	codec := sdp.Default("video")
	b.track = trackOf(s, "video", codec)
	publisher := b.endpoint(t, b.key)
	publisher.arrivals, publisher.receiving = new(congestion.Arrivals), true
	in := &section{endpoint: publisher, kind: "video", mid: "0", codec: codec, midExt: 4, transportExt: 3, track: b.track}
	publisher.sections = []*section{in}
	in.receive(1, 2)
	publisher.sources[1], publisher.sources[2] = &source{section: in, receiver: in.receiver}, &source{section: in, receiver: in.receiver, repair: true}
	for i := range viewers {
		e := b.endpoint(t, pathKey{remote: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), uint16(i+1))})
		sec := &section{endpoint: e, kind: "video", mid: "0", codec: codec, midExt: 4, timeExt: 2, transportExt: 3, source: b.track}
		sec.send = stream(e, codec)
		e.sections = []*section{sec}
		sec.attach(s.now)
	}
	return b
}

func (b *bench) endpoint(t testing.TB, key pathKey) *Endpoint {
	e := newEndpoint(b.shard, EndpointConfig{})
	e.state, e.proven, e.pwd, e.profile = Connected, true, "password", profile
	out, err := seal.New(profile, make([]byte, 16), make([]byte, 12))
	if err != nil {
		t.Fatal(err)
	}
	e.out = out
	e.in = keyed(t, srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	e.selected = b.shard.claim(key, e)
	b.shard.endpoints[e.ufrag] = e
	return e
}

// packet seals the n-th packet of the publisher.
func (b *bench) packet(t testing.TB, n uint16) []byte {
	t.Helper()
	return b.part(t, n, uint32(n)*3000, 1005)
}

// part seals a packet of a frame, all of which are key frames.
func (b *bench) part(t testing.TB, n uint16, timestamp uint32, size int) []byte {
	t.Helper()
	p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: n, Timestamp: timestamp, SSRC: 1, Marker: true},
		Payload: append([]byte{0x90, 0x80, byte(n>>8) | 0x80, byte(n), 0}, make([]byte, size-5)...)}
	tcc, _ := (&rtp.TransportCCExtension{TransportSequence: n}).Marshal()
	_ = p.Header.SetExtension(3, tcc)
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := b.far.EncryptRTP(nil, raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// TestForwardingAllocates holds for the whole way of a packet, from its arrival to 100 sealed ones in the batch. What
// is left is pion/srtp's and does not grow with viewers.
func TestForwardingAllocates(t *testing.T) {
	const runs = 200
	perPacket := func(viewers int) float64 {
		b := newBench(t, viewers)
		packets := make([][]byte, runs+20)
		for i := range packets {
			packets[i] = b.packet(t, uint16(i))
		}
		next := 0
		step := func() {
			b.shard.packet(b.key, packets[next])
			b.shard.send()
			next++
		}
		for range 10 {
			step()
		}
		allocs := testing.AllocsPerRun(runs, step)
		if b.wire.sent < runs*viewers {
			t.Fatalf("%d packets left, want %d or more", b.wire.sent, runs*viewers)
		}
		return allocs
	}
	one, hundred := perPacket(1), perPacket(100)
	t.Logf("allocations per packet: %v with 1 viewer, %v with 100", one, hundred)
	if hundred > one {
		t.Errorf("%v allocations per packet with 100 viewers, %v with 1: viewers must cost none", hundred, one)
	}
}

func BenchmarkForward200(b *testing.B) {
	bench := newBench(b, 200)
	packets := make([][]byte, 20000)
	for i := range packets {
		packets[i] = bench.packet(b, uint16(i))
	}
	b.ResetTimer()
	for i := range b.N {
		if i%len(packets) == 0 && i > 0 {
			b.StopTimer()
			bench = newBench(b, 200)
			b.StartTimer()
		}
		bench.shard.packet(bench.key, packets[i%len(packets)])
		bench.shard.send()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200, "ns/forwarded")
}

// FuzzPacket gives the shard's one entrance anything, plain and sealed under the publisher's keys.
func FuzzPacket(f *testing.F) {
	seed := newBench(f, 1)
	f.Add(seed.packet(f, 1), false)
	plain, _ := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 97, SSRC: 77}, Payload: []byte{0, 1, 2}}).Marshal()
	f.Add(plain, true)
	compound, _ := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{SSRC: 1}, &rtcp.TransportLayerNack{MediaSSRC: 1, Nacks: []rtcp.NackPair{{PacketID: 1, LostPackets: 0xffff}}},
		&rtcp.PictureLossIndication{MediaSSRC: 1}, &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 1}}},
	})
	f.Add(compound, true)
	check := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("a:b"), stun.NewShortTermIntegrity("password"), stun.Fingerprint)
	f.Add(check.Raw, false)
	f.Add([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0}, false)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if len(data) > datagram-64 {
			return
		}
		b := newBench(t, 1)
		if seal {
			switch socket.Classify(data) {
			case socket.RTP:
				if sealed, err := b.far.EncryptRTP(nil, data, nil); err == nil {
					data = sealed
				}
			case socket.RTCP:
				if sealed, err := b.far.EncryptRTCP(nil, data, nil); err == nil {
					data = sealed
				}
			}
		}
		stranger := pathKey{remote: netip.MustParseAddrPort("203.0.113.1:1")}
		b.shard.packet(b.key, data)
		b.shard.packet(stranger, data)
		for _, e := range b.shard.endpoints {
			e.tick(b.shard.now + sparse)
		}
		b.shard.send()
		if b.shard.paths[stranger] != nil {
			t.Error("a stranger's address was taken without a verified check")
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 3, 1, 2, 3, 0, 0})
	f.Add([]byte{0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bufio.NewReader(bytes.NewReader(stream))
		room := make([]byte, datagram)
		for rest := stream; ; {
			b, err := frame(r, room)
			if err != nil {
				if len(rest) >= 2 && len(rest) >= 2+int(binary.BigEndian.Uint16(rest)) && errors.Is(err, io.EOF) {
					t.Fatal("a whole frame was not read")
				}
				return
			}
			if !bytes.Equal(b, rest[2:2+len(b)]) {
				t.Fatal("a frame differs from what was sent")
			}
			rest = rest[2+len(b):]
		}
	})
}

// BenchmarkFacts is for how long one endpoint's facts keep its shard from packets.
func BenchmarkFacts(b *testing.B) {
	bench := newBench(b, 200)
	bench.shard.packet(bench.key, bench.packet(b, 1))
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range bench.shard.endpoints {
			snapshot(e)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(bench.shard.endpoints)), "ns/endpoint")
}
