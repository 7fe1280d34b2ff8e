//go:build linux

package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/webrtc/v4"

	"tertulia/internal/testkit"
)

const bundleSettings = `OPENVIDU_SECRET=Sesame_open-9
DOMAIN_OR_PUBLIC_IP=call.lab.test
COTURN_SHARED_SECRET_KEY=the key that coturn shares
METRICS_PORT=9090
LOG_LEVEL=debug
`

// TestKMS_02c__TheBundleTellsNoSecret: a real server with a call in it is packed, and no file of the archive has a
// secret, token, credential or ICE password; with --redact no full address and no name of the host.
func TestKMS_02c__TheBundleTellsNoSecret(t *testing.T) {
	if !lab(t) {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	data := t.TempDir()
	write(t, data, map[string]string{".env": bundleSettings})
	s := serving(t, data, "--https-port=4443")
	secrets := append(s.call(ctx), "Sesame_open-9", "the key that coturn shares")
	if len(secrets) < 9 {
		t.Fatalf("there is little to hide: %q", secrets)
	}
	words := regexp.MustCompile(`tok_[A-Za-z0-9]|PRIVATE KEY|(?i:ice-pwd:[^(]|"(credential|password)":"[^("])|Basic [A-Za-z0-9+/]{8}`)
	whole := regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b|[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}|[0-9a-f]{1,4}:[0-9a-f:]*::[0-9a-f]|call\.lab\.test`)
	for _, mode := range [][]string{nil, {"--redact"}} {
		file := filepath.Join(t.TempDir(), "bundle.tar.gz")
		cmd := program(t, nil, append([]string{"doctor", "bundle", "--data=" + data, "-o", file}, mode...)...)
		if code, out, errs := ended(t, cmd); code != 0 || !strings.Contains(out, file) {
			t.Fatalf("%d %s%s", code, out, errs)
		}
		files := unpacked(t, file)
		for _, name := range []string{"doctor.json", "version.txt", "settings.txt", "machine.txt", "left-out.txt", "server/health.json", "server/config.json", "server/sessions.json", "server/timelines/bundled.json", "server/metrics.txt", "server/goroutines.txt", "server/log.txt"} {
			if files["tertulia/"+name] == "" {
				t.Errorf("%v: %s is missing", mode, name)
			}
		}
		if sessions := files["tertulia/server/sessions.json"]; !strings.Contains(sessions, "bundled") || !strings.Contains(sessions, "platform") {
			t.Errorf("the call is not in it: %s", sessions)
		}
		if log := files["tertulia/server/log.txt"]; !strings.Contains(log, "level=DEBUG") || !strings.Contains(log, "msg=joined") {
			t.Errorf("the log is not in it: %s", log)
		}
		for name, text := range files {
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%v: %s tells %q", mode, name, secret)
				}
			}
			if found := words.FindString(text); found != "" {
				t.Errorf("%v: %s holds %q", mode, name, found)
			}
			if strings.HasSuffix(name, ".json") && !json.Valid([]byte(text)) {
				t.Errorf("%v: %s is no JSON any more: %s", mode, name, text)
			}
			if found := whole.FindString(text); found != "" && mode != nil {
				t.Errorf("%v: %s holds %q", mode, name, found)
			}
		}
		if mode == nil && !strings.Contains(files["tertulia/machine.txt"], ourAddress) {
			t.Error("without --redact addresses stay")
		}
	}
}

// unpacked reads an archive of 5 MB at most.
func unpacked(t *testing.T, file string) map[string]string {
	t.Helper()
	packed, err := os.ReadFile(file)
	if err != nil || len(packed) > 5_000_000 {
		t.Fatalf("%d bytes, %v", len(packed), err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = string(text)
	}
}

// server is `tertulia serve` in a process of its own.
type server struct {
	t   *testing.T
	url string
	pid int
}

var httpClient = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
	TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, //nolint:gosec // its certificate is self-signed
}}

// serving starts one and waits until it is ready; it ends with the test.
func serving(t *testing.T, data string, args ...string) *server {
	t.Helper()
	cmd := program(t, nil, append([]string{"serve", "--data=" + data}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	logged := func() string { text, _ := os.ReadFile(log.Name()); return string(text) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(ready)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, found := strings.CutPrefix(lines.Text(), "ready "); found {
				ready <- "https://127.0.0.1:4443" // the lab does not know the domain
			}
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		reading.Wait()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v\n%s", err, logged())
		}
	})
	url, ok := <-ready
	if !ok {
		t.Fatalf("the server does not start: %s", logged())
	}
	return &server{t, url, cmd.Process.Pid}
}

// rest makes a REST call.
func (s *server) rest(method, path, body string) map[string]any {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", "Sesame_open-9")
	request.Header.Set("Content-Type", "application/json")
	response, err := httpClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer := map[string]any{}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: %s, %v", method, path, response.Status, err)
	}
	return answer
}

// call puts a participant who publishes, and a token nobody has used, into a session. It returns what must not be told.
func (s *server) call(ctx context.Context) (secrets []string) {
	s.t.Helper()
	s.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"bundled"}`)
	place := "/openvidu/api/sessions/bundled/connection"
	unused, _ := s.rest("POST", place, "{}")["token"].(string)
	token, _ := s.rest("POST", place, `{"data":"{\"token\":\"of the application 77\"}"}`)["token"].(string)
	for _, text := range []string{unused, token} {
		_, spent, _ := strings.Cut(text, "&token=")
		spent, _, _ = strings.Cut(spent, "&")
		secrets = append(secrets, spent)
	}
	socket, _, err := websocket.Dial(ctx, "wss"+strings.TrimPrefix(s.url, "https")+"/openvidu?sessionId=bundled", &websocket.DialOptions{HTTPClient: httpClient})
	if err != nil {
		s.t.Fatal(err)
	}
	socket.SetReadLimit(1 << 20)
	s.t.Cleanup(func() { _ = socket.CloseNow() })
	ask := func(id int, method string, params map[string]any) []byte {
		text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
		if err != nil {
			s.t.Fatal(err)
		}
		if err := socket.Write(ctx, websocket.MessageText, text); err != nil {
			s.t.Fatal(err)
		}
		for {
			_, answer, err := socket.Read(ctx)
			if err != nil {
				s.t.Fatalf("%s: %v", method, err)
			}
			if bytes.Contains(answer, []byte(`"result"`)) || bytes.Contains(answer, []byte(`"error"`)) {
				return answer
			}
		}
	}
	joined := ask(1, "joinRoom", map[string]any{
		"token": token, "session": "bundled", "platform": "Chrome", "sdkVersion": "2.32.2", "metadata": "", "secret": "", "recorder": false,
	})
	offer := testkit.NewClient(s.t, testkit.ClientConfig{}).PublishOffer(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000})
	published := ask(2, "publishVideo", map[string]any{
		"sdpOffer": offer, "doLoopback": false, "hasAudio": true, "hasVideo": true, "audioActive": true, "videoActive": true,
		"typeOfVideo": "CAMERA", "frameRate": 30, "videoDimensions": `{"width":640,"height":480}`,
	})
	everything := string(joined) + string(published) + offer
	for _, m := range regexp.MustCompile(`(?:ice-pwd:|"(?:username|credential|turnUsername|turnCredential|sessionId)": ?")([^"\\\r\n]{8,})`).FindAllStringSubmatch(everything, -1) {
		secrets = append(secrets, m[1])
	}
	if !strings.Contains(everything, "ice-pwd") || !strings.Contains(string(published), "sdpAnswer") {
		s.t.Fatalf("nothing was published: %s", published)
	}
	secrets = append(secrets, "of the application 77")
	slices.Sort(secrets)
	return slices.Compact(secrets)
}
