package frontdoor

import (
	"bufio"
	"bytes"
	"net"

	"github.com/pires/go-proxyproto"
)

// proxied is a connection through a proxy that speaks the PROXY protocol, version 1 or 2: its remote address is the
// client's.
type proxied struct {
	net.Conn
	rest   *bufio.Reader
	client net.Addr
	secure bool // the client spoke TLS to the proxy, which ends it
}

func (p *proxied) Read(b []byte) (int, error) { return p.rest.Read(b) }
func (p *proxied) RemoteAddr() net.Addr       { return p.client }

// typeSSL and clientSSL: PROXY protocol, version 2, §2.2.6.
const (
	typeSSL   = proxyproto.PP2_TYPE_SSL
	clientSSL = 1
)

// unwrap reads the header that a connection begins with. A proxy's own connection (LOCAL, a health check) keeps its
// address.
func unwrap(stream net.Conn) (*proxied, error) {
	p := &proxied{Conn: stream, rest: bufio.NewReaderSize(stream, 512), client: stream.RemoteAddr()}
	header, err := readHeader(p.rest)
	if err != nil {
		return nil, err
	}
	if source, ok := header.SourceAddr.(*net.TCPAddr); ok && !header.Command.IsLocal() {
		p.client = source
	}
	lines, err := header.TLVs()
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		if line.Type == typeSSL && len(line.Value) > 0 {
			p.secure = line.Value[0]&clientSSL != 0
		}
	}
	return p, nil
}

// readHeader reads a header that may come in pieces; of version 1, the library takes only a whole line.
func readHeader(from *bufio.Reader) (*proxyproto.Header, error) {
	signature, err := from.Peek(1)
	if err != nil || signature[0] != proxyproto.SIGV1[0] {
		return proxyproto.Read(from)
	}
	var line []byte
	for len(line) < maxLine && !bytes.HasSuffix(line, []byte("\n")) {
		b, err := from.ReadByte()
		if err != nil {
			return nil, err
		}
		line = append(line, b)
	}
	return proxyproto.Read(bufio.NewReader(bytes.NewReader(line)))
}

const maxLine = 107 // bytes of a header of version 1
