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
	"slices"
	"strings"
	"syscall"

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

// secrets makes the data folder and fills in the secrets nobody set. With looking it makes nothing, refuses the same, and
// leaves empty what is not there yet.
func (c *Config) secrets(looking bool) error {
	data, try := makeData, writable
	if looking {
		data, try = wantData, creatable
	}
	if err := data(c.Data); err != nil {
		return fault.Wrap(fault.Invalid, err, "--data=%s: the data folder cannot be made → name another one", c.Data)
	}
	if c.Secret == "" {
		if err := c.keptSecret(looking); err != nil {
			return err
		}
	}
	deriveCoturn(c)
	if c.CDR.Path != "" {
		if err := try(c.CDR.Path); err != nil {
			return fault.Wrap(fault.Invalid, err, "%s: OPENVIDU_CDR_PATH=%s: no files can be made there → name another folder, or let this user write to it", c.Place("OPENVIDU_CDR_PATH"), c.CDR.Path)
		}
	}
	return c.clusterID(looking)
}

func makeData(folder string) error { return os.MkdirAll(folder, 0o700) }

// wantData is makeData without making it. That a folder which is there can be written to is not its business either.
func wantData(folder string) error {
	if stat, err := os.Stat(folder); err == nil && stat.IsDir() {
		return nil
	}
	return creatable(folder)
}

// clusterID reads the generated id of this deployment, or generates it.
func (c *Config) clusterID(looking bool) error {
	if c.Elastic.ClusterID != "" {
		return nil
	}
	file := filepath.Join(c.Data, "cluster-id")
	kept, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if looking {
			return nil
		}
		kept = []byte("tertulia-" + strings.ToLower(rand.Text()[:12]))
		err = writeSecret(file, kept)
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "%s:1: the generated cluster id cannot be kept → set OPENVIDU_PRO_CLUSTER_ID, or make the file readable and its folder writable", file)
	}
	if known("OPENVIDU_PRO_CLUSTER_ID").set(c, strings.TrimSpace(string(kept))) != nil {
		return fault.New(fault.Invalid, "%s:1: the file does not hold a cluster id → remove the file to have one generated", file)
	}
	return nil
}

// writable makes a folder if it is missing and tries it.
func writable(folder string) error {
	if err := makeFolder(folder, 0o750); err != nil {
		return err
	}
	probe, err := os.CreateTemp(folder, ".probe-*")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// creatable says what keeps a folder from being written to, or from being made, and makes nothing.
func creatable(folder string) error {
	const writeAndSearch = 3 // W_OK|X_OK of access(2)
	folder = filepath.Clean(folder)
	for path, missing := folder, folder; ; path, missing = filepath.Dir(path), path {
		stat, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
			continue // the root is there
		case err != nil:
			return err
		case !stat.IsDir():
			return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
		}
		if err := syscall.Access(path, writeAndSearch); err != nil {
			return &fs.PathError{Op: "mkdir", Path: missing, Err: err}
		}
		return nil
	}
}

// deriveCoturn makes the key nobody set of the secret, if there is one.
func deriveCoturn(c *Config) {
	if c.CoturnSecret == "" && c.Secret != "" {
		c.CoturnSecret = coturnSecret(c.Secret)
	}
}

// OldCoturnSecrets are what TURN credentials were made from while the secrets of OPENVIDU_SECRET_PREVIOUS were in force.
func (c *Config) OldCoturnSecrets() (list []string) {
	if c.given["COTURN_SHARED_SECRET_KEY"].value == "" {
		for _, old := range c.OldSecrets {
			list = append(list, coturnSecret(old))
		}
	}
	return list
}

func coturnSecret(secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("COTURN_SHARED_SECRET_KEY"))
	return hex.EncodeToString(mac.Sum(nil))
}

// secretFile holds the generated secret.
func (c *Config) secretFile() string { return filepath.Join(c.Data, "secret") }

// keptSecret reads the generated secret, or generates it.
func (c *Config) keptSecret(looking bool) error {
	kept, err := os.ReadFile(c.secretFile())
	if errors.Is(err, fs.ErrNotExist) {
		if looking {
			return nil
		}
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
	s := known("OPENVIDU_SECRET")
	if err := s.set(c, strings.TrimSpace(string(kept))); err != nil || c.Secret == "" {
		return fault.New(fault.Invalid, "%s:1: the file does not hold a secret (%s) → remove the file to have one generated", c.secretFile(), s.want)
	}
	return nil
}

// writeSecret keeps one line.
func writeSecret(file string, secret []byte) error {
	return replace(file, append(slices.Clone(secret), '\n'))
}

// replace writes beside the file and renames, so that it is whole or as it was. Only its owner may read it, and its group
// if that might before: root, who runs `tertulia config`, takes it from nobody.
func replace(file string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	if err := keepOwner(temporary, file); err != nil {
		return errors.Join(err, temporary.Close())
	}
	_, err = temporary.Write(content)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}

// keepOwner gives a new file the owner, and what the group may read, of the one it replaces; else the folder's owner.
func keepOwner(file *os.File, old string) error {
	stat, err := os.Stat(old)
	if err != nil {
		if stat, err = os.Stat(filepath.Dir(old)); err != nil {
			return err
		}
	} else if err := file.Chmod(0o600 | stat.Mode().Perm()&0o040); err != nil {
		return err
	}
	return giveTo(stat, file.Name())
}

// giveTo makes the owner of one file that of another, if we are root.
func giveTo(owner fs.FileInfo, name string) error {
	system, ok := owner.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return os.Lchown(name, int(system.Uid), int(system.Gid))
}

// makeFolder makes a folder for its parent's owner, unless it is there.
func makeFolder(name string, mode fs.FileMode) error {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	if err := os.MkdirAll(name, mode); err != nil {
		return err
	}
	parent, err := os.Stat(filepath.Dir(name))
	if err != nil {
		return err
	}
	return giveTo(parent, name)
}
