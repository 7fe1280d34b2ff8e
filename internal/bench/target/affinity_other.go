//go:build !linux

package target

import (
	"errors"
	"os/exec"
)

// startOn cannot pin here; bench is for Linux.
func startOn(command *exec.Cmd, cpus []int) error {
	if len(cpus) > 0 {
		return errors.New("pinning to CPUs needs Linux")
	}
	return command.Start()
}
