package socket

import (
	"bytes"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzControl: control messages come from the kernel, but a parser of lengths must hold for any.
func FuzzControl(f *testing.F) {
	f.Add(putSource(make([]byte, 0, controlRoom), netip.MustParseAddr("192.0.2.1"), true))
	f.Add(putSource(make([]byte, 0, controlRoom), netip.MustParseAddr("2001:db8::1"), true))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, oob []byte) {
		if a, _ := readControl(oob); a.IsValid() && a.Is4In6() {
			t.Errorf("%v is not unmapped", a)
		}
	})
}

// TestControlMessages: what we write has the address where the kernel looks for it, in all families a socket meets.
func TestControlMessages(t *testing.T) {
	for _, address := range []string{"192.0.2.1", "2001:db8::1"} {
		oob := putSource(make([]byte, 0, controlRoom), netip.MustParseAddr(address), true)
		if got, _ := readControl(oob); got != netip.MustParseAddr(address) {
			t.Errorf("%s is read back as %v", address, got)
		}
		for cut := range oob {
			if got, _ := readControl(oob[:cut]); got.IsValid() && got != netip.MustParseAddr(address) {
				t.Errorf("%d bytes of %s are %v", cut, address, got)
			}
		}
		if both := putSegment(oob, 1200); len(both) > controlRoom || len(both) <= len(oob) {
			t.Errorf("%s and a segment size take %d bytes", address, len(both))
		}
	}
	// An IPv4 socket has another field for the source than for the destination.
	dirty := make([]byte, controlRoom)
	for i := range dirty {
		dirty[i] = 0xff // of the message before
	}
	want := []byte{0, 0, 0, 0, 192, 0, 2, 1, 0, 0, 0, 0}
	oob := putSource(dirty[:0], netip.MustParseAddr("192.0.2.1"), false)
	if got := oob[unix.CmsgLen(0):][:len(want)]; !bytes.Equal(got, want) {
		t.Errorf("packet info %x, want %x", got, want)
	}
	// No address, or one the socket cannot have, writes nothing: routing picks the source.
	for _, from := range []netip.Addr{{}, netip.MustParseAddr("2001:db8::1")} {
		if oob := putSource(make([]byte, 0, controlRoom), from, false); len(oob) != 0 {
			t.Errorf("%v is %x", from, oob)
		}
	}
}

func TestSockaddr(t *testing.T) {
	for _, c := range []struct {
		addr string
		v6   bool
		size uint32
	}{
		{"192.0.2.1:4443", false, 16},
		{"192.0.2.1:4443", true, 28},
		{"[2001:db8::1]:258", true, 28},
		{"[fe80::1%3]:1", true, 28},
		{"[2001:db8::1]:258", false, 28}, // for the kernel to refuse
	} {
		var s sockaddr
		for i := range s.Addr {
			s.Addr[i] = 0xff // of the message before
		}
		s.Scope_id = 9
		want := netip.MustParseAddrPort(c.addr)
		if size := s.put(want, c.v6); size != c.size || s.get() != want {
			t.Errorf("%s is %d bytes and %v", c.addr, size, s.get())
		}
	}
	var none sockaddr
	if got := none.get(); got.IsValid() {
		t.Errorf("no address is %v", got)
	}
	none.put(netip.AddrPort{}, true)
	none.put(netip.MustParseAddrPort("[fe80::1%eth0]:1"), true)
	if none.Scope_id != 0 {
		t.Errorf("a zone by name is %d", none.Scope_id)
	}
}
