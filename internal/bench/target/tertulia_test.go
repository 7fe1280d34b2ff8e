package target

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

var tertuliaBinary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "tertulia-target-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(folder)
		tertuliaBinary = filepath.Join(folder, "tertulia")
		if out, err := exec.Command("go", "build", "-o", tertuliaBinary, "tertulia/cmd/tertulia").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

func TestTertuliaCall(t *testing.T) { callThrough(t, Tertulia(TertuliaConfig{Binary: tertuliaBinary})) }

func TestTertuliaMeeting(t *testing.T) {
	meetThrough(t, Tertulia(TertuliaConfig{Binary: tertuliaBinary}))
}

func TestTertuliaAnswerWithoutCandidates(t *testing.T) {
	p := &tertuliaParticipant{line: &line{}, candidates: map[string][]string{}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sheet := &paper{}
	const answer = "v=0\r\nm=audio 9 x 111\r\n"
	if err := p.accept(ctx, sheet, answer, "con_A"); err == nil {
		t.Error("accepted without a candidate")
	}
	for _, m := range []string{
		`{"method":"participantJoined","params":{},"jsonrpc":"2.0"}`, `{`, `{"id":99,"result":{},"jsonrpc":"2.0"}`,
		`{"method":"iceCandidate","params":{"senderConnectionId":"con_B","candidate":"candidate:9 1 udp 1 127.0.0.1 9 typ host"},"jsonrpc":"2.0"}`,
		`{"method":"iceCandidate","params":{"senderConnectionId":"con_A","candidate":""},"jsonrpc":"2.0"}`,
		`{"method":"iceCandidate","params":{"senderConnectionId":"con_A","candidate":"candidate:2 1 udp 1 127.0.0.1 9 typ host"},"jsonrpc":"2.0"}`,
	} {
		p.take([]byte(m))
	}
	check(t, p.accept(t.Context(), sheet, answer, "con_A"))
	if want := answer + "a=candidate:2 1 udp 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"; sheet.accepted != want {
		t.Errorf("accepted %q", sheet.accepted)
	}
	if len(p.answers) != 0 {
		t.Errorf("kept answers nobody asked for: %v", p.answers)
	}
}

// A server takes 1,000 sockets of one address; rooms of bench have more.
func TestTertuliaParticipantsComeFromManyAddresses(t *testing.T) {
	server := Tertulia(TertuliaConfig{Binary: tertuliaBinary, Ping: time.Second, Settings: map[string]string{"CALL_PAGE": "off"}})
	check(t, server.Start(t.Context(), nil))
	defer func() { check(t, server.Stop()) }()
	from := map[string]bool{}
	count := func(network, address string) (net.Conn, error) {
		c, err := server.(*tertulia).client.Transport.(*http.Transport).DialContext(t.Context(), network, address)
		if err == nil {
			host, _, _ := net.SplitHostPort(c.LocalAddr().String())
			from[host] = true
		}
		return c, err
	}
	for range 2 * homes {
		c, err := count("tcp", server.(*tertulia).host)
		check(t, err)
		c.Close()
	}
	if len(from) != homes {
		t.Errorf("%d addresses", len(from))
	}
	for i := range 3 { // the session is made once
		p, err := server.Join(t.Context(), "room", fmt.Sprint("p", i))
		check(t, err)
		check(t, p.Leave())
	}
	if _, err := server.Join(t.Context(), "no such name", "p"); err == nil {
		t.Error("joined a room that cannot be made")
	}
}
