package netlab

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/webrtc/v4"

	"tertulia/internal/testkit"
)

// container is a host on the internet with the server in a container: a private address, one published port, TCP and UDP,
// and not a word about the network in its settings.
func container(l *lab) *server {
	host := l.internet.router("host", portRestricted)
	box := host.host("box")
	host.publish(box.ip, "tcp 443", "udp 443")
	return l.serve(box, settings{"HTTPS_PORT": "443"}).at(host.ip.String(), 443)
}

// TestContainer: two visitors on the host's network, by UDP to the published port.
func TestContainer(t *testing.T) {
	lab := newLab(t)
	server := container(lab)
	people := server.meet(guest{at: lab.internet.host("alice")}, guest{at: lab.internet.host("bob")})
	assertPaths(t, server, people, "udp", "udp")
	for i, p := range people {
		if remote := p.receiving(people[1-i]).Remote; remote.Address != server.reached || remote.Port != 443 {
			t.Errorf("%s sends to %+v, want %s", p.Name, remote, server.reached)
		}
	}
}

// TestKMS_21__TwoPublishedPorts: 443/tcp and 443/udp are enough for 500 participants of a container. A browser publishes;
// the others are peers without a browser, which stand on the internet with the test itself.
func TestKMS_21__TwoPublishedPorts(t *testing.T) {
	all, atATime := 60, 10
	if long() {
		all = 500
	}
	lab := newLab(t)
	server := container(lab)
	session := server.session()
	publisher := guest{at: lab.internet.host("alice")}
	page := publisher.open(0)
	publisher.enter(page, server.token(session, nil))

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	began := time.Now()
	viewers := make([]*viewer, all)
	for first := 0; first < all; first += atATime { // they come by tens, and all stay
		var group sync.WaitGroup
		for i := range viewers[first:min(all, first+atATime)] {
			token := server.token(session, map[string]any{"role": "SUBSCRIBER"})
			viewers[first+i] = newViewer(ctx, t, server, session, token)
			group.Go(func() { viewers[first+i].watch(ctx, page.Stream) })
		}
		group.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d viewers are connected after %v", all, time.Since(began))
	figures := server.metrics()
	if got, want := figures[`tertulia_connections_by_path{path="udp"}`], float64(all+1); got != want {
		t.Errorf("%v connections by UDP, want %v", got, want)
	}
	var group sync.WaitGroup
	for _, v := range viewers {
		group.Go(func() { v.media.WaitPackets(ctx, "video", 20) })
	}
	group.Wait()
}

// viewer is a participant without a browser.
type viewer struct {
	t      *testing.T
	socket *websocket.Conn
	media  *testkit.Client
	id     int
}

func newViewer(ctx context.Context, t *testing.T, s *server, session, token string) *viewer {
	t.Helper()
	url := "wss://" + net.JoinHostPort(s.reached, fmt.Sprint(s.port)) + "/openvidu?sessionId=" + session
	socket, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: s.lab.http(nil).Transport}})
	if err != nil {
		t.Fatal(err)
	}
	socket.SetReadLimit(4 << 20) // joining tells of all who are there
	t.Cleanup(func() { _ = socket.CloseNow() })
	v := &viewer{t: t, socket: socket, media: testkit.NewClient(t, testkit.ClientConfig{Tune: func(e *webrtc.SettingEngine) {
		e.SetIncludeLoopbackCandidate(false)
		e.SetIPFilter(func(ip net.IP) bool { return !ip.IsLoopback() })
	}})}
	if _, err := v.ask(ctx, "joinRoom", map[string]any{
		"token": token, "session": session, "platform": "Chrome", "sdkVersion": newestSDK, "metadata": "", "secret": "", "recorder": false,
	}); err != nil {
		t.Fatal(err)
	}
	return v
}

// watch subscribes and waits for the connection. It may run beside others.
func (v *viewer) watch(ctx context.Context, stream string) {
	offer, err := v.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": stream, "reconnect": false})
	if err != nil {
		v.t.Error(err)
		return
	}
	answer := v.media.Answer(fmt.Sprint(offer["sdpOffer"]))
	if _, err := v.ask(ctx, "receiveVideoFrom", map[string]any{"sender": stream, "sdpAnswer": answer}); err != nil {
		v.t.Error(err)
		return
	}
	v.media.WaitConnected(ctx)
}

// ask sends a request and returns its result; candidates that come before it are taken, other notices are not looked at.
func (v *viewer) ask(ctx context.Context, method string, params map[string]any) (map[string]any, error) {
	v.id++
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": v.id, "method": method, "params": params})
	if err == nil {
		err = v.socket.Write(ctx, websocket.MessageText, text)
	}
	for err == nil {
		var m struct {
			ID            *int
			Result, Error map[string]any
		}
		if _, text, err = v.socket.Read(ctx); err != nil {
			break
		}
		if err = json.Unmarshal(text, &m); err != nil || m.ID == nil || *m.ID != v.id {
			continue
		}
		if m.Error != nil {
			return nil, fmt.Errorf("%s: %v", method, m.Error)
		}
		return m.Result, nil
	}
	return nil, fmt.Errorf("%s: %w", method, err)
}
