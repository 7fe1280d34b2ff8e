package netlab

import (
	"context"
	"net"
	"net/netip"
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

// coturn runs a real coturn in a node, on port 3478; clock is what its own says beside ours, as "+2d", or "".
func (l *lab) coturn(n *node, secret, clock string) {
	l.t.Helper()
	dir := l.t.TempDir()
	process := exec.Command("ip", "netns", "exec", n.netns)
	if clock != "" { // namespaces have no wall clock of their own
		process.Args = append(process.Args, "faketime", "-f", clock)
	}
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
