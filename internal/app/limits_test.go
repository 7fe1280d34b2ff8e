package app

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"

	"tertulia/internal/fault"
)

func TestRoomForFiles(t *testing.T) {
	for _, c := range []struct {
		limit, used      int
		newcomer, socket bool
	}{
		{256, 179, true, true}, {256, 180, false, true}, {256, 217, false, true}, {256, 218, false, false},
		{65536, 62195, true, true}, {65536, 62196, false, true}, {65536, 63866, false, false},
		{20, 1, false, false}, // less than the reserve: nobody
	} {
		f := newFiles(c.limit, func() int { return c.used })
		for running, want := range map[bool]bool{false: c.newcomer, true: c.socket} {
			err := f.Room(running)
			if (err == nil) != want {
				t.Errorf("%d of %d, running %v: %v", c.used, c.limit, running, err)
			}
			if err != nil && (!fault.Is(err, fault.NoCapacity) || !strings.HasPrefix(err.Error(), "FD_LIMIT")) {
				t.Errorf("refused with %v", err)
			}
		}
	}
	if got := newFiles(256, func() int { return 40 }).door().Open; got != 200 {
		t.Errorf("the door takes %d connections", got)
	}
	if got := newFiles(65536, func() int { return 40 }).door().Open; got != 20_000 {
		t.Errorf("the door takes %d connections", got)
	}
}

func TestFilesAreCounted(t *testing.T) {
	before := countFiles()
	var opened []*os.File
	for range 10 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		opened = append(opened, f)
	}
	if got := countFiles() - before; got < 9 || got > 11 { // the count itself may take one
		t.Errorf("ten more files count for %d", got)
	}
	for _, f := range opened {
		_ = f.Close()
	}
	if f := openFiles(slog.New(slog.DiscardHandler)); f.limit < 64 || f.used() < 3 {
		t.Errorf("limit %d, used %d", f.limit, f.used())
	}
}

// TestOtherPortsLeaveWhatIsKept: strangers at HTTP_PORT and COTURN_PORT take no descriptor that a call needs.
func TestOtherPortsLeaveWhatIsKept(t *testing.T) {
	below, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	used := []int{218, 10} // when each of two comes
	l := newFiles(256, func() int { next := used[0]; used = used[1:]; return next }).listener(below)
	first, err := net.Dial("tcp", below.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := net.Dial("tcp", below.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	got, err := l.Accept()
	if err != nil || got.RemoteAddr().String() != second.LocalAddr().String() {
		t.Fatalf("accepted %v, %v", got, err)
	}
	_ = got.Close()
	if n, err := first.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("the first was not turned away")
	}
	_ = below.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}
