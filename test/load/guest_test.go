package load_test

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"tertulia/internal/testkit"
)

const (
	people = 4               // of a session
	second = 50              // sounds of it
	stay   = 9 * second      // sounds everybody hears: longer than any detector waits
	pinged = 5 * second      // after which stock clients ping
	enough = 3 * time.Minute // of a session on a machine that does other work too
)

// guest is a participant that publishes, and receives what another does.
type guest struct {
	*participant
	camera, screen *testkit.Client
	stream         string
}

func (s *server) guest(ctx context.Context, t *testing.T, session string) *guest {
	t.Helper()
	return &guest{participant: s.join(ctx, t, session), camera: client(t), screen: client(t)}
}

// enter joins people to a new session; each publishes, and watches its neighbour. It returns once media flows everywhere.
func (s *server) enter(ctx context.Context, t *testing.T, number int) (session string, all []*guest) {
	session = s.rest(t, "POST", "/sessions", "{}", "id")
	for i := range people {
		g := s.guest(ctx, t, session)
		g.publish(ctx, dead(number+i))
		all = append(all, g)
	}
	for i, g := range all {
		g.watch(ctx, all[(i+1)%people], dead(number+i))
	}
	for _, g := range all {
		g.screen.WaitPackets(ctx, "audio", 1)
		g.screen.WaitPackets(ctx, "video", 1)
	}
	return session, all
}

// publish sends a stream as stock clients do: the offer, the candidates, then media.
func (g *guest) publish(ctx context.Context, dead string) {
	own := gathered(g.camera)
	answer := g.offer(ctx, g.camera)
	g.stream = g.text(answer, "id")
	g.camera.Accept(g.text(answer, "sdpAnswer"))
	g.candidates(ctx, g.name, dead, own)
	g.camera.Publish(ctx)
}

// watch receives another's stream.
func (g *guest) watch(ctx context.Context, other *guest, dead string) {
	own := gathered(g.screen)
	offer := g.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": other.stream, "reconnect": false})
	g.ask(ctx, "receiveVideoFrom", map[string]any{"sender": other.stream, "sdpAnswer": g.screen.Answer(g.text(offer, "sdpOffer"))})
	g.candidates(ctx, other.name, dead, own)
}

// gathered returns where a client's candidates come, which it begins to gather with its description; it is closed at their end.
func gathered(c *testkit.Client) <-chan string {
	own := make(chan string, 16)
	c.PC.OnICECandidate(func(found *webrtc.ICECandidate) {
		if found == nil {
			close(own)
			return
		}
		own <- found.ToJSON().Candidate
	})
	return own
}

// candidates signals the dead one, then those that are good.
func (p *participant) candidates(ctx context.Context, endpoint, dead string, own <-chan string) {
	signal := func(line string) {
		p.ask(ctx, "onIceCandidate", map[string]any{"endpointName": endpoint, "candidate": line, "sdpMid": "0", "sdpMLineIndex": 0})
	}
	signal(dead)
	good := 0
	for line := range own {
		signal(line)
		good++
	}
	if good == 0 {
		p.t.Fatalf("%s has no candidate of its own", p.name)
	}
}

// hide is a guest whose transports never come: it answers all that is asked by signalling, and sends no check.
func (g *guest) hide(ctx context.Context, dead string) {
	own := gathered(g.camera)
	g.stream = g.text(g.offer(ctx, g.camera), "id") // and the answer is not taken
	g.candidates(ctx, g.name, dead, own)
}

// stare is watch, of a guest that does not know where to send its checks.
func (g *guest) stare(ctx context.Context, other *guest, dead string) {
	own := gathered(g.screen)
	offer := g.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": other.stream, "reconnect": false})
	blind := candidateLines.ReplaceAllString(g.text(offer, "sdpOffer"), "")
	g.ask(ctx, "receiveVideoFrom", map[string]any{"sender": other.stream, "sdpAnswer": g.screen.Answer(blind)})
	g.candidates(ctx, other.name, dead, own)
}

var candidateLines = regexp.MustCompile(`a=candidate:[^\n]*\n`)

// dead is a candidate that leads nowhere, of one kind after the other.
func dead(number int) string {
	return []string{
		"candidate:77 1 udp 2130706175 192.0.2.77 50077 typ host",
		"candidate:77 1 udp 1694498559 198.51.100.77 50078 typ srflx raddr 192.0.2.77 rport 50077",
		"candidate:77 1 udp 41885439 203.0.113.77 50079 typ relay raddr 198.51.100.77 rport 50078",
		"candidate:77 1 udp 2130706175 2001:db8::77 50080 typ host",
		"candidate:77 1 tcp 1518280447 192.0.2.77 9 typ host tcptype active",
		"candidate:77 1 udp 2130706175 77777777-7777-4777-8777-777777777777.local 50081 typ host",
	}[number%6]
}

func ping(ctx context.Context, all []*guest) {
	for _, g := range all {
		g.ask(ctx, "ping", map[string]any{"interval": 5000})
	}
}

// converse lets media flow, for so many sounds; they ping as stock clients do.
func converse(ctx context.Context, all []*guest, sounds int) {
	for left := sounds; left > 0; left -= pinged {
		ping(ctx, all)
		for i, g := range all {
			heard := 0
			if i == 0 { // the others hear as much meanwhile: of them a little is proof that it goes on
				heard = min(left, pinged)
			}
			g.screen.WaitPackets(ctx, "audio", max(heard, second/10))
			g.screen.WaitPackets(ctx, "video", 1)
		}
	}
}

// leave says goodbye, and only then do the transports close.
func leave(ctx context.Context, all []*guest) {
	for _, g := range all {
		g.ask(ctx, "leaveRoom", nil)
		g.camera.Close()
		g.screen.Close()
	}
}
