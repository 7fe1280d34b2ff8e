package target

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPinningHoldsForTheChildOnly(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.CPUSet
	check(t, unix.SchedGetaffinity(0, &before))
	p := shell(t, []int{0}, "exec sleep 1000")
	defer p.stop()
	if allowed := allowedCPUs(t, p.pid()); allowed != "0" {
		t.Errorf("the child may run on %s", allowed)
	}
	check(t, unix.SchedGetaffinity(0, &after))
	if after != before {
		t.Errorf("our thread may run on %v, before on %v", after, before)
	}
	if _, err := launch("/bin/sh", []int{1000}, func(string) ([]string, error) { return nil, nil }); err == nil {
		t.Error("pinned to a CPU that is not there")
	}
}
