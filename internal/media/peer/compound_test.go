package peer

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pion/rtcp"
)

// TestCompound: pion/rtcp reads what we write.
func TestCompound(t *testing.T) {
	blocks := []rtcp.ReceptionReport{
		{SSRC: 7, FractionLost: 255, TotalLost: 1<<24 - 1, LastSequenceNumber: 1 << 31, Jitter: 3, LastSenderReport: 4, Delay: 5},
		{SSRC: 8, Delay: 1<<32 - 1},
	}
	sr := rtcp.SenderReport{SSRC: 3, NTPTime: 1<<63 | 5, RTPTime: 1 << 31, PacketCount: 77, OctetCount: 1<<32 - 1}
	for name, cname := range map[string]string{"": "", "one": "a", "two": "ab", "three": "abc", "four": "abcd", "longest": strings.Repeat("x", 255)} {
		c := compound(nil).receiver(1, blocks...).sender(&sr).names(cname, 3, 4).bye(3, 4, 5)
		packets, err := rtcp.Unmarshal(c)
		if err != nil || len(packets) != 4 {
			t.Fatalf("%s: %v in %x", name, err, c)
		}
		rr, ok := packets[0].(*rtcp.ReceiverReport)
		if !ok || rr.SSRC != 1 || !reflect.DeepEqual(rr.Reports, blocks) {
			t.Errorf("read back %+v", packets[0])
		}
		if s, ok := packets[1].(*rtcp.SenderReport); !ok || s.NTPTime != sr.NTPTime || s.RTPTime != sr.RTPTime || s.SSRC != 3 ||
			s.PacketCount != sr.PacketCount || s.OctetCount != sr.OctetCount || len(s.Reports) != 0 {
			t.Errorf("read back %+v", packets[1])
		}
		s, ok := packets[2].(*rtcp.SourceDescription)
		if !ok || len(s.Chunks) != 2 || s.Chunks[1].Source != 4 || len(s.Chunks[1].Items) != 1 || s.Chunks[1].Items[0].Text != cname {
			t.Errorf("%s: read back %+v", name, packets[2])
		}
		if bye, ok := packets[3].(*rtcp.Goodbye); !ok || !reflect.DeepEqual(bye.Sources, []uint32{3, 4, 5}) {
			t.Errorf("read back %+v", packets[3])
		}
	}
}

// TestCompoundIsRead: we read what pion/rtcp writes, and nothing that is cut short.
func TestCompoundIsRead(t *testing.T) {
	blocks := []rtcp.ReceptionReport{{SSRC: 7, FractionLost: 1, TotalLost: 2, LastSequenceNumber: 3, Jitter: 4, LastSenderReport: 5, Delay: 6}, {SSRC: 8}}
	for _, packet := range []rtcp.Packet{
		&rtcp.ReceiverReport{SSRC: 1, Reports: blocks}, &rtcp.SenderReport{SSRC: 1, Reports: blocks},
	} {
		raw, err := packet.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		part, rest, ok := compound(append(raw, 0x80, 203, 0, 1, 0, 0, 0, 1)).first()
		if !ok || len(part) != len(raw) || len(rest) != 8 || part.reports() != 2 {
			t.Fatalf("read %x and %x", part, rest)
		}
		for i, want := range blocks {
			if got, ok := part.block(i); !ok || got != want {
				t.Errorf("block %d is %+v, want %+v", i, got, want)
			}
		}
		if _, ok := part.block(2); ok {
			t.Error("a block that is not there")
		}
		for n := range raw {
			if _, _, ok := compound(raw[:n]).first(); ok {
				t.Errorf("%d of %d bytes were taken for a part", n, len(raw))
			}
		}
	}
	for _, bad := range []compound{{0x40, 201, 0, 1, 0, 0, 0, 1}, {0x80, 201, 0, 0, 0, 0, 0, 1}, {0x80, 201, 0xff, 0xff, 0, 0, 0, 1}} {
		if _, _, ok := bad.first(); ok {
			t.Errorf("%x was taken for a part", bad)
		}
	}
}

// TestReportsThatClaimTooMuch are counted; what came before them in the compound is taken.
func TestReportsThatClaimTooMuch(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	own := v.section().send.SSRC
	good, err := (&rtcp.ReceiverReport{SSRC: 5, Reports: []rtcp.ReceptionReport{{SSRC: own, FractionLost: 128}}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for n, tail := range [][]byte{{0x9f, 201, 0, 1, 0, 0, 0, 5}, {0x80, 200, 0, 1, 0, 0, 0, 5}, {0x81, 205, 0, 1, 0, 0, 0, 5}, {0x80}} {
		sealed, err := b.far.EncryptRTCP(nil, append(good[:len(good):len(good)], tail...), nil)
		if err != nil {
			t.Fatal(err)
		}
		b.shard.packet(v.endpoint.selected.pathKey, sealed)
		if b.shard.counters.Malformed != uint64(n+1) {
			t.Errorf("%x was not counted", tail)
		}
	}
	if got := v.section().forwarder.Stats().FractionLost; got != 0.5 {
		t.Errorf("a fraction lost of %v, want 0.5", got)
	}
}
