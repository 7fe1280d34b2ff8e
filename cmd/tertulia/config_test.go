package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tertulia/internal/config"
)

// configured runs `tertulia config` and returns what it printed, and how it ended.
func configured(args ...string) (string, error) {
	var out, errs bytes.Buffer
	err := dispatch(append([]string{"config"}, args...), &out, &errs)
	return out.String(), err
}

func TestConfigCommands(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	file := filepath.Join(t.TempDir(), "v2.env")
	const v2 = "OPENVIDU_SECRET=s3cret_s3cret_s3cret\nOPENVIDU_PRO_LICENSE=s3cret\nOPENVIDU_RECORDING=true\nMY_OWN=s3cret\nLOG_LEVEL=warn\n"
	if err := os.WriteFile(file, []byte(v2), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args  []string
		wants []string // in what is printed, or in the error; with ! not in it
		fails bool
	}{
		{args: []string{"import", file, "--data", data}, wants: []string{
			"OPENVIDU_SECRET            (hidden)  taken", "no licence is needed", "not built yet  needs recording", "MY_OWN                     (hidden)  unknown",
			"2 taken, 0 defaults, 2 added, 1 without effect, 1 not built yet, 1 unknown: written to " + data + "/.env",
		}},
		{args: []string{"import", file, "--data=" + data}, fails: true, wants: []string{"/.env: there is one already, and it stays → ", "--force"}},
		{args: []string{"import", filepath.Join(data, "none"), "--data=" + data}, fails: true, wants: []string{"none: cannot be read"}},
		{args: []string{"set", "LOG_LEVEL=info", "CERTIFICATE_TYPE=letsencrypt", "--data", data}, wants: []string{
			`LOG_LEVEL: "warn" → "info" (a running server takes it over)`, `CERTIFICATE_TYPE: "" → "letsencrypt" (needs a restart; calls go on over it)`,
		}},
		{args: []string{"set", "LOG_LEVEL=loud", "--data", data}, fails: true, wants: []string{"LOG_LEVEL=loud: unknown value"}},
		{args: []string{"set", "NOBODY=1", "--data", data}, fails: true, wants: []string{"NOBODY is not NAME=VALUE of a setting"}},
		{args: []string{"log", "--data", data}, wants: []string{"2  20", "1  20", "  cli ", `    LOG_LEVEL: "warn" → "info"`, "!MY_OWN"}},
		{args: []string{"undo", "--data", data}, wants: []string{`LOG_LEVEL: "info" → "warn"`, "version 3 is written"}},
		{args: []string{"check", "--data", data}, wants: []string{
			"warning: " + data + "/.env:3: OPENVIDU_RECORDING is not built yet", "LOG_LEVEL             warn            " + data + "/.env:5", "OPENVIDU_PRO_LICENSE  without effect  everything is in the one edition",
		}},
		{args: []string{"check", "--data", data, "--https-port=high"}, fails: true, wants: []string{"--https-port: HTTPS_PORT=high"}},
		{args: []string{"import"}, fails: true, wants: []string{"config import is not a command, or takes other arguments"}},
		{args: []string{"log", "stray"}, fails: true, wants: []string{"takes other arguments"}},
		{args: []string{"--data"}, fails: true, wants: []string{"--data has no value"}},
		{args: []string{"--help"}, fails: true},
	} {
		out, err := configured(step.args...)
		if (err != nil) != step.fails {
			t.Errorf("%q ended with %v", step.args, err)
		}
		if err != nil {
			out += err.Error()
		}
		out = strings.Join(strings.Fields(out), " ")
		for _, want := range step.wants {
			want, absent := strings.CutPrefix(want, "!")
			if strings.Contains(out, strings.Join(strings.Fields(want), " ")) == absent {
				t.Errorf("%q printed %q; is %q to be absent: %v", step.args, out, want, absent)
			}
		}
		if strings.Contains(out, "s3cret") {
			t.Errorf("%q prints a secret: %s", step.args, out)
		}
	}
	if err := os.WriteFile(filepath.Join(data, ".env"), []byte("OPENVIDU_SECRET=other_other_other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := configured("diff", "--data", data); err != nil || !strings.Contains(out, `OPENVIDU_SECRET: "(hidden)" → "(hidden)"`) || !strings.Contains(out, `HTTPS_PORT: "443" → ""`) || strings.Contains(out, "other_") {
		t.Errorf("diff: %s, %v", out, err)
	}
}

func TestTheLogsLevelCanBeSet(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, ".env"), []byte("OPENVIDU_SECRET=a_longer_secret_1\nLOG_LEVEL=error\nOPENVIDU_EDITION=pro\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c, err := config.Inspect([]string{"--data=" + data}, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := logger(c, &out)
	log.Warn("hidden")
	level, ok := log.Handler().(interface{ UnmarshalText([]byte) error })
	if !ok || level.UnmarshalText([]byte("warn")) != nil {
		t.Fatal("the log has no level that can be set")
	}
	log.With("a", 1).Warn("seen")
	if got := out.String(); strings.Contains(got, "hidden") || !strings.Contains(got, "seen") {
		t.Errorf("logged %q", got)
	}
}
