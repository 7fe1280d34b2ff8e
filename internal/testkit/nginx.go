package testkit

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Nginx runs the real nginx on a loopback port, with its defaults but for what server says: the inside of a server block,
// where LISTEN stands for the address. It ends with the test. Install it by: scripts/need all.
func Nginx(t testing.TB, server string) (address string) {
	t.Helper()
	return StartNginx(t, server).Address
}

// Proxy is a running nginx.
type Proxy struct {
	Address string // 127.0.0.1:port
	PID     int
	Stop    func() // ends it and waits; may be called twice
}

// StartNginx is Nginx for tests that end it themselves.
func StartNginx(t testing.TB, server string) *Proxy {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx"
	}
	dir := t.TempDir()
	address := freeAddress(t)
	config := fmt.Sprintf("pid nginx.pid; error_log stderr; daemon off; master_process off; events {}\n"+
		"http { access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n"+
		"server { %s } }\n", strings.ReplaceAll(server, "LISTEN", address))
	file := filepath.Join(dir, "nginx.conf")
	check(t, os.WriteFile(file, []byte(config), 0o600))
	var said bytes.Buffer
	command := exec.Command(program, "-p", dir, "-c", file)
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatalf("nginx: %v; install it with scripts/need all", err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	p := &Proxy{Address: address, PID: command.Process.Pid, Stop: func() {
		_ = command.Process.Signal(syscall.SIGTERM) // fails once it has ended
		<-ended
	}}
	t.Cleanup(p.Stop)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for dialer := (net.Dialer{}); ; {
		stream, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			_ = stream.Close()
			return p
		}
		select {
		case <-ended:
			t.Fatalf("nginx ended: %s", said.String())
		case <-ctx.Done():
			t.Fatalf("nginx does not listen: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// freeAddress is a loopback address that nobody listens on now; nginx cannot be asked which it took.
func freeAddress(t testing.TB) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t)))
}

// FreePort is a port that is free now, for TCP and UDP on every address. It is below those the system hands out
// (net.ipv4.ip_local_port_range), where one of another process's connections may take it the next moment.
func FreePort(t testing.TB) int {
	t.Helper()
	const from, to = 20_000, 32_000
	for range 100 {
		address := ":" + strconv.Itoa(from+rand.IntN(to-from))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		conn, err := net.ListenPacket("udp", address)
		check(t, listener.Close())
		if err == nil {
			check(t, conn.Close())
			return listener.Addr().(*net.TCPAddr).Port
		}
	}
	t.Fatal("no port is free")
	return 0
}
