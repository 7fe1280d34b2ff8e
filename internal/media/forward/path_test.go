package forward_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
	"tertulia/internal/media/forward"
	"tertulia/internal/media/receive"
)

const ms = media.Time(time.Millisecond)

// network carries messages with delay and loss, in a time of its own.
type network struct {
	random *rand.Rand
	now    media.Time
	loss   int // percent
	queue  []message
}

type message struct {
	at      media.Time
	deliver func()
}

// send delivers after 20 ms, sometimes 25, sometimes not.
func (n *network) send(deliver func()) {
	if n.random.IntN(100) < n.loss {
		return
	}
	delay := 20 * ms
	if n.random.IntN(20) == 0 {
		delay += 5 * ms
	}
	n.queue = append(n.queue, message{n.now + delay, deliver})
}

// step moves on by a millisecond.
func (n *network) step() {
	n.now += ms
	due := n.queue
	n.queue = nil
	for _, m := range due {
		if m.at > n.now {
			n.queue = append(n.queue, m)
		} else {
			m.deliver()
		}
	}
}

// publisher sends 30 VP8 frames of 4 packets a second, a key frame on request, and resends by RTX.
type publisher struct {
	net       *network
	receiver  *receive.Receiver
	number    uint16
	rtxNumber uint16
	timestamp uint32
	wanted    bool
	picture   uint16
	history   map[uint16][]byte
}

func newPublisher(net *network, track *media.Track) *publisher {
	p := &publisher{
		net: net, wanted: true, history: map[uint16][]byte{},
		number: uint16(net.random.Uint32()), timestamp: net.random.Uint32(), picture: uint16(net.random.IntN(1 << 15)),
	}
	p.receiver = receive.New(receive.Config{
		Track: track, SSRC: 1, RTXSSRC: 2, PayloadType: 96, RTXPayloadType: 97, NACK: true, PLI: true,
	})
	track.SetSource(p.receiver)
	return p
}

func (p *publisher) frame() {
	key := byte(1)
	if p.wanted {
		key, p.wanted = 0, false
	}
	p.timestamp += 3000
	p.picture++
	for i := range 4 {
		start := byte(0)
		if i == 0 {
			start = 0x10
		}
		payload := []byte{0x80 | start, 0x80, 0x80 | byte(p.picture>>8), byte(p.picture), key}
		payload = binary.BigEndian.AppendUint64(payload, uint64(p.net.now)) // says which packet this is
		raw := packet(1, 96, p.number, p.timestamp, append(payload, byte(i)))
		p.history[p.number] = raw
		p.number++
		p.net.send(func() { _ = p.receiver.RTP(p.net.now, raw) })
	}
}

func (p *publisher) feedback(packets []rtcp.Packet) {
	for _, f := range packets {
		nack, ok := f.(*rtcp.TransportLayerNack)
		if !ok {
			p.wanted = true
			continue
		}
		for _, pair := range nack.Nacks {
			for _, number := range pair.PacketList() {
				if original := p.history[number]; original != nil {
					p.rtxNumber++
					body := append(binary.BigEndian.AppendUint16(nil, number), original[12:]...)
					raw := packet(2, 97, p.rtxNumber, binary.BigEndian.Uint32(original[4:]), body)
					p.net.send(func() { _ = p.receiver.RTP(p.net.now, raw) })
				}
			}
		}
	}
}

func packet(ssrc uint32, pt uint8, number uint16, timestamp uint32, payload []byte) []byte {
	raw := binary.BigEndian.AppendUint16([]byte{0x80, pt}, number)
	raw = binary.BigEndian.AppendUint32(raw, timestamp)
	return append(binary.BigEndian.AppendUint32(raw, ssrc), payload...)
}

// viewer is a forwarder and, over the network, a receiver of what it sends.
type viewer struct {
	forwarder *forward.Forwarder
	receiver  *receive.Receiver
	came      media.Time
	decodes   media.Time // when the first key frame arrived
	got       map[string]int
	order     map[uint64]uint32 // timestamps by sequence
}

func newViewer(net *network, track *media.Track) *viewer {
	v := &viewer{came: net.now, got: map[string]int{}, order: map[uint64]uint32{}}
	own := &media.Track{Kind: track.Kind, Codec: track.Codec}
	v.receiver = receive.New(receive.Config{
		Track: own, SSRC: 11, RTXSSRC: 12, PayloadType: 98, RTXPayloadType: 99, NACK: true, PLI: true,
	})
	own.SetSource(v.receiver)
	own.Attach(v)
	v.forwarder = forward.New(forward.Config{
		Track: track, SSRC: 11, RTXSSRC: 12, PayloadType: 98, RTXPayloadType: 99, NACK: true, MID: "0", MIDExt: 1,
		Out: forward.PlainOut(func(raw []byte) {
			raw = append([]byte(nil), raw...)
			net.send(func() { _ = v.receiver.RTP(net.now, raw) })
		}),
	})
	track.Attach(v.forwarder)
	v.forwarder.KeyframeRequested(net.now)
	return v
}

func (v *viewer) Forward(burst []media.Packet) {
	for _, p := range burst {
		if p.Keyframe && v.decodes == 0 {
			v.decodes = p.Arrival
		}
		v.got[string(p.Payload[4:])]++
		v.order[p.Sequence] = p.Timestamp
	}
}

func (v *viewer) feedback(now media.Time, packets []rtcp.Packet) {
	for _, f := range packets {
		if nack, ok := f.(*rtcp.TransportLayerNack); ok {
			v.forwarder.NACK(now, nack.Nacks)
		} else {
			v.forwarder.KeyframeRequested(now)
		}
	}
}

// call runs for a while; between is called every millisecond.
func call(net *network, until media.Time, publisher func() *publisher, viewers func() []*viewer) {
	for net.now < until {
		net.step()
		p := publisher()
		if net.now%(33*ms) == 0 {
			p.frame()
		}
		if net.now%(10*ms) != 0 {
			continue
		}
		if due := p.receiver.Feedback(net.now, 7, nil); due != nil {
			net.send(func() { p.feedback(due) })
		}
		for _, v := range viewers() {
			if due := v.receiver.Feedback(net.now, 7, nil); due != nil {
				net.send(func() { v.feedback(net.now, due) })
			}
		}
	}
}

// 5 % of everything is lost on both ways and in both directions; all that matters arrives nevertheless, once.
func TestLossIsRepairedEndToEnd(t *testing.T) {
	net := &network{random: rand.New(rand.NewPCG(3, 4)), loss: 5}
	track := &media.Track{Kind: media.Video, Codec: media.Codec{Name: "VP8", ClockRate: 90000}}
	p, v := newPublisher(net, track), newViewer(net, track)
	call(net, 20000*ms, func() *publisher { return p }, func() []*viewer { return []*viewer{v} })
	net.loss = 0
	call(net, 21000*ms, func() *publisher { return p }, func() []*viewer { return []*viewer{v} })
	for payload, times := range v.got {
		if times != 1 {
			t.Errorf("%x arrived %d times", payload, times)
		}
	}
	s := v.receiver.Stats()
	if sent := 4 * 20900 / 33; len(v.got) < sent*99/100 {
		t.Errorf("%d packets arrived of %d: %+v, %+v", len(v.got), sent, s, v.forwarder.Stats())
	}
	if s.Recovered < 100 || s.Abandoned > 12 {
		t.Errorf("viewer: %+v", s)
	}
	if s := p.receiver.Stats(); s.Recovered < 100 || s.Abandoned > 12 {
		t.Errorf("receiver: %+v", s)
	}
}

func TestLateJoinerDecodesWithin500ms(t *testing.T) {
	net := &network{random: rand.New(rand.NewPCG(5, 6))}
	track := &media.Track{Kind: media.Video, Codec: media.Codec{Name: "VP8", ClockRate: 90000}}
	p := newPublisher(net, track)
	var all []*viewer
	call(net, 5000*ms, func() *publisher { return p }, func() []*viewer {
		if net.now%(130*ms) == 0 && len(all) < 20 {
			all = append(all, newViewer(net, track))
		}
		return all
	})
	for i, v := range all {
		if wait := v.decodes - v.came; v.decodes == 0 || wait > 500*ms {
			t.Errorf("viewer %d waited %v", i, time.Duration(wait))
		}
	}
	if s := p.receiver.Stats(); len(all) != 20 || s.KeyframeRequests > 12 {
		t.Errorf("%d viewers cost %d key frame requests", len(all), s.KeyframeRequests)
	}
}

// A viewer goes through three publishers' reconnections without a jump in what it receives.
func TestReconnectionIsSeamless(t *testing.T) {
	net := &network{random: rand.New(rand.NewPCG(7, 8))}
	track := &media.Track{Kind: media.Video, Codec: media.Codec{Name: "VP8", ClockRate: 90000}}
	p := newPublisher(net, track)
	v := newViewer(net, track)
	call(net, 8000*ms, func() *publisher {
		if net.now%(2000*ms) == 0 {
			p = newPublisher(net, track)
		}
		return p
	}, func() []*viewer { return []*viewer{v} })
	if s := v.receiver.Stats(); s.Restarts+s.Suspicious+s.Abandoned != 0 {
		t.Errorf("viewer: %+v", s)
	}
	if s := v.forwarder.Stats(); s.Starts < 4 {
		t.Errorf("forwarder: %+v", s)
	}
	var first uint64
	for n := range v.order {
		if first == 0 || n < first {
			first = n
		}
	}
	for n := first + 1; n < first+uint64(len(v.order)); n++ {
		step := int32(v.order[n] - v.order[n-1])
		if _, ok := v.order[n]; !ok || step < 0 || step > 90*200 {
			t.Fatalf("packet %d: present %v, timestamp moves by %d", n, ok, step)
		}
	}
}
