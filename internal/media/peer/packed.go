package peer

import (
	"bytes"
	"compress/flate"
	"io"
	"strings"
	"sync"
	"unique"

	"tertulia/internal/media/sdp"
)

// packed is a text that is kept for statistics only. Two descriptions are 8 KB, half of what an endpoint would hold;
// packed they are 2.3 KB, for 40 µs of the caller's time.
type packed string

// packers are large (1.2 MB each) and short of work; the pool lets go of them when nobody joins.
var packers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // its only error is a level that is none
	return w
}}

func pack(text string) packed {
	var b bytes.Buffer
	b.Grow(len(text)/2 + 64)
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	_, _ = io.WriteString(w, text) // a buffer takes everything
	_ = w.Close()
	return packed(b.String())
}

func (p packed) text() string {
	text, _ := io.ReadAll(flate.NewReader(strings.NewReader(string(p)))) // it is our own
	return string(text)
}

// The strings of a parsed description are parts of its text, and would keep the whole of it. What outlives the
// negotiation is copied: once for all endpoints where they have it in common, as they mostly do.

func shared(s string) string { return unique.Make(s).Value() }

func lastingCodec(c sdp.Codec) sdp.Codec {
	c.Name, c.Fmtp = shared(c.Name), shared(c.Fmtp)
	feedback := make([]string, len(c.Feedback))
	for i, f := range c.Feedback {
		feedback[i] = shared(f)
	}
	c.Feedback = feedback
	return c
}

// lastingTransport keeps what the handshake and the checks of a client are verified with.
func lastingTransport(t sdp.Transport) sdp.Transport {
	kept := sdp.Transport{Ufrag: strings.Clone(t.Ufrag)}
	for _, c := range t.Candidates {
		kept.Candidates = append(kept.Candidates, strings.Clone(c))
	}
	for _, f := range t.Fingerprints {
		kept.Fingerprints = append(kept.Fingerprints, sdp.Fingerprint{Algorithm: shared(f.Algorithm), Value: strings.Clone(f.Value)})
	}
	return kept
}
