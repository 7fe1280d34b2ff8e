package target

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"tertulia/internal/wire/openvidu"
)

// TertuliaConfig says which program is run, and how. Only Binary is required.
type TertuliaConfig struct {
	Binary   string            // path of the program
	Settings map[string]string // more lines for its .env: they win over those of bench
	Ping     time.Duration     // between pings of a participant: 5 s unless set, as openvidu-browser's
}

// homes is how many addresses participants come from.
const homes = 100

// tertulia is our own server: `tertulia serve` on a free port.
type tertulia struct {
	cfg    TertuliaConfig
	client *http.Client

	process *process
	secret  string
	host    string // HOST:PORT
}

// Tertulia is this project's server.
func Tertulia(c TertuliaConfig) Server {
	if c.Ping == 0 {
		c.Ping = 5 * time.Second
	}
	var sources atomic.Uint32
	transport := &http.Transport{
		// The certificate is a fresh self-signed one, and the server is a child of this process on loopback.
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
		MaxIdleConnsPerHost: 16,
		// The server bounds the sockets of one address: participants come from many addresses of loopback, as they would
		// come from many homes.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			from := net.IPv4(127, 0, 0, byte(1+sources.Add(1)%homes))
			return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext(ctx, network, address)
		},
	}
	return &tertulia{cfg: c, client: &http.Client{Transport: transport}}
}

func (s *tertulia) Name() string { return "tertulia" }

func (s *tertulia) Version() string { return versionOf(s.cfg.Binary, inBrackets, "version") }

func (s *tertulia) Start(ctx context.Context, cpus []int) error {
	binary, err := find(s.cfg.Binary)
	if err != nil {
		return err
	}
	s.secret = rand.Text()
	p, err := launch(binary, cpus, func(folder string) ([]string, error) {
		data := filepath.Join(folder, "data")
		if err := os.Mkdir(data, 0o700); err != nil {
			return nil, err
		}
		return []string{"serve", "--data", data}, os.WriteFile(filepath.Join(data, ".env"), s.environment(), 0o600)
	})
	if err != nil {
		return err
	}
	s.process, err = p.ready(ctx, func(context.Context) error { return s.greeted(p.output.String()) })
	return err
}

// environment is the .env file.
func (s *tertulia) environment() []byte {
	settings := map[string]string{
		"OPENVIDU_SECRET":     s.secret,
		"HTTPS_PORT":          "0",
		"DOMAIN_OR_PUBLIC_IP": "127.0.0.1",
		"ADDRESS_DISCOVERY":   "off",
		"LOG_LEVEL":           "error",
		"OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH": "0", // publishers send what the shape says
	}
	for name, value := range s.cfg.Settings {
		settings[name] = value
	}
	var b bytes.Buffer
	for name, value := range settings {
		fmt.Fprintf(&b, "%s=%s\n", name, value)
	}
	return b.Bytes()
}

// greeted takes the address from the line "ready https://HOST:PORT".
func (s *tertulia) greeted(output string) error {
	for l := range strings.Lines(output) {
		if host, ok := strings.CutPrefix(l, "ready https://"); ok && strings.HasSuffix(l, "\n") {
			s.host = strings.TrimSpace(host)
			return nil
		}
	}
	return errors.New("it has not said ready")
}

func (s *tertulia) PID() int { return pidOf(s.process) }

func (s *tertulia) Stop() error {
	s.client.CloseIdleConnections()
	return stopOnce(&s.process)
}

// token gets a place in a room by REST, and makes the room's session when there is none.
func (s *tertulia) token(ctx context.Context, room, name string) (string, error) {
	var made openvidu.RESTConnection
	path := "/sessions/" + room + "/connection"
	body := map[string]any{"type": openvidu.RESTWebRTC, "role": "PUBLISHER", "data": name, "record": false}
	status, err := s.post(ctx, path, body, &made)
	if status == http.StatusNotFound {
		session := map[string]any{"customSessionId": room}
		if status, err := s.post(ctx, "/sessions", session, nil); err != nil && status != http.StatusConflict {
			return "", err
		}
		_, err = s.post(ctx, path, body, &made)
	}
	if err != nil {
		return "", err
	}
	if made.Token == nil {
		return "", errors.New("the connection has no token")
	}
	return *made.Token, nil
}

// post sends a REST request; any status but 200 is an error.
func (s *tertulia) post(ctx context.Context, path string, body, into any) (status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+s.host+"/openvidu/api"+path, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth("OPENVIDUAPP", s.secret)
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxMessage))
	if err != nil {
		return response.StatusCode, err
	}
	if response.StatusCode != http.StatusOK {
		return response.StatusCode, fmt.Errorf("POST %s: status %d: %s", path, response.StatusCode, answer)
	}
	if into == nil {
		return response.StatusCode, nil
	}
	return response.StatusCode, json.Unmarshal(answer, into)
}

func pidOf(p *process) int {
	if p == nil {
		return 0
	}
	return p.pid()
}

func stopOnce(running **process) error {
	p := *running
	if p == nil {
		return nil
	}
	*running = nil
	return p.stop()
}
