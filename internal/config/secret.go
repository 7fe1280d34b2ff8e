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

// certificate finds the files of CERTIFICATE_TYPE=owncert.
func (c *Config) certificate(origin string) []error {
	if c.CertificateType != "owncert" {
		return nil
	}
	c.CertificateFile = filepath.Join(c.Data, "owncert", "certificate.cert")
	c.KeyFile = filepath.Join(c.Data, "owncert", "certificate.key")
	var errs []error
	for _, file := range []string{c.CertificateFile, c.KeyFile} {
		if f, err := os.Open(file); err != nil {
			errs = append(errs, fault.Wrap(fault.Invalid, err, "%s: CERTIFICATE_TYPE=owncert needs %s: put the PEM file there, or use selfsigned", origin, file))
		} else {
			f.Close()
		}
	}
	return errs
}

// secrets makes the data folder and fills in the secrets nobody set.
func (c *Config) secrets() error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fault.Wrap(fault.Invalid, err, "--data=%s: the data folder cannot be made: name another one", c.Data)
	}
	if c.Secret == "" {
		if err := c.keptSecret(filepath.Join(c.Data, "secret")); err != nil {
			return err
		}
	}
	if c.CoturnSecret == "" {
		mac := hmac.New(sha256.New, []byte(c.Secret))
		mac.Write([]byte("COTURN_SHARED_SECRET_KEY"))
		c.CoturnSecret = hex.EncodeToString(mac.Sum(nil))
	}
	return nil
}

// keptSecret reads the generated secret, or generates it.
func (c *Config) keptSecret(file string) error {
	kept, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		kept = []byte(rand.Text())
		c.SecretGenerated = true
		err = writeSecret(file, kept)
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the generated secret cannot be kept: set OPENVIDU_SECRET, or make %s readable", file)
	}
	for _, s := range settings {
		if s.Name == "OPENVIDU_SECRET" && s.set(c, strings.TrimSpace(string(kept))) != nil {
			return fault.New(fault.Invalid, "%s: does not hold a secret (%s): remove the file to have one generated", file, s.want)
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
