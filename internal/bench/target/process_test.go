package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shell starts a shell script as a server.
func shell(t *testing.T, cpus []int, script string) *process {
	t.Helper()
	p, err := launch("/bin/sh", cpus, func(string) ([]string, error) { return []string{"-c", script}, nil })
	check(t, err)
	return p
}

func TestReadyTellsTheLastWords(t *testing.T) {
	p := shell(t, nil, "echo no licence; exit 3")
	_, err := p.ready(t.Context(), func(context.Context) error { return errors.New("refused") })
	if err == nil || !strings.Contains(err.Error(), "no licence") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("ready: %v", err)
	}
	if _, err := os.Stat(p.folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestReadyEndsWithTheContext(t *testing.T) {
	p := shell(t, nil, "exec sleep 1000")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := p.ready(ctx, func(context.Context) error { cancel(); return errors.New("refused") })
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("ready: %v", err)
	}
	<-p.done // ready has stopped it
}

func TestStopEndsTheProcessAndItsFolder(t *testing.T) {
	p := shell(t, nil, "echo left > behind; exec sleep 1000")
	_, err := p.ready(t.Context(), func(context.Context) error {
		_, err := os.Stat(filepath.Join(p.folder, "behind")) // it runs in its folder
		return err
	})
	check(t, err)
	check(t, p.stop())
	<-p.done
	if _, err := os.Stat(p.folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestLaunchRemovesTheFolderOfAFailure(t *testing.T) {
	var folder string
	_, err := launch("/bin/sh", nil, func(f string) ([]string, error) { folder = f; return nil, os.ErrPermission })
	if !errors.Is(err, os.ErrPermission) {
		t.Errorf("launch: %v", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestAbsentPeersSayWhoInstallsThem(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, s := range []Server{LiveKit(filepath.Join(t.TempDir(), "livekit-server")), Janus()} {
		if err := s.Start(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "scripts/bench-peers") {
			t.Errorf("%s: %v", s.Name(), err)
		}
	}
}

func TestAServerThatIsNotRunning(t *testing.T) {
	for _, s := range []Server{Tertulia(TertuliaConfig{}), LiveKit(""), Janus()} {
		if _, err := s.Join(t.Context(), "room", "name"); !errors.Is(err, errNotRunning) {
			t.Errorf("%s: Join = %v", s.Name(), err)
		}
		if s.PID() != 0 || s.Stop() != nil {
			t.Errorf("%s: PID %d", s.Name(), s.PID())
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var words tail
	words.Write([]byte(strings.Repeat("a", tailMax)))
	words.Write([]byte("end\n"))
	if s := words.String(); len(s) != tailMax-1 || !strings.HasSuffix(s, "aend") {
		t.Errorf("%d bytes, …%s", len(s), s[len(s)-8:])
	}
}

func TestRetryStartsAgainWhatEnded(t *testing.T) {
	started := 0
	want := &process{}
	p, err := retry(func() (*process, error) {
		if started++; started == 1 {
			return nil, fmt.Errorf("livekit: %w", errEnded)
		}
		return want, nil
	})
	if p != want || err != nil || started != 2 {
		t.Errorf("%v, %v after %d starts", p, err, started)
	}
	started = 0
	if _, err := retry(func() (*process, error) { started++; return nil, os.ErrPermission }); err == nil || started != 1 {
		t.Errorf("%v after %d starts", err, started)
	}
	started = 0
	if _, err := retry(func() (*process, error) { started++; return nil, errEnded }); err == nil || started != tries {
		t.Errorf("%v after %d starts", err, started)
	}
}

func TestFreePortIsFree(t *testing.T) {
	port, err := freePort()
	check(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	tcp, err := net.Listen("tcp", address)
	check(t, err)
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", address)
	check(t, err)
	udp.Close()
}
