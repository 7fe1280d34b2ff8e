package machine

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mostCPUs bounds what a list may name: the width of the kernel's mask as x/sys has it.
const mostCPUs = 1024

// CPUs are those this process may use, ascending.
func CPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("sched_getaffinity: %w", err)
	}
	var cpus []int
	for cpu := range mostCPUs {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// ParseCPUs reads a list as taskset(1) has it: "0", "0,2", "0-3". The result is ascending, without doubles.
func ParseCPUs(list string) ([]int, error) {
	var cpus []int
	for part := range strings.SplitSeq(list, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		from, err1 := strconv.ParseUint(low, 10, 16)
		to, err2 := strconv.ParseUint(high, 10, 16)
		if err := errors.Join(err1, err2); err != nil || from > to || to >= mostCPUs {
			return nil, fmt.Errorf("CPU list %q: want numbers and ranges below %d, as in 0,2-3", list, mostCPUs)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, int(cpu))
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}

// Pin keeps this process on some CPUs: every thread it has, those it will have, and as many running goroutines as there are CPUs.
// What it gives back lifts the pin.
func Pin(cpus []int) (lift func() error, err error) {
	before, err := CPUs()
	if err != nil {
		return nil, err
	}
	procs := runtime.GOMAXPROCS(len(cpus))
	restore := func() error {
		runtime.GOMAXPROCS(procs)
		return setAffinity(before)
	}
	if err := setAffinity(cpus); err != nil {
		return nil, errors.Join(err, restore())
	}
	return restore, nil
}

// setAffinity visits the threads until it finds no new one: a thread made meanwhile has the mask of its maker.
func setAffinity(cpus []int) error {
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	done := map[string]bool{}
	for {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		fresh := 0
		for _, thread := range threads {
			if done[thread.Name()] {
				continue
			}
			done[thread.Name()] = true
			fresh++
			id, err := strconv.Atoi(thread.Name())
			if err != nil {
				return err
			}
			if err := unix.SchedSetaffinity(id, &set); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("sched_setaffinity to %v: %w", cpus, err)
			}
		}
		if fresh == 0 {
			return nil
		}
	}
}

// RaiseFileLimit lets this process and its children open as many files as the hard limit has it, and says how many that is.
// Asking for more than the hard limit is tried first: root may.
func RaiseFileLimit(want uint64) (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("getrlimit: %w", err)
	}
	if limit.Cur >= want {
		return limit.Cur, nil
	}
	raised := unix.Rlimit{Cur: want, Max: max(want, limit.Max)}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
		return want, nil
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("setrlimit: %w", err)
	}
	return limit.Cur, nil
}
