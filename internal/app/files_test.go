package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/app"
	"tertulia/internal/config"
	"tertulia/internal/testkit"
)

// TestMain is also the server that spawn starts: it serves until its input ends.
func TestMain(m *testing.M) {
	if data := os.Getenv("TERTULIA_TEST_SERVES"); data != "" {
		if err := serveForTest(data); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serveForTest(data string) error {
	c, err := config.Load([]string{"--data=" + data, "--https-port=0", "--openvidu-secret=MY_SECRET", "--address-discovery=off"}, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	reading := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel(); close(reading) }()
	defer func() { <-reading }()
	return app.Run(ctx, c, slog.New(slog.NewTextHandler(os.Stderr, nil)), func(url string) { fmt.Println("ready", url) })
}

// spawned is a node in a process of its own.
type spawned struct {
	running
	pid int
}

// spawn starts a node under a shell's limits: "ulimit -n 256".
func spawn(t *testing.T, limits string) spawned {
	t.Helper()
	command := exec.Command("sh", "-c", limits+` && exec "$0"`, os.Args[0])
	command.Env = append(os.Environ(), "TERTULIA_TEST_SERVES="+t.TempDir())
	command.Stderr = io.Discard
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := command.Wait(); err != nil {
			t.Errorf("the node ended with %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		t.Fatalf("the node says %q, %v", line, err)
	}
	return spawned{running{t: t, url: url}, command.Process.Pid}
}

func (s spawned) files() int {
	s.t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.pid))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(open)
}

// token makes a connection by REST; refused is what was said if there is no room.
func (s spawned) token(session string) (token, refused string) {
	s.t.Helper()
	request, err := http.NewRequest(http.MethodPost, s.url+"/openvidu/api/sessions/"+session+"/connection", strings.NewReader("{}"))
	if err != nil {
		s.t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", "MY_SECRET")
	request.Header.Set("Content-Type", "application/json")
	response, err := insecure.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var said struct{ Token, Message string }
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode == http.StatusServiceUnavailable {
		return "", said.Message
	}
	return said.Token, ""
}

// enter joins as the n-th participant, each from an address of its own.
func (s spawned) enter(ctx context.Context, session, token string, n int) (answer string) {
	s.t.Helper()
	socket, response, err := websocket.Dial(ctx, "wss"+strings.TrimPrefix(s.url, "https")+"/openvidu?sessionId="+session, &websocket.DialOptions{
		HTTPClient: insecure, HTTPHeader: http.Header{"X-Forwarded-For": {fmt.Sprintf("198.51.%d.%d", n/250, 1+n%250)}},
	})
	if err != nil {
		if response != nil {
			text, _ := io.ReadAll(response.Body)
			return fmt.Sprint(response.StatusCode, " ", string(text))
		}
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = socket.CloseNow() })
	join := `{"jsonrpc":"2.0","id":1,"method":"joinRoom","params":{"token":"` + token + `","session":"` + session + `","platform":"Chrome","sdkVersion":"2.32.2","metadata":"","secret":"","recorder":false}}`
	if err := socket.Write(ctx, websocket.MessageText, []byte(join)); err != nil {
		s.t.Fatal(err)
	}
	socket.SetReadLimit(1 << 20)
	for {
		_, text, err := socket.Read(ctx)
		if err != nil {
			s.t.Fatal(err)
		}
		if strings.Contains(string(text), `"id":1`) {
			return string(text)
		}
	}
}

// gaps counts the packets missing between those that came.
func gaps(c *testkit.Client, kind string) (missing int) {
	headers := c.Headers(kind)
	for i := 1; i < len(headers); i++ {
		missing += int(headers[i].SequenceNumber-headers[i-1].SequenceNumber) - 1
	}
	return missing
}

// TestKMS_03__HardLimit: with 256 files newcomers are refused by name, by REST, joinRoom and at last the websocket,
// before the running call is harmed: it loses nothing, and its client may come back.
func TestKMS_03__HardLimit(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	s := spawn(t, "ulimit -n 256")
	s.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	alice, joined := s.join(ctx, "demo")
	bob, _ := s.join(ctx, "demo")
	camera, screen := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	answer := alice.ask(ctx, "publishVideo", published(camera.PublishOffer(testkit.VP8)))
	stream := text(t, answer, "id")
	camera.Accept(text(t, answer, "sdpAnswer"))
	camera.Publish(ctx)
	offer := bob.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": stream, "reconnect": false})
	bob.ask(ctx, "receiveVideoFrom", map[string]any{"sender": stream, "sdpAnswer": screen.Answer(text(t, offer, "sdpOffer"))})
	screen.WaitPackets(ctx, "video", 20)

	s.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"crowd"}`, http.StatusOK)
	var late []string // tokens of those who come too late
	for range 10 {
		token, _ := s.token("crowd")
		late = append(late, token)
	}
	before, entered, refused := s.files(), 0, ""
	for refused == "" && entered < 300 {
		token, said := s.token("crowd")
		if refused = said; refused == "" {
			if got := s.enter(ctx, "crowd", token, entered); strings.Contains(got, `"error"`) {
				refused = got
			} else {
				entered++
			}
		}
	}
	if !strings.Contains(refused, "FD_LIMIT") || !strings.Contains(refused, "of the 256 files") || entered < 80 {
		t.Errorf("after %d participants: %q", entered, refused)
	}
	if taken := s.files() - before; taken > 2*entered {
		t.Errorf("%d participants take %d files", entered, taken)
	}
	t.Logf("%d participants entered; %d files are open", entered, s.files())
	said := ""
	for n, token := range late { // the request that was refused had a file itself: one or two more may enter
		if said = s.enter(ctx, "crowd", token, 300+n); strings.Contains(said, `"error"`) {
			break
		}
	}
	if !strings.Contains(said, "FD_LIMIT") {
		t.Errorf("joinRoom is answered with %s", said)
	}
	back := s.dial(ctx, "demo") // a client of the running call on a new socket
	if resumed := back.ask(ctx, "connect", map[string]any{"sessionId": text(t, joined, "sessionId"), "reconnect": true}); resumed["value"] != "reconnection successful" {
		t.Errorf("coming back: %v", resumed)
	}
	last := ""
	for n := 0; n < 300 && !strings.HasPrefix(last, "503 "); n++ {
		last = s.enter(ctx, "crowd", late[9], 310+n)
	}
	if !strings.Contains(last, "FD_LIMIT") {
		t.Errorf("the last socket is answered with %q", last)
	}
	screen.WaitPackets(ctx, "video", 60)
	if lost := gaps(screen, "video") + gaps(screen, "audio"); lost != 0 {
		t.Errorf("the running call lost %d packets", lost)
	}
}

// TestKMS_03__SoftLimit: a soft limit of 256 holds nobody up; 1,000 participants take less than two files each.
func TestKMS_03__SoftLimit(t *testing.T) {
	const participants, ofOne = 1000, 20
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	s := spawn(t, "ulimit -Sn 256 && ulimit -Hn 4096")
	before := s.files()
	for n := range participants {
		session := fmt.Sprint("room-", n/ofOne)
		if n%ofOne == 0 {
			s.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"`+session+`"}`, http.StatusOK)
		}
		token, refused := s.token(session)
		if refused != "" {
			t.Fatalf("the %d. participant: %s", n+1, refused)
		}
		if got := s.enter(ctx, session, token, n); strings.Contains(got, `"error"`) || !strings.Contains(got, `"result"`) {
			t.Fatalf("the %d. participant: %s", n+1, got)
		}
	}
	if taken := s.files() - before; taken > 2*participants {
		t.Errorf("%d participants take %d files", participants, taken)
	} else {
		t.Logf("%d participants take %d files", participants, taken)
	}
}
