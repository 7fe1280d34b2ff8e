package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretIsGeneratedOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	first, err := Load([]string{"--data", dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Secret) < 20 || !first.SecretGenerated {
		t.Errorf("secret of %d characters, generated %v", len(first.Secret), first.SecretGenerated)
	}
	stat, err := os.Stat(filepath.Join(dir, "secret"))
	if err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", stat.Mode(), err)
	}
	second, err := Load([]string{"--data", dir}, nil)
	if err != nil || second.Secret != first.Secret || second.SecretGenerated {
		t.Errorf("second start: same secret %v, generated %v, %v", second.Secret == first.Secret, second.SecretGenerated, err)
	}
	if second.CoturnSecret != first.CoturnSecret || strings.Contains(first.CoturnSecret, first.Secret) || first.CoturnSecret == "" {
		t.Error("the TURN key is not derived, or not stable")
	}
	set, err := Load([]string{"--data", dir}, []string{"OPENVIDU_SECRET=other"})
	if err != nil || set.Secret != "other" || set.CoturnSecret == first.CoturnSecret {
		t.Errorf("a secret that is set wins: %q, %v", set.Secret, err)
	}
}

func TestSpoiltSecretFile(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "secret"), []byte("not a\x00secret!"), 0o600)
	_, err := Load([]string{"--data", dir}, nil)
	if err == nil || !strings.Contains(err.Error(), "remove the file") || strings.Contains(err.Error(), "secret!") {
		t.Errorf("got %v", err)
	}
}

func TestDataFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	if _, err := Load([]string{"--data", filepath.Join(file, "data")}, nil); err == nil {
		t.Error("a data folder inside a file was accepted")
	}
}

func TestOwnCertificateMustExist(t *testing.T) {
	_, err := load(t, "CERTIFICATE_TYPE=owncert\n", nil)
	if err == nil || !strings.Contains(err.Error(), "/.env:1: CERTIFICATE_TYPE=owncert: ") || !strings.Contains(err.Error(), "certificate.key") {
		t.Errorf("got %v, want the place and the files named", err)
	}
	dir := folder(t, "CERTIFICATE_TYPE=owncert\n")
	os.Mkdir(filepath.Join(dir, "owncert"), 0o700)
	if _, err = Load([]string{"--data", dir}, nil); err == nil || !strings.Contains(err.Error(), "is empty → put the certificate") {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestInspectMakesNothing and knows what Load has made.
func TestInspectMakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	c, err := Inspect([]string{"--data", dir}, nil)
	if _, missing := os.Stat(dir); err != nil || c.Secret != "" || c.CoturnSecret != "" || !os.IsNotExist(missing) {
		t.Errorf("%+v, %v; the folder: %v", c, err, missing)
	}
	loaded, err := Load([]string{"--data", dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err = Inspect([]string{"--data", dir}, nil)
	if err != nil || c.Secret != loaded.Secret || c.CoturnSecret != loaded.CoturnSecret {
		t.Errorf("it does not know the kept secret: %v", err)
	}
	os.WriteFile(filepath.Join(dir, "secret"), []byte("not a\x00secret!"), 0o600)
	if _, err = Inspect([]string{"--data", dir}, nil); err == nil || !strings.Contains(err.Error(), "secret:1: ") {
		t.Errorf("a spoilt secret: %v", err)
	}
}

// TestInspectRefusesWhatLoadRefuses of files and folders, in the same words, and makes nothing.
func TestInspectRefusesWhatLoadRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		file, text string // what is there
		args       []string
		want       string
	}{
		"a data folder in a file":   {"file", "", []string{"--data=DIR/file/a/b"}, "--data=DIR/file/a/b: the data folder cannot be made: mkdir DIR/file: not a directory"},
		"a data folder in nothing":  {"file", "", []string{"--data=DIR/a/b"}, ""},
		"CDR files in a file":       {"data/file", "", []string{"--data=DIR/data", "--openvidu-cdr=true", "--openvidu-cdr-path=file/x"}, "no files can be made there: mkdir DIR/data/file: not a directory"},
		"CDR files in nothing":      {"data/file", "", []string{"--data=DIR/data", "--openvidu-cdr=true", "--openvidu-cdr-path=DIR/a/b"}, ""},
		"a spoilt cluster id":       {"data/cluster-id", "a/b", []string{"--data=DIR/data"}, "cluster-id:1: the file does not hold a cluster id"},
		"a kept cluster id":         {"data/cluster-id", "tea\n", []string{"--data=DIR/data"}, ""},
		"a secret that is a folder": {"data/secret/x", "", []string{"--data=DIR/data"}, "secret:1: the generated secret cannot be kept"},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, test.file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(test.text), 0o600)); err != nil {
			t.Fatal(err)
		}
		var args []string
		for _, arg := range test.args {
			args = append(args, strings.ReplaceAll(arg, "DIR", dir))
		}
		_, inspected := Inspect(args, nil)
		if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
			t.Errorf("%s: Inspect has made a folder", name)
		}
		_, loaded := Load(args, nil)
		want := strings.ReplaceAll(test.want, "DIR", dir)
		if fmt.Sprint(inspected) != fmt.Sprint(loaded) || (loaded == nil) != (want == "") || loaded != nil && !strings.Contains(loaded.Error(), want) {
			t.Errorf("%s: Inspect says %v, Load %v, want %q", name, inspected, loaded, want)
		}
	}
}

// TestInspectGoesOnWithDefaults where a setting is wrong, and keeps what is right.
func TestInspectGoesOnWithDefaults(t *testing.T) {
	dir := folder(t, "HTTPS_PORT=high\nDOMAIN_OR_PUBLIC_IP=a.example\n")
	c, err := Inspect([]string{"--data", dir}, nil)
	if err == nil || c.HTTPSPort != 4443 || c.Domain != "a.example" {
		t.Errorf("port %d, domain %q, %v", c.HTTPSPort, c.Domain, err)
	}
}

func TestValuesAndSecrets(t *testing.T) {
	c, err := load(t, "OPENVIDU_SECRET=s3cret\nOPENVIDU_WEBRTC_ICE_SERVERS=[\"url=turn:a,username=u1,credential=c1\"]\nLOG_LEVEL=warn\n"+
		"OPENVIDU_WEBHOOK_ENDPOINT=https://u2:p2@my.app/hook?token=t1&x=2\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"OPENVIDU_SECRET": "(hidden)", "LOG_LEVEL": "warn", "HTTPS_PORT": "4443", "COTURN_SHARED_SECRET_KEY": "", "COTURN_IP": "",
		"OPENVIDU_WEBHOOK_ENDPOINT": "https://(hidden)@my.app/hook?(hidden)",
	} {
		if got := c.Value(setting(t, name)); got != want {
			t.Errorf("%s is shown as %q, want %q", name, got, want)
		}
	}
	secrets := strings.Join(c.Secrets(), "\n")
	for _, want := range []string{"s3cret", c.CoturnSecret, "u1", "c1", "p2", "token=t1&x=2"} {
		if !strings.Contains(secrets, want) {
			t.Errorf("%s is no secret", want)
		}
	}
}

func TestPlace(t *testing.T) {
	c, err := load(t, "\nLOG_LEVEL=warn\n", []string{"LOG_FORMAT=json"}, "--https-port=0")
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{"LOG_LEVEL": c.Data + "/.env:2", "LOG_FORMAT": "environment", "HTTPS_PORT": "--https-port", "CALL_PAGE": ""} {
		if got := c.Place(setting); got != want {
			t.Errorf("%s comes from %q, want %q", setting, got, want)
		}
	}
}
