package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tertulia/internal/fault"
	"tertulia/internal/media/socket"
)

func TestPartsStopInReverse(t *testing.T) {
	running, ctx := newParts(t.Context())
	var mu sync.Mutex
	var order []string
	for _, name := range []string{"store", "sessions", "door"} {
		running.hold(name, func() error {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
			if name == "sessions" {
				return errors.New("did not end well")
			}
			return nil
		})
	}
	if ctx.Err() != nil {
		t.Fatal("the context ended before any part did")
	}
	err := running.stop()
	if !slices.Equal(order, []string{"door", "sessions", "store"}) {
		t.Errorf("stopped in the order %v", order)
	}
	if err == nil || err.Error() != "sessions: did not end well" {
		t.Errorf("stop: %v, want the one failure with its part's name", err)
	}
	if ctx.Err() == nil {
		t.Error("the context goes on after the parts")
	}
}

func TestOnePartThatFailsEndsTheRest(t *testing.T) {
	running, ctx := newParts(t.Context())
	released := false
	running.hold("port", func() error { released = true; return nil })
	running.start("media", func(context.Context) error { return errors.New("the socket broke") })
	<-ctx.Done()
	if err := running.stop(); err == nil || !strings.Contains(err.Error(), "media: the socket broke") {
		t.Errorf("stop: %v", err)
	}
	if !released {
		t.Error("the other part was not stopped")
	}
}

func TestThePortIsOneForBothProtocols(t *testing.T) {
	listener, conns, err := bind(t.Context(), "HTTPS_PORT", 0, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, conn := range conns {
		defer conn.Close()
		if tcp, udp := portOf(listener), int(conn.LocalAddr().Port()); tcp != udp || tcp == 0 {
			t.Errorf("TCP port %d, UDP port %d", tcp, udp)
		}
	}
	if runtime.GOOS == "linux" && len(conns) != runtime.GOMAXPROCS(0) {
		t.Errorf("%d UDP sockets, want one per core", len(conns))
	}
}

// TestAPortWhoseUDPIsTaken: the log names who has it, TCP is not kept meanwhile, and both are taken once it is free.
func TestAPortWhoseUDPIsTaken(t *testing.T) {
	taken, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.LocalAddr().(*net.UDPAddr).Port
	logged := make(lines, 8)
	bound := make(chan error, 1)
	go func() {
		listener, conns, err := bind(t.Context(), "HTTPS_PORT", port, slog.New(slog.NewTextHandler(logged, nil)))
		for _, c := range conns {
			_ = c.Close()
		}
		if err == nil {
			err = listener.Close()
		}
		bound <- err
	}()
	line := <-logged
	for _, want := range []string{"code=PORT_TAKEN", "network=udp", "port=" + strconv.Itoa(port), fmt.Sprintf("process %d (", os.Getpid()), "HTTPS_PORT"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %q", line, want)
		}
	}
	if listener, err := net.Listen("tcp", taken.LocalAddr().String()); err != nil {
		t.Errorf("the TCP port was kept: %v", err)
	} else {
		listener.Close()
	}
	taken.Close()
	if err := <-bound; err != nil {
		t.Errorf("bind: %v", err)
	}
}

// lines is a log whose lines a test waits for.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func TestAPortWeMayNotHave(t *testing.T) {
	err := onceFree(t.Context(), "HTTP_PORT", slog.New(slog.DiscardHandler), func() error { return &unbound{"tcp", 80, syscall.EACCES} })
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "HTTP_PORT") || !strings.Contains(err.Error(), "root") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = onceFree(ctx, "HTTP_PORT", slog.New(slog.DiscardHandler), func() error { return &unbound{"tcp", 80, syscall.EADDRINUSE} })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped while waiting: %v", err)
	}
}

func TestMediaAddressesAreTheNodesOwn(t *testing.T) {
	g := &socket.Gatherer{}
	g.SetPublic([]netip.Addr{netip.MustParseAddr("192.0.2.7")})
	list := mediaAddresses(g, 4443)()
	for _, want := range []string{"192.0.2.7:4443", "127.0.0.1:4443"} {
		if !slices.Contains(list, netip.MustParseAddrPort(want)) {
			t.Errorf("%s is not among %v", want, list)
		}
	}
}
