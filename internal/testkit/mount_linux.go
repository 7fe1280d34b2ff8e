package testkit

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// OwnMounts runs a test in a process whose mounts are its own: it is true there, and false in the test that only waits.
func OwnMounts(t *testing.T) bool {
	t.Helper()
	const inside = "TERTULIA_TEST_MOUNTS"
	if os.Getenv(inside) != "" {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	again.Env = append(os.Environ(), inside+"=yes")
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 { // whoever is not root is it in a namespace of users
		again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		again.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	again.Stdout, again.Stderr = t.Output(), t.Output()
	if err := again.Run(); err != nil {
		t.Fatal(err)
	}
	return false
}

// SmallDisk mounts a file system of a size such as "16m", in a test with OwnMounts, and returns its folder.
func SmallDisk(t *testing.T, size string) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
	return folder
}

// FillDisk writes a file that leaves nothing of a disk free, or next to nothing, and returns its path.
func FillDisk(t *testing.T, folder string) string {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		t.Fatal(err)
	}
	file, err := os.CreateTemp(folder, "filler-*")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(make([]byte, int64(s.Bavail)*s.Bsize)); err != nil && !errors.Is(err, syscall.ENOSPC) { // a program may have written meanwhile
		t.Fatal(err)
	}
	return file.Name()
}
