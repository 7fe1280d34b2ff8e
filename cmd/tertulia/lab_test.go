//go:build linux

package main

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
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// inLab in the environment says that this process has a network and mounts of its own.
const inLab = "TERTULIA_TEST_IN_LAB"

// ourAddress is the lab's only one beside loopback.
const ourAddress = "198.51.100.7"

// lab runs the calling test once more in namespaces of its own, where every port, name server and mount is free to
// seed; it returns false in the process outside, which has then seen how it ended.
func lab(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inLab) != "" {
		for _, args := range [][]string{{"link", "set", "lo", "up"}, {"addr", "add", ourAddress + "/32", "dev", "lo"}} {
			if out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput(); err != nil {
				t.Fatalf("ip %v: %v %s", args, err, out)
			}
		}
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), inLab+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return false
}

// serveUDP answers datagrams until the test ends; nil is no answer.
func serveUDP(t *testing.T, address string, answer func([]byte) []byte) {
	t.Helper()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		question := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			if a := answer(question[:n]); a != nil {
				_, _ = conn.WriteTo(a, from)
			}
		}
	})
	t.Cleanup(func() { conn.Close(); serving.Wait() })
}

// serveTime is an SNTP server whose clock is ahead.
func serveTime(t *testing.T, address string, ahead time.Duration) {
	serveUDP(t, address, func(question []byte) []byte {
		if len(question) < 48 {
			return nil
		}
		answer := make([]byte, 48)
		answer[0], answer[1] = 4<<3|4, 2
		copy(answer[24:32], question[40:48])
		now := time.Now().Add(ahead)
		for _, at := range []int{32, 40} {
			binary.BigEndian.PutUint32(answer[at:], uint32(now.Unix()+2_208_988_800))
			binary.BigEndian.PutUint32(answer[at+4:], uint32(uint64(now.Nanosecond())<<32/1_000_000_000))
		}
		return answer
	})
}

// serveNames is a name server of one zone of A records.
func serveNames(t *testing.T, address string, zone map[string][4]byte) {
	serveUDP(t, address, func(question []byte) []byte {
		var m dnsmessage.Message
		if m.Unpack(question) != nil || len(m.Questions) != 1 {
			return nil
		}
		m.Response, m.Additionals = true, nil
		a, known := zone[m.Questions[0].Name.String()]
		switch {
		case !known:
			m.RCode = dnsmessage.RCodeNameError
		case m.Questions[0].Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 1},
				Body:   &dnsmessage.AResource{A: a},
			}}
		}
		answer, err := m.Pack()
		if err != nil {
			return nil
		}
		return answer
	})
}

// authority signs certificates that the programs of the lab trust.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // for SSL_CERT_FILE
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, file: filepath.Join(t.TempDir(), "root.pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	var der []byte
	der, a.key = a.sign(template, template)
	a.cert, _ = x509.ParseCertificate(der)
	if err := os.WriteFile(a.file, block("CERTIFICATE", der), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) sign(template, parent *x509.Certificate) (der []byte, key *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	by := a.key
	if by == nil {
		by = key
	}
	if der, err = x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by); err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

// owncert are the files of a certificate for names that ends then.
func (a *authority) owncert(ends time.Time, names ...string) map[string]string {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: ends.AddDate(0, -2, 0), NotAfter: ends,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if address := net.ParseIP(name); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, key := a.sign(template, a.cert)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return map[string]string{
		"owncert/certificate.cert": string(block("CERTIFICATE", der)),
		"owncert/certificate.key":  string(block("PRIVATE KEY", secret)),
		"owncert/root.crt":         string(block("CERTIFICATE", a.cert.Raw)),
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
