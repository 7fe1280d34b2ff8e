//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tertulia/internal/doctor"
)

// coturn runs Debian's turnserver in the lab until the test ends; TLS is on 5349 with that certificate.
func coturn(t *testing.T, files map[string]string, flags ...string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	args := append([]string{
		"-n", "-L", ourAddress, "-E", ourAddress, "-p", "3478", "--tls-listening-port=5349", "-r", "lab",
		"--use-auth-secret", "--static-auth-secret=right", "-f", "--no-dtls", "--no-cli", "--no-multicast-peers", "-l", "stdout", "--simple-log",
		"--cert=" + filepath.Join(dir, "owncert/certificate.cert"), "--pkey=" + filepath.Join(dir, "owncert/certificate.key"),
		"--pidfile", filepath.Join(dir, "pid"), "-b", filepath.Join(dir, "db"),
	}, flags...)
	cmd := exec.Command("turnserver", args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("coturn (scripts/need all installs it): %v", err)
	}
	up := make(chan bool, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(up)
		said := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if !said && strings.Contains(lines.Text(), "DB connection success") { // its ports are open by then
				said = true
				up <- true
			}
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait()
	})
	if !<-up {
		t.Fatal("coturn ended at once")
	}
}

// TestFAQ_07b__TheCommandNamesTheFault of a real coturn, over every transport and in time, by its exit code and by name.
func TestFAQ_07b__TheCommandNamesTheFault(t *testing.T) {
	if !lab(t) {
		return
	}
	ca := newAuthority(t)
	good := ca.owncert(time.Now().AddDate(0, 1, 0), ourAddress)
	udp, tcp, tls := "turn:"+ourAddress+":3478?transport=udp", "turn:"+ourAddress+":3478?transport=tcp", "turns:"+ourAddress+":5349"
	for name, c := range map[string]struct {
		files  map[string]string
		flags  []string
		url    string
		secret string
		want   []string // of the evidence, a line for each transport
	}{
		"nothing":                {good, nil, "turn:" + ourAddress + ":3478", "right", []string{udp + " relays", tcp + " relays"}},
		"nothing, over TLS":      {good, nil, tls, "right", []string{tls + " relays"}},
		"another secret":         {good, nil, "turn:" + ourAddress + ":3478", "wrong", []string{udp + ": TURN_SECRET_WRONG: ", tcp + ": TURN_SECRET_WRONG: "}},
		"a blocked relay":        {good, []string{"--denied-peer-ip=0.0.0.0-255.255.255.255"}, udp, "right", []string{udp + ": TURN_FAULTY: it allocates "}},
		"an expired certificate": {ca.owncert(time.Now().AddDate(0, 0, -2), ourAddress), nil, tls, "right", []string{tls + ": CERTIFICATE_INVALID: the certificate of " + ourAddress + " has expired"}},
	} {
		t.Run(name, func(t *testing.T) {
			coturn(t, c.files, c.flags...)
			cmd := program(t, []string{"SSL_CERT_FILE=" + ca.file}, "doctor", "turn", "--json", "--data="+t.TempDir(), "--url", c.url, "--secret", c.secret)
			began := time.Now()
			code, out, errs := ended(t, cmd)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			var report doctor.Report
			if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Checks) != 1 {
				t.Fatalf("%v in %s%s", err, out, errs)
			}
			check := report.Checks[0]
			if healthy := strings.HasPrefix(name, "nothing"); (code == 0) != healthy || (check.Fix == "") != healthy || len(check.Evidence) != len(c.want) {
				t.Errorf("exit code %d, %+v", code, check)
			}
			for i, want := range c.want {
				if i < len(check.Evidence) && !strings.HasPrefix(check.Evidence[i], want) {
					t.Errorf("%q, want %q…", check.Evidence[i], want)
				}
			}
			if strings.Contains(out, `"right"`) || strings.Contains(out, c.secret+`"`) {
				t.Errorf("the secret is told: %s", out)
			}
		})
	}
	t.Run("no server at all", func(t *testing.T) {
		code, out, _ := ended(t, program(t, nil, "doctor", "turn", "--data="+t.TempDir(), "--url", tcp, "--secret", "right"))
		if code != exitFailed || !strings.Contains(out, "TURN_FAULTY") || !strings.Contains(out, "refused") || !strings.Contains(out, "Fix: ") {
			t.Errorf("%d %s", code, out)
		}
	})
}
