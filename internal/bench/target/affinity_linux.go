package target

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// startOn starts a command that may run on these CPUs only, from its first instruction on: a child has the affinity of the
// thread that forks it. None means all. The child dies with this process.
func startOn(command *exec.Cmd, cpus []int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if len(cpus) == 0 {
		return command.Start()
	}
	var before, pinned unix.CPUSet
	for _, cpu := range cpus {
		pinned.Set(cpu)
	}
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("affinity: %w", err)
	}
	if err := unix.SchedSetaffinity(0, &pinned); err != nil {
		return fmt.Errorf("pin to CPUs %v: %w", cpus, err)
	}
	err := command.Start()
	if back := unix.SchedSetaffinity(0, &before); back != nil {
		runtime.LockOSThread() // one lock stays: a thread that is still pinned ends with its goroutine
	}
	return err
}
