package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"syscall"

	"tertulia/internal/diagnosis"
)

// The store needs a few MB, its journal and what else fills the disk some more.
const (
	enoughDisk = 512 // MB
	megabyte   = 1_000_000
)

// checkDisk looks at the file system of the data folder, or of where it will be.
func checkDisk(_ context.Context, h *host) Check {
	folder := h.Config.Data
	var s syscall.Statfs_t
	err := syscall.Statfs(folder, &s)
	for errors.Is(err, fs.ErrNotExist) && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
		err = syscall.Statfs(folder, &s)
	}
	if err != nil {
		return unchecked(fmt.Sprintf("%s: %v", folder, err))
	}
	free, size := uint64(s.Bavail)*uint64(s.Bsize)/megabyte, uint64(s.Blocks)*uint64(s.Bsize)/megabyte //nolint:unconvert // they differ by system
	if free >= enoughDisk {
		return fine(fmt.Sprintf("%d MB free of %d MB at %s", free, size, folder))
	}
	return faulty(diagnosis.DiskLow, values{
		"free": strconv.FormatUint(free, 10), "size": strconv.FormatUint(size, 10), "folder": folder,
	})
}
