package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tertulia/internal/wire/openvidu"
)

// output is read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// eventually waits for a condition that another goroutine or process brings about.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(within); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// serving starts the program as users do, with a secret of its own making in the data folder.
func serving(t *testing.T) (url, data string) {
	t.Helper()
	data = t.TempDir()
	said := &output{}
	run := exec.Command(program(t), "serve", "--data", data, "--https-port=0", "--address-discovery=off", "--log-level=error")
	run.Stdout, run.Stderr = said, said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait()
		if t.Failed() {
			t.Logf("the server: %s", said)
		}
	})
	ready := regexp.MustCompile(`(?m)^ready (https://\S+)$`)
	eventually(t, 30*time.Second, "the server is ready", func() bool { return ready.MatchString(said.String()) })
	return ready.FindStringSubmatch(said.String())[1], data
}

// connections asks the server who is in a session.
func connections(t *testing.T, url, secret, session string) (list []openvidu.RESTConnection) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/openvidu/api/sessions/"+session+"/connection", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", secret)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Content []openvidu.RESTConnection }
	if response.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
	}
	return answer.Content
}

// Five bots are five connections for REST, each receives four streams within 3 s, and they leave when they are told to.
func TestFAQ_02a__BotsJoinASession(t *testing.T) {
	url, data := serving(t)
	told := &output{}
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	began := time.Now()
	args := []string{"join", "--session", "S", "--bots", "5", "--url", strings.Replace(url, "127.0.0.1", "localhost", 1), "--data", data}
	go func() { ended <- Command(ctx, "", args, told, told) }()
	eventually(t, 10*time.Second, "20 streams arrive", func() bool { return strings.Contains(told.String(), "5 bots  20 of 20 streams arrive") })
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("20 streams arrived after %v, want 3 s", took)
	}
	secret := secretOf(t, data)
	there := connections(t, url, secret, "S")
	if len(there) != 5 {
		t.Errorf("%d connections, want 5", len(there))
	}
	for _, c := range there {
		if len(c.Publishers) != 1 || len(c.Subscribers) != 4 || c.Status != "active" {
			t.Errorf("%s is %s, publishes %d and receives %d streams; want 1 and 4", c.ID, c.Status, len(c.Publishers), len(c.Subscribers))
		}
	}

	// Others come and go: they are received too, and forgotten.
	short := &output{}
	more := []string{"join", "--session=S", "--bots=2", "--url", url, "--secret", secret, "--for=4s"}
	if err := Command(t.Context(), "", more, short, short); err != nil {
		t.Errorf("two more: %v\n%s", err, short)
	}
	if !strings.Contains(short.String(), "2 bots  12 of 12 streams arrive") || !strings.Contains(told.String(), "5 bots  30 of 30 streams arrive") {
		t.Errorf("two more bots said\n%sthe five\n%s", short, told)
	}
	lines := strings.Count(told.String(), "\n")
	eventually(t, 10*time.Second, "the five forget the two", func() bool {
		rest := strings.SplitAfterN(told.String(), "\n", lines+1)
		return strings.Contains(rest[len(rest)-1], "5 bots  20 of 20 streams arrive")
	})
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("the bots ended with %v", err)
	}
	if left := connections(t, url, secret, "S"); len(left) != 0 {
		t.Errorf("%d connections are left", len(left))
	}
}

func secretOf(t *testing.T, data string) string {
	t.Helper()
	j, err := parseJoining([]string{"--session=S", "--data", data}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return j.secret
}

func TestBotsThatCannotJoin(t *testing.T) {
	url, data := serving(t)
	t.Setenv("OPENVIDU_SECRET", "")
	for want, args := range map[string][]string{
		"status 401":                     {"--session=S", "--url", url, "--secret=wrong"},
		"no secret: give --secret":       {"--session=S", "--url", url, "--data", filepath.Join(data, "none")},
		"is no name of a session":        {"--session=", "--url", url},
		"want 1 to 70":                   {"--session=S", "--bots=71"},
		"leave nothing to do":            {"--session=S", "--publish-only", "--watch-only"},
		`"x" is no flag`:                 {"--session=S", "x"},
		"is not https://HOST[:PORT]":     {"--session=S", "--secret=x", "--url=http://localhost"},
		"connection refused":             {"--session=S", "--secret=x", "--url=https://127.0.0.1:1"},
		"want a length of time":          {"--session=S", "--for=-1s"},
		flag.ErrHelp.Error():             {"--session", "--help"},
		"brought nothing in 5s: is UDP ": nil,
	} {
		var err error
		if args == nil {
			b := &bots{}
			err = b.verdict(tally{streams: 3, late: 1}, time.Minute)
		} else {
			err = Command(t.Context(), "", append([]string{"join"}, args...), io.Discard, io.Discard)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

func TestBotsThatOnlyPublishOrWatch(t *testing.T) {
	url, data := serving(t)
	run := func(args ...string) (string, error) {
		told := &output{}
		err := Command(t.Context(), "", append([]string{"join", "--session=S", "--url", url, "--data", data}, args...), told, told)
		return told.String(), err
	}
	for flag, want := range map[string]string{"--publish-only": "2 bots  0 of 0", "--watch-only": "2 bots  0 of 0"} {
		if told, err := run("--bots=2", "--for=1500ms", flag); err != nil || !strings.Contains(told, want) {
			t.Errorf("%s: %v\n%s", flag, err, told)
		}
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		if told, err := run("--bots=3", "--for=4s", "--publish-only"); err != nil {
			t.Errorf("%v\n%s", err, told)
		}
	})
	told, err := run("--bots=2", "--for=3s", "--watch-only")
	watching.Wait()
	if err != nil || !strings.Contains(told, fmt.Sprintf("2 bots  %d of %d streams arrive", 6, 6)) {
		t.Errorf("two watch three: %v\n%s", err, told)
	}
}
