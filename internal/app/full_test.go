package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"tertulia/internal/testkit"
)

// alone runs the rest of a test in a process whose mounts are its own.
func alone(t *testing.T) bool {
	t.Helper()
	const inside = "TERTULIA_TEST_MOUNTS"
	if os.Getenv(inside) != "" {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	again.Env = append(os.Environ(), inside+"=yes")
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 { // whoever is not root is it in a namespace of users
		again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		again.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	again.Stdout, again.Stderr = t.Output(), t.Output()
	if err := again.Run(); err != nil {
		t.Fatal(err)
	}
	return false
}

// small mounts a file system of a few MB.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill leaves so many bytes of the disk free.
func fill(t *testing.T, dir string, free int) {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "filler"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, int(s.Bavail)*int(s.Bsize)-free)); err != nil {
		t.Fatal(err)
	}
}

// state is what health says, whatever its status.
func (r running) state() map[string]any {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+"/openvidu/api/health", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", "MY_SECRET")
	response, err := insecure.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	health := map[string]any{}
	if err := json.NewDecoder(response.Body).Decode(&health); err != nil {
		r.t.Fatal(err)
	}
	return health
}

// health waits until a check of that name has a code.
func (r running) health(name, code string) map[string]any {
	r.t.Helper()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for until := time.Now().Add(20 * time.Second); ; <-pause.C {
		health := r.state()
		for _, item := range health["checks"].([]any) {
			check := item.(map[string]any)
			if got, _ := check["code"].(string); check["name"] == name && got == code {
				return check
			}
		}
		if time.Now().After(until) {
			r.t.Fatalf("no check %s with %q: %v", name, code, health)
		}
	}
}

// told waits until applications can read that a session's stream was published.
func (r running) told(session string) {
	r.t.Helper()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for until := time.Now().Add(30 * time.Second); ; <-pause.C {
		for _, item := range r.rest("GET", "/openvidu/api/events?after=0", "", http.StatusOK)["content"].([]any) {
			e := item.(map[string]any)["event"].(map[string]any)
			if e["event"] == "webrtcConnectionCreated" && e["sessionId"] == session {
				return
			}
		}
		if time.Now().After(until) {
			r.t.Fatalf("nobody is told of the stream in %s", session)
		}
	}
}

func TestFAQ_18__FullDisk(t *testing.T) {
	if !alone(t) {
		return
	}
	dir := small(t)
	r := start(t, dir, "0")
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	r.health("disk", "")
	fill(t, dir, 0)
	if check := r.health("disk", "DISK_LOW"); check["ok"] != false || check["fix"] == "" {
		t.Errorf("the check is %v", check)
	}
	for i := range 5 {
		began := time.Now()
		id := fmt.Sprintf("full%d", i)
		r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"`+id+`"}`, http.StatusOK)
		ann, _ := r.join(t.Context(), id)
		camera := testkit.NewClient(t, testkit.ClientConfig{})
		text(t, ann.ask(t.Context(), "publishVideo", published(camera.PublishOffer(testkit.VP8))), "sdpAnswer")
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("a session took %v", took)
		}
	}
	r.health("store", "STORE_IN_MEMORY")
	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	r.health("disk", "")
	r.health("store", "")
	r.told("full4")
	fill(t, dir, 0)
	if err := r.stop(nil); err != nil {
		t.Errorf("the end: %v", err)
	}
	began := time.Now()
	again := start(t, dir, "0")
	t.Logf("booted on a full disk in %v", time.Since(began))
	for i := range 5 {
		again.rest("GET", fmt.Sprintf("/openvidu/api/sessions/full%d", i), "", http.StatusOK)
	}
	again.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"booted"}`, http.StatusOK)
	again.join(t.Context(), "booted")
	again.health("disk", "DISK_LOW")
}
