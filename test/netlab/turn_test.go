package netlab

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pion/stun/v4"
)

// stun answers binding requests at a UDP port of a node, until the test ends.
func (l *lab) stun(n *node, port int) {
	l.t.Helper()
	socket := n.socket(port)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			size, from, err := socket.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			request := &stun.Message{Raw: append([]byte(nil), buffer[:size]...)}
			if request.Decode() != nil || request.Type != stun.BindingRequest {
				continue
			}
			from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
			answer, err := stun.Build(stun.NewTransactionIDSetter(request.TransactionID), stun.BindingSuccess,
				&stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}, stun.Fingerprint)
			if err == nil {
				_, _ = socket.WriteToUDPAddrPort(answer.Raw, from)
			}
		}
	}()
	l.t.Cleanup(func() {
		_ = socket.Close()
		<-done
	})
}

// mortal is a plain forwarder whose connections end at an age, whatever goes over them.
func (l *lab) mortal(n *node, port int, to string, age time.Duration) {
	l.t.Helper()
	l.accept(n, port, func(ctx context.Context, near net.Conn) {
		far, err := l.dial(ctx, n, "tcp", to)
		if err != nil {
			return
		}
		dying, cancel := context.WithTimeout(ctx, age)
		defer cancel()
		defer context.AfterFunc(dying, func() { _ = near.Close() })()
		splice(dying, near, far)
	})
}

// clockShim is preloaded into a program whose clock is to be AHEAD seconds fast: namespaces have no wall clock of their own.
const clockShim = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long ahead(void) { const char *s = getenv("AHEAD"); return s ? atol(s) : 0; }
time_t time(time_t *t) { struct timespec now; clock_gettime(CLOCK_REALTIME, &now); if (t) *t = now.tv_sec; return now.tv_sec; }
int clock_gettime(clockid_t id, struct timespec *t) {
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	int r = real(id, t);
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) t->tv_sec += ahead();
	return r;
}
int gettimeofday(struct timeval *restrict t, void *restrict z) {
	struct timespec now; clock_gettime(CLOCK_REALTIME, &now);
	t->tv_sec = now.tv_sec; t->tv_usec = now.tv_nsec / 1000; return 0;
}
`

// coturn runs a real coturn in a node, on port 3478; env may hold AHEAD=seconds.
func (l *lab) coturn(n *node, secret string, env ...string) {
	l.t.Helper()
	dir := l.t.TempDir()
	shim := filepath.Join(dir, "clock.so")
	if len(env) > 0 {
		source := filepath.Join(dir, "clock.c")
		if err := os.WriteFile(source, []byte(clockShim), 0o600); err != nil {
			l.t.Fatal(err)
		}
		l.must("gcc", "-shared", "-fPIC", "-o", shim, source, "-ldl")
		env = append(env, "LD_PRELOAD="+shim)
	}
	process := exec.Command("ip", "netns", "exec", n.name, "env")
	process.Args = append(process.Args, env...)
	process.Args = append(process.Args, "turnserver", "-n", "-L", n.ip.String(), "-E", n.ip.String(), "-p", "3478", "--min-port", "49160", "--max-port", "49260",
		"-r", "lab.test", "--use-auth-secret", "--static-auth-secret="+secret, "-f", "--no-tls", "--no-dtls", "--no-cli", "--no-multicast-peers",
		"-l", filepath.Join(dir, "log"), "--simple-log", "--pidfile", filepath.Join(dir, "pid"), "-b", filepath.Join(dir, "db"))
	if err := process.Start(); err != nil {
		l.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = process.Wait(); close(done) }()
	l.t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGKILL) // it has nothing to lose, and takes its time otherwise
		<-done
	})
	await(l.t, 10*time.Second, "coturn listens", func() bool {
		conn, err := dialSoon(l, n, n.ip.String()+":3478")
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}
