package machine

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestStatTimes(t *testing.T) {
	const stat = "4711 (a) name (b)) S 1 4711 4711 0 -1 4194560 900 0 3 0 250 125 7 9 20 0 8 0 12345 1000000 2000\n"
	user, system, err := statTimes([]byte(stat))
	if err != nil || user != 2500*time.Millisecond || system != 1250*time.Millisecond {
		t.Errorf("user %v, system %v, %v", user, system, err)
	}
	for _, bad := range []string{"", "4711 (name", "4711 (name) S 1 2", strings.Replace(stat, "125", "x", 1)} {
		if _, _, err := statTimes([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestSplitKeepsTheTotal(t *testing.T) {
	user, system := Spent{Total: 1003 * time.Millisecond, User: 250 * time.Millisecond, System: 750 * time.Millisecond}.Split()
	if user+system != 1003*time.Millisecond || system < 752*time.Millisecond || system > 753*time.Millisecond {
		t.Errorf("user %v, system %v", user, system)
	}
	if user, system = (Spent{Total: time.Millisecond}).Split(); user != time.Millisecond || system != 0 {
		t.Errorf("without ticks: user %v, system %v", user, system)
	}
	if got := (Spent{5, 3, 2}).Sub(Spent{4, 1, 1}); got != (Spent{1, 2, 1}) {
		t.Errorf("difference %v", got)
	}
}

func TestSpentBySelfGrows(t *testing.T) {
	before, err := SpentBy(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var spent Spent
	for spent.Total < 20*time.Millisecond { // burns until the clock says so: a clock that stands still is a test that hangs
		now, err := SpentBy(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		spent = now.Sub(before)
	}
	if spent.User+spent.System > spent.Total+2*tick {
		t.Errorf("user %v and system %v exceed the total %v", spent.User, spent.System, spent.Total)
	}
	if _, err := SpentBy(1 << 24); err == nil {
		t.Error("a process that is not there has a clock")
	}
}

func TestBusyTimes(t *testing.T) {
	const stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 20 30 4000 500 6 7 8 0 0\ncpu1 1 0 0 9000 0 0 0 0 0 0\ncpu10 5 5 5 5 5 5 5 5 0 0\nintr 1\n"
	for want, cpus := range map[time.Duration][]int{
		1710 * time.Millisecond: {0}, 10 * time.Millisecond: {1}, 1720 * time.Millisecond: {0, 1}, 300 * time.Millisecond: {10}, 0: nil,
	} {
		if got, err := busyTimes([]byte(stat), cpus); got != want || err != nil {
			t.Errorf("CPUs %v were busy for %v, want %v, %v", cpus, got, want, err)
		}
	}
	for _, bad := range []string{"", "cpu0 1 2 3\n", "cpu0 1 2 x 4 5 6 7 8\n"} {
		if _, err := busyTimes([]byte(bad), []int{0}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	cpus, err := CPUs()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Busy(cpus); got <= 0 || err != nil {
		t.Errorf("all CPUs were busy for %v, %v", got, err)
	}
}

func TestResident(t *testing.T) {
	got, err := Resident(os.Getpid())
	if err != nil || got < 1<<20 || got > 1<<40 {
		t.Errorf("%d bytes, %v", got, err)
	}
	if n, err := kibibytes([]byte("Pss: 1 kB\nRss:      12 kB\n"), "Rss:"); n != 12<<10 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := kibibytes([]byte("Rss: many kB\nRss 1\n"), "Rss:"); err == nil {
		t.Error("no number was taken for one")
	}
}

func TestParseCPUs(t *testing.T) {
	for list, want := range map[string][]int{"0": {0}, "3,1": {1, 3}, "0-2,2": {0, 1, 2}} {
		if got, err := ParseCPUs(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %v, %v, want %v", list, got, err, want)
		}
	}
	for _, bad := range []string{"", "a", "-1", "2-1", "1,", "0-99999", "1024"} {
		if got, err := ParseCPUs(bad); err == nil {
			t.Errorf("%q is %v, want an error", bad, got)
		}
	}
}

func TestPinTakesEveryThread(t *testing.T) {
	before, err := CPUs()
	if err != nil || len(before) == 0 {
		t.Fatal(before, err)
	}
	procs := runtime.GOMAXPROCS(0)
	last := before[len(before)-1]
	lift, err := Pin([]int{last})
	if err != nil {
		t.Fatal(err)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile("/proc/self/task/" + thread.Name() + "/status")
		if err != nil {
			continue // ended since
		}
		list := after(text, "Cpus_allowed_list:", "none")
		if got, err := ParseCPUs(list); err != nil || !slices.Equal(got, []int{last}) {
			t.Errorf("thread %s may use %s, want %d only", thread.Name(), list, last)
		}
	}
	if got := runtime.GOMAXPROCS(0); got != 1 {
		t.Errorf("GOMAXPROCS %d on one CPU", got)
	}
	if err := lift(); err != nil {
		t.Fatal(err)
	}
	if after, err := CPUs(); err != nil || !slices.Equal(after, before) || runtime.GOMAXPROCS(0) != procs {
		t.Errorf("after the pin was lifted: %v and GOMAXPROCS %d, %v", after, runtime.GOMAXPROCS(0), err)
	}
	if _, err := Pin([]int{1000}); err == nil {
		t.Error("a CPU that is not there was taken")
	}
}

func TestRaiseFileLimit(t *testing.T) {
	var before, after unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	got, err := RaiseFileLimit(before.Max)
	if err != nil || unix.Getrlimit(unix.RLIMIT_NOFILE, &after) != nil || after.Cur != got || got != before.Max {
		t.Errorf("limit %d, kernel says %d of %d, %v", got, after.Cur, before.Max, err)
	}
	if got, err = RaiseFileLimit(1); err != nil || got != before.Max {
		t.Errorf("asking for less gave %d, %v: want no change", got, err)
	}
}

func TestThisMachineHasAName(t *testing.T) {
	a := This()
	if a.CPUs < 1 || a.Memory < 1<<20 || !strings.HasPrefix(a.Kernel, "Linux ") || !strings.HasPrefix(a.Go, "go") {
		t.Errorf("%+v", a)
	}
	if got := after([]byte("x\nmodel name\t: A CPU \n"), "model name\t:", "unknown"); got != "A CPU" {
		t.Errorf("%q", got)
	}
	if got := after(nil, "model name", "unknown"); got != "unknown" {
		t.Errorf("%q", got)
	}
}
