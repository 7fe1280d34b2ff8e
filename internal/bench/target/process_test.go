package target

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
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
	err := p.ready(t.Context(), func(context.Context) error { return errors.New("refused") })
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
	err := p.ready(ctx, func(context.Context) error { cancel(); return errors.New("refused") })
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("ready: %v", err)
	}
	<-p.done // ready has stopped it
}

func TestStopEndsTheProcessAndItsFolder(t *testing.T) {
	p := shell(t, nil, "echo left > behind; exec sleep 1000")
	err := p.ready(t.Context(), func(context.Context) error {
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

func TestPinningHoldsForTheChildOnly(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.CPUSet
	check(t, unix.SchedGetaffinity(0, &before))
	p := shell(t, []int{0}, "exec sleep 1000")
	defer p.stop()
	if allowed := allowedCPUs(t, p.pid()); allowed != "0" {
		t.Errorf("the child may run on %s", allowed)
	}
	check(t, unix.SchedGetaffinity(0, &after))
	if after != before {
		t.Errorf("our thread may run on %v, before on %v", after, before)
	}
	if _, err := launch("/bin/sh", []int{1000}, func(string) ([]string, error) { return nil, nil }); err == nil {
		t.Error("pinned to a CPU that is not there")
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
