package config

import (
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
	os.WriteFile(filepath.Join(dir, "secret"), []byte("not a secret!"), 0o600)
	_, err := Load([]string{"--data", dir}, nil)
	if err == nil || !strings.Contains(err.Error(), "remove the file") || strings.Contains(err.Error(), "not a secret!") {
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
	if err == nil || !strings.Contains(err.Error(), "certificate.cert") || !strings.Contains(err.Error(), "certificate.key") {
		t.Errorf("got %v, want both files named", err)
	}
}
