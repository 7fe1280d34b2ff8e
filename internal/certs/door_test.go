package certs_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tertulia/internal/app"
	"tertulia/internal/certs"
	"tertulia/internal/config"
)

// The program as it is configured by people: the authority's challenge comes in by the one port, and what browsers, health
// and clients of TURN are told changes with the certificate, without a restart.
func TestENT_10__TheFrontDoorAnswersTheChallenge(t *testing.T) {
	port := certs.FreePorts(t, 1)[0]
	authority := certs.NewPebble(t, certs.NewZone(t, "127.0.0.1"), port, 1, time.Hour)
	c, err := config.Load([]string{
		"--data=" + t.TempDir(), "--openvidu-secret=MY_SECRET", fmt.Sprintf("--https-port=%d", port), "--address-discovery=off",
		"--domain-or-public-ip=localhost", "--certificate-type=letsencrypt", "--letsencrypt-email=admin@example.org",
		"--acme-directory=" + authority.Directory(), "--acme-roots=" + authority.RootsFile(),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	ready := make(chan string, 1)
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	go func() { ended <- app.Run(ctx, c, log, func(url string) { ready <- url }) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("it ended before it was ready: %v", err)
	}
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	certs.Await(t, 30*time.Second, "a browser trusts it", func() bool {
		client, err := tls.Dial("tcp", address, authority.Client("localhost"))
		if err != nil {
			return false
		}
		return client.Close() == nil
	})
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: authority.Client("localhost"), DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/openvidu/api/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", "MY_SECRET")
	answer, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var health struct {
		Status string
		Checks []struct{ Name, Code, Text string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&health); err != nil || health.Status != "UP" {
		t.Fatalf("%+v, %v", health, err)
	}
	told := false
	for _, check := range health.Checks {
		told = told || check.Name == "certificate"
		if check.Name == "certificate" && strings.HasPrefix(check.Code, "CERTIFICATE_") {
			t.Errorf("health says %+v", check)
		}
	}
	if !told {
		t.Errorf("health says nothing of the certificate: %+v", health.Checks)
	}
}
