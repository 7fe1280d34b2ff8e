package frontdoor

import (
	"encoding/binary"
	"testing"
)

// stunRequest is a Binding request without attributes.
var stunRequest = []byte("\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl")

// framed puts RFC 4571's length before a packet.
func framed(packet []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
}

func TestClassify(t *testing.T) {
	for name, c := range map[string]struct {
		first string
		want  class
	}{
		"nothing":             {"", undecided},
		"TLS":                 {"\x16", isTLS},
		"GET":                 {"G", isHTTP},
		"HTTP/2 in the clear": {"PRI * HTTP/2.0", isHTTP},
		"lower case":          {"get / HTTP/1.1", isHTTP},
		"STUN":                {string(stunRequest), isTURN},
		"STUN, 7 bytes":       {string(stunRequest[:7]), undecided},
		"STUN, 8 bytes":       {string(stunRequest[:8]), isTURN},
		"Allocate":            {"\x00\x03\x00\x08\x21\x12\xa4\x42", isTURN},
		"ICE":                 {string(framed(stunRequest)), isICE},
		"ICE, 9 bytes":        {string(framed(stunRequest)[:9]), undecided},
		"ICE, 10 bytes":       {string(framed(stunRequest)[:10]), isICE},
		"PROXY 1":             {"PROXY TCP4 ", isPROXY},
		"PROXY 1, 4 bytes":    {"PROX", undecided},
		"POST":                {"PO", isHTTP},
		"PROPFIND":            {"PROP", isHTTP},
		"PROXY 2":             {"\r\n\r\n\x00\r\nQUIT\n", isPROXY},
		"PROXY 2, 9 bytes":    {"\r\n\r\n\x00\r\nQU", undecided},
		"no PROXY 2":          {"\r\n\r\n\x01\r\nQUIT\n", unknown},
		"SOCKS":               {"\x05\x01\x00", undecided},
		"SOCKS, 10 bytes":     {"\x05\x01\x00\x03\x05\x06\x07\x08\x09\x0a", unknown},
		"old STUN":            {"\x00\x01\x00\x00abcdefghijklmnop", unknown},
		"digits":              {"0123456789", unknown},
		"@ and [":             {"@[`{@[`{@[", unknown},
	} {
		if got := classify([]byte(c.first)); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// A class never changes as more bytes come, and ten bytes always decide: so a connection that is handed on early went
// where all of it would have gone.
func FuzzClassify(f *testing.F) {
	for _, seed := range [][]byte{nil, {0x16}, []byte("GET / HTTP/1.1"), stunRequest, framed(stunRequest), make([]byte, 10), []byte("PROXY TCP4 1"), []byte("\r\n\r\n\x00\r\nQUIT\n!")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, first []byte) {
		decision := undecided
		for n := range len(first) + 1 {
			got := classify(first[:n])
			if decision != undecided && got != decision {
				t.Fatalf("%x: %d after %d bytes, %d before", first, got, n, decision)
			}
			decision = got
			if n >= decidedBy && got == undecided {
				t.Fatalf("%x: undecided after %d bytes", first, n)
			}
		}
	})
}
