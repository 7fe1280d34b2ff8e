package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// timeServer is an SNTP server whose clock is ahead.
func timeServer(t *testing.T, ahead time.Duration) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		question := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			if n < 48 {
				continue
			}
			answer := make([]byte, 48)
			answer[0], answer[1] = 4<<3|4, 2
			copy(answer[24:32], question[40:48])
			now := uint32(time.Now().Add(ahead).Unix() + 2_208_988_800)
			binary.BigEndian.PutUint32(answer[32:], now)
			binary.BigEndian.PutUint32(answer[40:], now)
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-ended })
	return conn.LocalAddr().String()
}

// ownCertificate puts a certificate for a name into a data folder.
func ownCertificate(t *testing.T, data, name string, ends time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: ends.AddDate(0, -1, 0), NotAfter: ends, KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(data, "owncert")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		"certificate.cert": {Type: "CERTIFICATE", Bytes: certificate}, "certificate.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(folder, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What is wrong with a node is named by its health, with the evidence and what to do; the node stays ready, as calls go on.
func TestENT_20__HealthNamesTheFault(t *testing.T) {
	expired, wrong := t.TempDir(), t.TempDir()
	ownCertificate(t, expired, "localhost", time.Now().AddDate(0, 0, -3))
	ownCertificate(t, wrong, "elsewhere.example", time.Now().AddDate(0, 1, 0))
	for name, c := range map[string]struct {
		data              string
		flags             []string
		check, code, text string
	}{
		"clock skew":          {t.TempDir(), []string{"--ntp-servers=" + timeServer(t, 2*time.Minute)}, "clock", "CLOCK_SKEWED", "s away from 127.0.0.1:"},
		"expired certificate": {expired, []string{"--certificate-type=owncert", "--domain-or-public-ip=localhost"}, "certificate", "CERTIFICATE_EXPIRED", time.Now().AddDate(0, 0, -3).UTC().Format(time.DateOnly)},
		"wrong certificate":   {wrong, []string{"--certificate-type=owncert", "--domain-or-public-ip=localhost"}, "certificate", "CERTIFICATE_NAME_MISMATCH", "elsewhere.example"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, c.data, "0", c.flags...)
			check := r.health(c.check, c.code)
			if text := check["text"].(string); !strings.Contains(text, c.text) || check["fix"] == nil && !strings.Contains(text, "→") {
				t.Errorf("%v", check)
			}
			if response, err := insecure.Get(r.url + "/readyz"); err != nil || response.Body.Close() != nil || response.StatusCode != 200 {
				t.Errorf("ready: %v, %v", response, err)
			}
		})
	}
	good := start(t, t.TempDir(), "0", "--ntp-servers="+timeServer(t, 0))
	if check := good.health("clock", ""); check["ok"] != true {
		t.Errorf("a clock that is right: %v", check)
	}
}
