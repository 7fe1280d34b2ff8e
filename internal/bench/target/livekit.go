package target

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// LiveKitBinary is where scripts/bench-peers puts LiveKit, from the root of the project.
const LiveKitBinary = "bin/peers/livekit-server"

// livekit is LiveKit's server alone, without Redis, all media on one UDP port of loopback.
type livekit struct {
	binary string

	process *process
	secret  string
	port    int
}

// LiveKit is LiveKit's server; binary is its path, "" means [LiveKitBinary].
func LiveKit(binary string) Server {
	if binary == "" {
		binary = LiveKitBinary
	}
	return &livekit{binary: binary}
}

func (s *livekit) Name() string { return "livekit" }

var livekitVersion = regexp.MustCompile(`version (\S+)`)

func (s *livekit) Version() string { return versionOf(s.binary, livekitVersion, "--version") }

func (s *livekit) Start(ctx context.Context, cpus []int) error {
	binary, err := find(s.binary)
	if err != nil {
		return err
	}
	s.secret = rand.Text() + rand.Text() // it warns of less than 32 characters
	s.process, err = retry(func() (*process, error) { return s.start(ctx, binary, cpus) })
	return err
}

func (s *livekit) start(ctx context.Context, binary string, cpus []int) (*process, error) {
	media, err := freePort()
	if err != nil {
		return nil, err
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	p, err := launch(binary, cpus, func(folder string) ([]string, error) {
		file := filepath.Join(folder, "livekit.yaml")
		return []string{"--config", file}, os.WriteFile(file, livekitConfig(s.port, media, s.secret), 0o600)
	})
	if err != nil {
		return nil, err
	}
	return p.ready(ctx, s.answers)
}

// livekitKey is the name of the key that signs the participants' tokens.
const livekitKey = "bench"

// livekitConfig is the least that makes it a server on loopback: everything else is as LiveKit ships it.
func livekitConfig(port, media int, secret string) []byte {
	return fmt.Appendf(nil, `port: %d
bind_addresses: ["127.0.0.1"]
keys:
  %s: %s
logging:
  level: error
  pion_level: error
rtc:
  udp_port: %d
  use_external_ip: false
  node_ip: 127.0.0.1
  enable_loopback_candidate: true
  interfaces:
    includes: [lo]
`, port, livekitKey, secret, media)
}

// answers asks its health page.
func (s *livekit) answers(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", s.port), http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

func (s *livekit) PID() int { return pidOf(s.process) }

func (s *livekit) Stop() error { return stopOnce(&s.process) }

// livekitGrant is what a token allows.
type livekitGrant struct {
	RoomJoin     bool   `json:"roomJoin"`
	Room         string `json:"room"`
	CanPublish   bool   `json:"canPublish"`
	CanSubscribe bool   `json:"canSubscribe"`
}

// livekitToken signs a grant for an identity: a JWT (RFC 7519) with HS256.
func livekitToken(secret, identity string, now time.Time, grant livekitGrant) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"iss": livekitKey, "sub": identity, "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(24 * time.Hour).Unix(), "video": grant,
	})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}
