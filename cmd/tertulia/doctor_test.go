//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/doctor"
)

func TestDoctorArguments(t *testing.T) {
	for _, c := range []struct {
		args     string
		want     doctorFlags
		settings string
	}{
		{"", doctorFlags{}, ""},
		{"--data d --json turn", doctorFlags{word: "turn", json: true}, "--data d"},
		{"turn --data=d", doctorFlags{word: "turn"}, "--data=d"},
		{"bundle --redact -o x.tar.gz --https-port 1", doctorFlags{word: "bundle", redact: true, out: "x.tar.gz"}, "--https-port 1"},
		{"--known-issues=f --call-page=all", doctorFlags{knownIssues: "f"}, "--call-page=all"},
		{"turn --url turn:a:1 --secret s", doctorFlags{word: "turn", turn: doctor.TURNServer{URL: "turn:a:1", Secret: "s"}}, ""},
		{"turn --url=turn:a?transport=tcp --username=u --credential=c=", doctorFlags{word: "turn", turn: doctor.TURNServer{URL: "turn:a?transport=tcp", Username: "u", Credential: "c="}}, ""},
		{"--data turn", doctorFlags{}, "--data turn"},
		{"-json", doctorFlags{json: true}, ""},
	} {
		got, settings, err := parseDoctor(strings.Fields(c.args))
		if err != nil || got != c.want || !slices.Equal(settings, strings.Fields(c.settings)) {
			t.Errorf("%s: %+v %q, %v", c.args, got, settings, err)
		}
	}
}

// TestCredentialsOfNoServer: other servers than the one that was meant would be tried, with other credentials.
func TestCredentialsOfNoServer(t *testing.T) {
	for _, args := range []string{"turn --secret s", "turn --username u --credential c", "--credential=c"} {
		if _, _, err := parseDoctor(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), "--url") {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// TestTheDoctorMakesNothing: no data folder, no secret that the first start would print.
func TestTheDoctorMakesNothing(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	code, out, errs := ended(t, program(t, nil, "doctor", "--json", "--data="+data, "--https-port=0", "--address-discovery=off", "--ntp-servers=127.0.0.1:1"))
	var report doctor.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Checks) != 12 || !strings.HasPrefix(report.Version, release) {
		t.Errorf("%v: %s%s", err, out, errs)
	}
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it made the data folder: %v", err)
	}
	if (code == 0) != (report.Verdict != doctor.Faulty) {
		t.Errorf("exit code %d with the verdict %s", code, report.Verdict)
	}
}

func TestWhereABundleGoes(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	args := []string{"bundle", "--data=" + dir, "--https-port=0", "--address-discovery=off", "--ntp-servers=127.0.0.1:1"}
	var out, errs bytes.Buffer
	if err := examine(args, &out, &errs); err != nil {
		t.Fatal(err, errs.String())
	}
	if made, _ := filepath.Glob(filepath.Join(dir, "tertulia-*.tar.gz")); len(made) != 1 || !strings.HasPrefix(out.String(), filepath.Base(made[0])) {
		t.Errorf("made %q, said %q", made, out.String())
	}
	out.Reset()
	if err := examine(append(args, "-o", "-"), &out, &errs); err != nil || !bytes.HasPrefix(out.Bytes(), []byte{0x1f, 0x8b}) {
		t.Errorf("standard output has %.10q, %v", out.String(), err)
	}
	if err := examine(append(args, "-o", "/nothing/here"), &out, &errs); err == nil || !strings.Contains(err.Error(), "-o /nothing/here") {
		t.Error(err)
	}
}
