package app

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"tertulia/internal/config"
	"tertulia/internal/fault"
)

// lock keeps a second process from the data folder: two owners of one store would undo each other. The kernel lets go
// of it when the process ends, however it ends.
func lock(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, readOnly(dir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.Wrap(fault.Invalid, err, "--data=%s: another tertulia uses this data folder → stop it, or name another one", dir)
		}
		return nil, fault.Wrap(fault.Invalid, err, "--data=%s: the data folder cannot be locked → move it to a local disk", dir)
	}
	return file, nil
}

// checkData wants the data folder, if it is there, to be writable.
func checkData(c config.Config) error {
	const write = 2 // W_OK of access(2)
	if err := syscall.Access(c.Data, write); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return readOnly(c.Data, err)
	}
	return nil
}

func readOnly(dir string, cause error) error {
	return fault.Wrap(fault.Invalid, cause, "--data=%s: the data folder cannot be written to → make it writable for this user, or name another one", dir)
}
