package app

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

func TestCgroupMemory(t *testing.T) {
	const (
		unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
		memory  = "40 31 0:36 /docker/abc /sys/fs/cgroup/memory ro,relatime master:9 - cgroup cgroup rw,memory\n"
		cpu     = "41 31 0:37 / /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
	)
	for name, c := range map[string]struct {
		groups, mounts string
		files          map[string]string
		want           int64
	}{
		"not Linux":     {want: 0},
		"nobody limits": {"0::/\n", unified, nil, 0},
		"version 2": {"0::/system.slice/tertulia.service\n", unified, map[string]string{
			"sys/fs/cgroup/system.slice/tertulia.service/memory.max": "1073741824\n",
		}, 1 << 30},
		"version 2, max": {"0::/a\n", unified, map[string]string{
			"sys/fs/cgroup/a/memory.max": "max\n", "sys/fs/cgroup/a/memory.high": "max\n",
		}, 0},
		"version 2, throttled before it is killed": {"0::/a\n", unified, map[string]string{
			"sys/fs/cgroup/a/memory.max": "1073741824\n", "sys/fs/cgroup/a/memory.high": "536870912\n",
		}, 1 << 29},
		"the group above has less": {"0::/pod/c\n", unified, map[string]string{
			"sys/fs/cgroup/pod/c/memory.max": "max\n", "sys/fs/cgroup/pod/memory.max": "268435456\n",
		}, 1 << 28},
		"a container with its own view": {"0::/\n", unified, map[string]string{"sys/fs/cgroup/memory.max": "4096\n"}, 4096},
		"a container that sees less than its path": {"0::/../../other\n", unified, map[string]string{
			"sys/fs/cgroup/memory.max": "4096\n", "other/memory.max": "1\n", "memory.max": "1\n",
		}, 4096},
		"version 1 in a container": {"4:memory:/docker/abc\n1:cpu:/\n", memory + cpu, map[string]string{
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "2147483648\n", "sys/fs/cgroup/cpu/memory.limit_in_bytes": "1\n",
		}, 1 << 31},
		"version 1, below the mount": {"4:cpu,memory:/docker/abc/inner\n", memory, map[string]string{
			"sys/fs/cgroup/memory/inner/memory.limit_in_bytes": "4096\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "8192\n",
		}, 4096},
		"version 1, none": {"4:memory:/docker/abc\n", memory, map[string]string{
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 0},
		"both versions": {"4:memory:/docker/abc\n0::/\n", "30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" + memory, map[string]string{
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "4096\n",
		}, 4096},
		"nonsense": {"\n:\nx\n0::a\n", " - \n1 2 3 4 5 - cgroup2\n1 2 3 / /m - cgroup2 a b\n" + unified, map[string]string{
			"m/memory.max": "-5\n", "sys/fs/cgroup/memory.max": "many\n",
		}, 0},
	} {
		root := fstest.MapFS{}
		if c.groups != "" {
			root["proc/self/cgroup"] = &fstest.MapFile{Data: []byte(c.groups)}
			root["proc/self/mountinfo"] = &fstest.MapFile{Data: []byte(c.mounts)}
		}
		for file, text := range c.files {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := cgroupMemory(root); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
}

// TestTheMemoryLimit is nine tenths of the cgroup's, unless the operator has said something else.
func TestTheMemoryLimit(t *testing.T) {
	root := fstest.MapFS{
		"proc/self/cgroup":         {Data: []byte("0::/\n")},
		"proc/self/mountinfo":      {Data: []byte("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")},
		"sys/fs/cgroup/memory.max": {Data: []byte("10000000000\n")},
	}
	const other = math.MaxInt64 - 1
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(other))
	log := slog.New(slog.DiscardHandler)
	t.Setenv("GOMEMLIMIT", "off")
	limitMemory(root, log)
	if now := debug.SetMemoryLimit(-1); now != other {
		t.Errorf("against GOMEMLIMIT the limit is %d", now)
	}
	os.Unsetenv("GOMEMLIMIT")
	limitMemory(fstest.MapFS{}, log)
	if now := debug.SetMemoryLimit(-1); now != other {
		t.Errorf("without a cgroup the limit is %d", now)
	}
	limitMemory(root, log)
	if now := debug.SetMemoryLimit(-1); now != 9_000_000_000 {
		t.Errorf("the limit is %d", now)
	}
}
