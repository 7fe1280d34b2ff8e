package machine

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Spent is the CPU time of a process, its ended threads among it.
type Spent struct {
	Total time.Duration // exact: the process's CPU clock, in nanoseconds
	// User and System are what /proc/PID/stat says: the kernel scales them to the exact total, and prints hundredths of a
	// second. Good for the split over some seconds, not for small sums.
	User, System time.Duration
}

// Sub is what was spent since an earlier reading.
func (s Spent) Sub(earlier Spent) Spent {
	return Spent{s.Total - earlier.Total, s.User - earlier.User, s.System - earlier.System}
}

// Split divides the exact total as the coarse times do. Without a whole tick of either, all is called user.
func (s Spent) Split() (user, system time.Duration) {
	if ticks := s.User + s.System; ticks > 0 {
		system = time.Duration(float64(s.Total) * float64(s.System) / float64(ticks))
	}
	return s.Total - system, system
}

// SpentBy reads the clocks of a process.
//
// /proc/PID/schedstat would be the other exact source, but it knows one thread; the sum over the threads forgets those
// that have ended.
func SpentBy(pid int) (Spent, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(processClock(pid), &now); err != nil {
		return Spent{}, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	text, err := os.ReadFile(proc(pid, "stat"))
	if err != nil {
		return Spent{}, err
	}
	user, system, err := statTimes(text)
	return Spent{time.Duration(now.Nano()), user, system}, err
}

// processClock is the clock id of clock_getcpuclockid(3): the inverted pid above three bits, of which 2 means "scheduled
// time" and a clear third bit "the whole process".
func processClock(pid int) int32 { return int32(^pid)<<3 | 2 }

// tick is what /proc counts in: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// statTimes reads fields 14 and 15 of proc_pid_stat(5). The command's name is in parentheses and may hold anything.
func statTimes(stat []byte) (user, system time.Duration, err error) {
	end := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[end+1:])
	const utime, stime = 14 - 3, 15 - 3 // the state, field 3, is the first after the name
	if end < 0 || len(fields) <= stime {
		return 0, 0, fmt.Errorf("stat has %d fields after the name, want more than %d", len(fields), stime)
	}
	for field, into := range map[int]*time.Duration{utime: &user, stime: &system} {
		ticks, err := strconv.ParseInt(string(fields[field]), 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("stat: %w", err)
		}
		*into = time.Duration(ticks) * tick
	}
	return user, system, nil
}

// Busy is how long some CPUs have not been idle since the start of the machine, all of them together, in hundredths of a second:
// whoever it was, a hypervisor that gave them to others among them.
func Busy(cpus []int) (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return busyTimes(text, cpus)
}

// busyTimes reads the lines "cpuN user nice system idle iowait irq softirq steal …" of proc_stat(5).
func busyTimes(stat []byte, cpus []int) (busy time.Duration, err error) {
	for _, cpu := range cpus {
		line := after(stat, "cpu"+strconv.Itoa(cpu)+" ", "")
		fields := strings.Fields(line)
		const idle, iowait, steal = 3, 4, 7
		if len(fields) <= steal {
			return 0, fmt.Errorf("/proc/stat has %d times of CPU %d, want more than %d", len(fields), cpu, steal)
		}
		for i, field := range fields[:steal+1] {
			ticks, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("/proc/stat: %w", err)
			}
			if i != idle && i != iowait {
				busy += time.Duration(ticks) * tick
			}
		}
	}
	return busy, nil
}

// Resident is how much of the machine's memory a process holds, in bytes. It walks the page tables (smaps_rollup): what
// /proc/PID/status says is counted in batches per CPU and can be megabytes late.
func Resident(pid int) (int64, error) {
	text, err := os.ReadFile(proc(pid, "smaps_rollup"))
	if err != nil {
		return 0, err
	}
	return kibibytes(text, "Rss:")
}

// kibibytes finds the line "name   123 kB".
func kibibytes(text []byte, name string) (int64, error) {
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == name && string(fields[2]) == "kB" {
			n, err := strconv.ParseInt(string(fields[1]), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("no line %q", name)
}

func proc(pid int, file string) string { return "/proc/" + strconv.Itoa(pid) + "/" + file }
