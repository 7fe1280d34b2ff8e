package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"tertulia/internal/app"
	"tertulia/internal/config"
)

func TestDispatch(t *testing.T) {
	for _, test := range []struct {
		args      []string
		out, errs string
		fails     string
	}{
		{args: []string{"version"}, out: "clients of OpenVidu 2 up to 2.32.1"},
		{args: []string{"config"}, out: "HTTPS_PORT"},
		{args: nil, errs: "Usage: tertulia COMMAND", fails: flag.ErrHelp.Error()},
		{args: []string{"--help"}, errs: "serve", fails: flag.ErrHelp.Error()},
		{args: []string{"serv"}, errs: "Usage", fails: `unknown command "serv"`},
		{args: []string{"bench", "--help"}, errs: "forward", fails: flag.ErrHelp.Error()},
		{args: []string{"bench", "forwards"}, errs: "Usage", fails: `bench: unknown scenario "forwards"`},
		{args: []string{"bench", "forward", "--viewers=0"}, fails: "bench forward: --viewers=0: want 1 to 5000"},
		{args: []string{"serve", "--https-port=high", "--data=" + t.TempDir()}, fails: "--https-port: HTTPS_PORT=high"},
		{args: []string{"doctor", "--help"}, errs: "--known-issues", fails: flag.ErrHelp.Error()},
		{args: []string{"doctor", "--https-prot=1"}, fails: "command line: flag provided but not defined: -https-prot → see --help"},
		{args: []string{"doctor", "--url"}, fails: "--url has no value"},
		{args: []string{"doctor", "stray"}, fails: `unexpected argument "stray"`},
		{args: []string{"serve", "--help"}, errs: "--https-port", fails: flag.ErrHelp.Error()},
	} {
		var out, errs bytes.Buffer
		err := dispatch(test.args, &out, &errs)
		if (err != nil) != (test.fails != "") || err != nil && !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%q ended with %v, want %q", test.args, err, test.fails)
		}
		if !strings.Contains(out.String(), test.out) || !strings.Contains(errs.String(), test.errs) {
			t.Errorf("%q printed %q and %q, want %q and %q in them", test.args, out.String(), errs.String(), test.out, test.errs)
		}
	}
}

func TestGreeting(t *testing.T) {
	var out bytes.Buffer
	greet(&out, config.Config{CallPage: "local", CertificateType: "selfsigned"}, "https://localhost:4443")
	lines := strings.Split(out.String(), "\n")
	if lines[0] != "ready https://localhost:4443" || len(lines) != 5 {
		t.Errorf("greeting %q: want the line for programs first, and three for people", lines)
	}
	out.Reset()
	greet(&out, config.Config{CallPage: "local", CertificateType: "owncert", Domain: "call.example", Edge: config.Edge{Routes: []config.Route{{Path: "/", Target: "/srv/app"}}}}, "https://call.example")
	if out.String() != "ready https://call.example\nYour application is there: /srv/app\n" {
		t.Errorf("greeting %q: want no call page where an application is", out.String())
	}
	out.Reset()
	greet(&out, config.Config{CallPage: "off", CertificateType: "owncert", Domain: "call.example"}, "https://call.example")
	if out.String() != "ready https://call.example\n" {
		t.Errorf("greeting %q: want no advice that is not needed", out.String())
	}
}

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	log := logger(config.Config{LogLevel: "warn", LogFormat: "json"}, &out)
	log.Info("hidden")
	log.Warn("seen", "session", "s")
	if got := out.String(); !strings.HasPrefix(got, "{") || strings.Contains(got, "hidden") || !strings.Contains(got, `"session":"s"`) {
		t.Errorf("logged %q", got)
	}
}

func TestOnlyCtrlCEndsCalls(t *testing.T) {
	if !errors.Is(causes[os.Interrupt], app.ErrEndCalls) || len(causes) != 1 {
		t.Errorf("causes %v: only SIGINT ends the calls (docs/adr/0001-signals.md)", causes)
	}
}
