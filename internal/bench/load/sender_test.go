package load

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"tertulia/internal/media/seal"
)

// TestPadding: a packet is as long as the next if that is a byte longer, so that runs are equal; never by more.
func TestPadding(t *testing.T) {
	for _, c := range []struct{ sizes, want []int }{
		{[]int{10}, []int{10}},
		{[]int{10, 10, 11, 11}, []int{11, 11, 11, 11}},
		{[]int{10, 11, 12}, []int{10, 12, 12}},
		{[]int{10, 12, 12}, []int{10, 12, 12}},
		{[]int{12, 11, 12}, []int{12, 12, 12}},
		{[]int{900, 901, 40}, []int{901, 901, 40}},
	} {
		var packets []Packet
		for _, n := range c.sizes {
			packets = append(packets, Packet{Size: n})
		}
		var got []int
		for i := range packets {
			got = append(got, padded(packets, i))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d are sent as %d, want %d", c.sizes, got, c.want)
		}
	}
}

// TestBareSender: every viewer gets every packet under its own keys, with numbers of its own that go round.
func TestBareSender(t *testing.T) {
	s := newStage(t, Config{}, false)
	task := order{Shape: Shape{Length: time.Second, Tracks: []Track{{Kind: "video", Packets: []Packet{
		{0, 500, false, nil}, {10 * time.Microsecond, 501, false, nil}, {20 * time.Microsecond, 501, false, nil}, {30 * time.Microsecond, 60, true, nil},
	}}}}}
	ears := []*stage{s, newStage(t, Config{}, false)}
	task.Rooms = [][]netip.AddrPort{{ears[0].address(), ears[1].address()}}
	sending, err := newSender(t.Context(), task)
	ok(t, err)
	defer sending.conn.Close()
	v := sending.voices[0]
	if v.behind-v.first != 4 || v.due() != v.round.Add(30*time.Microsecond) {
		t.Fatalf("a burst of %d packets, due at %v", v.behind-v.first, v.due())
	}
	var in []*srtp.Context
	for i, l := range v.listeners {
		key, salt := slices.Repeat([]byte{byte(i)}, 16), make([]byte, 12)
		l.keys, err = seal.New(gcm, key, salt)
		ok(t, err)
		c, err := srtp.CreateContext(key, salt, gcm)
		ok(t, err)
		in, l.number[0] = append(in, c), 65534
	}
	for range 2 {
		sending.send(v)
	}
	if sending.sent != 8 {
		t.Errorf("%d packets sent, want 8", sending.sent)
	}
	for i := range ears {
		var numbers []uint16
		var sizes []int
		for _, b := range heard(t, ears[i].server) {
			plain, err := in[i].DecryptRTP(nil, b, nil)
			ok(t, err)
			var h rtp.Header
			_, err = h.Unmarshal(plain)
			ok(t, err)
			numbers, sizes = append(numbers, h.SequenceNumber), append(sizes, len(plain))
		}
		if want := []uint16{65535, 0, 1, 2, 3, 4, 5, 6}; !slices.Equal(numbers, want) {
			t.Errorf("viewer %d has %d, want %d", i, numbers, want)
		}
		if want := []int{501, 501, 501, 60, 501, 501, 501, 60}; !slices.Equal(sizes, want) {
			t.Errorf("viewer %d has packets of %d, want %d", i, sizes, want)
		}
	}
}

// TestBursts end at a frame's end and where a millisecond passes.
func TestBursts(t *testing.T) {
	v := &voice{length: time.Second, track: &Track{Kind: "video", Packets: []Packet{
		{0, 100, false, nil}, {apart - 1, 100, false, nil}, {2*apart - 1, 100, true, nil}, {2 * apart, 100, true, nil},
	}}}
	var bursts [][2]int
	for range 4 {
		v.begin()
		bursts = append(bursts, [2]int{v.first, v.behind})
		v.advance()
	}
	if want := [][2]int{{0, 2}, {2, 3}, {3, 4}, {0, 2}}; !slices.Equal(bursts, want) {
		t.Errorf("bursts %d, want %d", bursts, want)
	}
	if !v.round.Equal(time.Time{}.Add(time.Second)) {
		t.Errorf("the second round begins at %v", v.round)
	}
}

// TestBadTasks are refused.
func TestBadTasks(t *testing.T) {
	for _, text := range []string{"", "{", "{}", `{"Rooms":[["127.0.0.1:9"]]}`, `{"Rooms":[["nowhere"]]}`} {
		if err := FloorMain(t.Context(), strings.NewReader(text), nil); err == nil {
			t.Errorf("%q was done", text)
		}
	}
}
