package netlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// accept listens on a TCP port of a node and serves each connection until the test ends. serve has to return when the
// connection is closed.
func (l *lab) accept(n *node, port int, serve func(context.Context, net.Conn)) {
	l.t.Helper()
	var listener net.Listener
	err := n.in(func() (err error) {
		listener, err = net.Listen("tcp", ":"+strconv.Itoa(port))
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				serve(ctx, conn)
			})
		}
	})
	l.t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		all.Wait()
	})
}

// forward is a plain TCP forwarder: what comes to a port of a node goes on from another node, to an address.
func (l *lab) forward(n *node, port int, from *node, to string) {
	l.t.Helper()
	l.accept(n, port, func(ctx context.Context, near net.Conn) {
		far, err := l.dial(ctx, from, "tcp", to)
		if err != nil {
			return
		}
		splice(ctx, near, far)
	})
}

// splice copies both ways until either side ends.
func splice(ctx context.Context, near, far net.Conn) {
	defer context.AfterFunc(ctx, func() { _ = far.Close() })()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = near.Close()
			_ = far.Close()
		})
	}
	both.Wait()
}

// dialSoon is a TCP connection, or the reason why there is none soon.
func dialSoon(l *lab, from *node, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	return l.dial(ctx, from, "tcp", address)
}

// nginx runs a real nginx in a node: TLS on 443, everything passed on to the server as nginx's own page about websockets
// says, and everything else as nginx has it by default.
func (l *lab) nginx(n *node, to string, ca *authority) {
	l.t.Helper()
	dir := l.t.TempDir()
	cert, key := ca.files(l.t, dir, n.ip.String())
	config := fmt.Sprintf(`user root; daemon off; pid %[1]s/pid; error_log %[1]s/error.log; worker_processes 1;
events {}
http {
 access_log off;
 server {
  listen 443 ssl; ssl_certificate %s; ssl_certificate_key %s;
  location / {
   proxy_pass %s;
   proxy_http_version 1.1;
   proxy_set_header Upgrade $http_upgrade;
   proxy_set_header Connection "upgrade";
   proxy_set_header Host $http_host;
  }
 }
}`, dir, cert, key, to)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		l.t.Fatal(err)
	}
	process := exec.Command("ip", "netns", "exec", n.netns, "nginx", "-p", dir, "-c", path)
	if err := process.Start(); err != nil {
		l.t.Fatal(err)
	}
	var ended error
	done := make(chan struct{})
	go func() { ended = process.Wait(); close(done) }()
	l.t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		<-done
	})
	await(l.t, 10*time.Second, "nginx listens", func() bool {
		select {
		case <-done:
			log, err := os.ReadFile(filepath.Join(dir, "error.log"))
			l.t.Fatalf("nginx ended: %v\n%s %v", ended, log, err)
		default:
		}
		conn, err := dialSoon(l, n, "127.0.0.1:443")
		if err == nil {
			err = errors.Join(err, conn.Close())
		}
		return err == nil
	})
}
