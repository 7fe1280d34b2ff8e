package config

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tertulia/internal/fault"
)

// certificate wants something in the folder of CERTIFICATE_TYPE=owncert; package certs reads it.
func (c *Config) certificate() []error {
	if c.CertificateType != "owncert" {
		return nil
	}
	place, folder := c.Place("CERTIFICATE_TYPE"), filepath.Join(c.Data, "owncert")
	const remedy = "put the certificate and its key there as PEM files, certificate.cert and certificate.key, or use selfsigned"
	found, err := os.ReadDir(folder)
	switch {
	case err != nil:
		return []error{fault.Wrap(fault.Invalid, err, "%s: CERTIFICATE_TYPE=owncert: its folder cannot be read → %s", place, remedy)}
	case len(found) == 0:
		return []error{fault.New(fault.Invalid, "%s: CERTIFICATE_TYPE=owncert: %s is empty → %s", place, folder, remedy)}
	}
	return nil
}

// secrets makes the data folder and fills in the secrets nobody set.
func (c *Config) secrets() error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fault.Wrap(fault.Invalid, err, "--data=%s: the data folder cannot be made → name another one", c.Data)
	}
	if c.Secret == "" {
		if err := c.keptSecret(); err != nil {
			return err
		}
	}
	c.deriveCoturn()
	return nil
}

func (c *Config) deriveCoturn() {
	if c.CoturnSecret == "" {
		mac := hmac.New(sha256.New, []byte(c.Secret))
		mac.Write([]byte("COTURN_SHARED_SECRET_KEY"))
		c.CoturnSecret = hex.EncodeToString(mac.Sum(nil))
	}
}

// secretFile holds the generated secret.
func (c *Config) secretFile() string { return filepath.Join(c.Data, "secret") }

// keptSecret reads the generated secret, or generates it.
func (c *Config) keptSecret() error {
	kept, err := os.ReadFile(c.secretFile())
	if errors.Is(err, fs.ErrNotExist) {
		kept = []byte(rand.Text())
		c.SecretGenerated = true
		err = writeSecret(c.secretFile(), kept)
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "%s:1: the generated secret cannot be kept → set OPENVIDU_SECRET, or make the file readable and its folder writable", c.secretFile())
	}
	return c.take(kept)
}

// take checks a secret that was read.
func (c *Config) take(kept []byte) error {
	for _, s := range settings {
		if s.Name == "OPENVIDU_SECRET" && s.set(c, strings.TrimSpace(string(kept))) != nil {
			return fault.New(fault.Invalid, "%s:1: the file does not hold a secret (%s) → remove the file to have one generated", c.secretFile(), s.want)
		}
	}
	return nil
}

// writeSecret writes beside the file and renames, so that it is whole or absent.
func writeSecret(file string, secret []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(append(secret, '\n'))
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}
