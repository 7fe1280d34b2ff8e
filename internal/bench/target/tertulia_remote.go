package target

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"tertulia/internal/api/jsonrpc"
	"tertulia/internal/wire/openvidu"
)

// Remote is a Tertulia that runs already, here or elsewhere.
type Remote struct {
	server tertulia
	local  netip.Addr
}

// At finds the server at a URL such as https://localhost:4443. Its certificate is verified, unless the host is this
// machine or insecure says so: whoever stands between would get the secret.
func At(base, secret string, insecure bool) (*Remote, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("--url=%s is not https://HOST[:PORT]", base)
	}
	host := net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443"))
	// Nothing is sent: the kernel says which address of ours leads there.
	route, err := net.Dial("udp4", host)
	if err != nil {
		return nil, fmt.Errorf("--url=%s has no IPv4 address that can be reached: %w", base, err)
	}
	local := route.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	_ = route.Close()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: insecure || local.IsLoopback()},
		DialContext:     (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	}
	return &Remote{tertulia{cfg: TertuliaConfig{Ping: 5 * time.Second}, client: &http.Client{Transport: transport}, secret: secret, host: host}, local}, nil
}

// Local is our IPv4 address on the way to the server.
func (r *Remote) Local() netip.Addr { return r.local }

// Stream is what somebody publishes.
type Stream struct{ ID, Connection string }

// Follower is a participant that knows what the others publish.
type Follower struct{ *tertuliaParticipant }

// Join makes a participant, and the session if there is none.
func (r *Remote) Join(ctx context.Context, session, name string) (Follower, error) {
	p, err := r.server.join(ctx, session, name, map[string]Stream{})
	return Follower{p}, err // p is nil with an error
}

// Changed waits until what the others publish is not what was known, and returns it. The error is that of the connection,
// or of ctx.
func (f Follower) Changed(ctx context.Context, known map[string]Stream) (map[string]Stream, error) {
	var now map[string]Stream
	err := f.wait(ctx, "a stream", func() bool {
		now = maps.Clone(f.others)
		return !maps.Equal(now, known)
	})
	return now, err
}

// Receive gets a stream of another participant.
func (f Follower) Receive(ctx context.Context, s Stream, t Transport) error {
	return f.receive(ctx, s, t)
}

func (p *tertuliaParticipant) receive(ctx context.Context, s Stream, t Transport) error {
	offer, err := t.Offer()
	if err != nil {
		return err
	}
	var got openvidu.Receiving
	if err := p.call(ctx, &got, "receiveVideoFrom", openvidu.ReceiveVideoFrom{Sender: s.ID, SDPOffer: offer}); err != nil {
		return err
	}
	return p.accept(ctx, t, got.SDPAnswer, s.Connection)
}

// add notes what a connection publishes; called with the notes locked.
func (p *tertuliaParticipant) add(connection string, streams []openvidu.Stream) {
	for _, s := range streams {
		if p.others != nil {
			p.others[s.ID] = Stream{s.ID, connection}
		}
	}
}

// follow takes the notifications of who publishes what; false for others.
func (p *tertuliaParticipant) follow(m jsonrpc.Message) bool {
	switch m.Method {
	case openvidu.NamePublished:
		var n openvidu.ParticipantPublished
		if json.Unmarshal(m.Params, &n) == nil {
			p.note(func() { p.add(n.ID, n.Streams) })
		}
	case openvidu.NameUnpublished, openvidu.NameLeft, openvidu.NameEvicted:
		var n openvidu.ParticipantGone
		if json.Unmarshal(m.Params, &n) == nil {
			p.note(func() { p.remove(n.ConnectionID) })
		}
	default:
		return false
	}
	return true
}

func (p *tertuliaParticipant) remove(connection string) {
	for _, id := range slices.Collect(maps.Keys(p.others)) {
		if p.others[id].Connection == connection {
			delete(p.others, id)
		}
	}
}

// Joined is false of the zero Follower.
func (f Follower) Joined() bool { return f.tertuliaParticipant != nil }
