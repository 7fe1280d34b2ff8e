package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tertulia/internal/config"
)

func liveOf(t *testing.T, dotenv string, log *slog.Logger) *live {
	t.Helper()
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, ".env"), []byte(dotenv), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load([]string{"--data=" + data}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLive(c, log)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestAPartIsRunAnew when one of its settings changes, and only then.
func TestAPartIsRunAnew(t *testing.T) {
	l := liveOf(t, "OPENVIDU_SECRET=a longer secret 1\n", slog.New(slog.DiscardHandler))
	running, _ := newParts(t.Context())
	runs := make(chan int)
	l.again(running, "part", func(c config.Config) func(context.Context) error {
		if c.NetworkQuality == 0 {
			return nil
		}
		return func(ctx context.Context) error {
			runs <- c.NetworkQuality
			<-ctx.Done()
			return ctx.Err()
		}
	}, "OPENVIDU_PRO_NETWORK_QUALITY", "OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL")
	change := func(values map[string]any) {
		t.Helper()
		if err := l.restart(t.Context(), "me", values); err != nil {
			t.Fatal(err)
		}
	}
	change(map[string]any{"OPENVIDU_PRO_NETWORK_QUALITY": true})
	if got := <-runs; got != 5 {
		t.Errorf("it runs with %d", got)
	}
	change(map[string]any{"CALL_PAGE": "off"}) // a run of it would block the next change
	change(map[string]any{"OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL": 7.0})
	if got := <-runs; got != 7 {
		t.Errorf("it runs with %d, want it to run once for each change", got)
	}
	change(map[string]any{"OPENVIDU_PRO_NETWORK_QUALITY": false})
	if err := running.stop(); err != nil {
		t.Error(err)
	}
}

// TestAPartThatRefuses has those before it go back, and nothing is written.
func TestAPartThatRefuses(t *testing.T) {
	l := liveOf(t, "OPENVIDU_SECRET=a longer secret 1\n", slog.New(slog.DiscardHandler))
	var pages []string
	l.adopt(func(c config.Config) error { pages = append(pages, c.CallPage); return nil })
	l.adopt(func(c config.Config) error {
		if c.CallPage == "all" {
			return errors.New("no room for all")
		}
		return nil
	})
	err := l.restart(t.Context(), "me", map[string]any{"CALL_PAGE": "all"})
	if err == nil || !strings.Contains(err.Error(), "no room for all") || strings.Join(pages, " ") != "all local" || l.config().CallPage != "local" {
		t.Errorf("%v; the first part had %q, in force is %q", err, pages, l.config().CallPage)
	}
	if c := l.config(); config.Latest(c.Data).Number != 1 {
		t.Error("a refused change is a version")
	}
	if text, _ := os.ReadFile(filepath.Join(l.config().Data, ".env")); string(text) != "OPENVIDU_SECRET=a longer secret 1\n" {
		t.Errorf(".env is %q", text)
	}
}

// TestTheLevelOfTheLogIsLive, and what is logged of a change shows no secret.
func TestTheLevelOfTheLogIsLive(t *testing.T) {
	var out bytes.Buffer
	level := new(slog.LevelVar)
	level.Set(slog.LevelError)
	log := slog.New(struct {
		slog.Handler
		*slog.LevelVar
	}{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}), level})
	l := liveOf(t, "OPENVIDU_SECRET=a longer secret 1\nLOG_LEVEL=error\n", log)
	l.adopt(setLevel(log))
	if err := l.restart(t.Context(), "me", map[string]any{"LOG_LEVEL": "info", "OPENVIDU_SECRET": "a longer secret 2"}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "settings changed") || !strings.Contains(got, "LOG_LEVEL") || strings.Contains(got, "longer") {
		t.Errorf("logged %q", got)
	}
}

// TestAComment is no drift.
func TestAComment(t *testing.T) {
	l := liveOf(t, "OPENVIDU_SECRET=a longer secret 1\n", slog.New(slog.DiscardHandler))
	data := l.config().Data
	if err := config.WriteFile(data, []byte("# mine\nOPENVIDU_SECRET=a longer secret 1\n")); err != nil {
		t.Fatal(err)
	}
	if l.look(); l.check().Code != "" || !l.check().OK {
		t.Errorf("%+v", l.check())
	}
	if err := config.WriteFile(data, []byte("OPENVIDU_SECRET=a longer secret 1\nnonsense\n")); err != nil {
		t.Fatal(err)
	}
	if l.look(); l.check().Code != "CONFIG_DRIFT" || !l.check().OK || !strings.Contains(l.check().Text, ".env:2: there is no =") {
		t.Errorf("%+v", l.check())
	}
	if err := os.Remove(filepath.Join(data, ".env")); err != nil {
		t.Fatal(err)
	}
	if l.look(); !strings.Contains(l.check().Text, "OPENVIDU_SECRET is not set any more") {
		t.Errorf("without the file: %+v", l.check())
	}
}

// TestAChangeAnswersForItself: what is wrong already, as a folder that is just being replaced, keeps no change from being made;
// a change that was refused for such a thing is made once it is mended.
func TestAChangeAnswersForItself(t *testing.T) {
	folder := t.TempDir()
	old, site := filepath.Join(folder, "old"), filepath.Join(folder, "site")
	dotenv := `OPENVIDU_SECRET=a longer secret 1` + "\n" + `EXTRA_ROUTES=["/old=` + old + `"]` + "\n"
	l := liveOf(t, dotenv, slog.New(slog.DiscardHandler))
	l.look()
	if err := l.restart(t.Context(), "me", map[string]any{"CALL_PAGE": "off"}); err != nil {
		t.Errorf("a change of something else: %v", err)
	}
	if err := l.restart(t.Context(), "me", map[string]any{"HTTPS_CIPHERS": "NONE"}); err == nil || strings.Contains(err.Error(), old) || !strings.Contains(err.Error(), "HTTPS_CIPHERS") {
		t.Errorf("a change that is wrong: %v", err)
	}
	if _, err := config.Set(l.config().Data, "me", map[string]string{"EXTRA_ROUTES": `["/=` + site + `"]`}); err != nil {
		t.Fatal(err)
	}
	l.look()
	if got := l.config().Edge.Routes[0].Target; got != old || l.check().Code == "" {
		t.Errorf("%q is shown, %+v", got, l.check())
	}
	if err := os.Mkdir(site, 0o755); err != nil {
		t.Fatal(err)
	}
	l.look()
	if got := l.config().Edge.Routes[0].Target; got != site || l.check().Code != "" {
		t.Errorf("once it is there: %q is shown, %+v", got, l.check())
	}
}
