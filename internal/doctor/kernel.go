package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"tertulia/internal/diagnosis"
)

// enoughBuffer is what the media sockets ask for (internal/media/socket), in bytes.
const enoughBuffer = 4 << 20

// checkBuffers reads the most that an unprivileged process may ask for.
func checkBuffers(_ context.Context, h *host) Check {
	rmem, err := sysctl(h.root, "net/core/rmem_max")
	if err != nil {
		return unchecked(fmt.Sprintf("net.core.rmem_max cannot be read: %v", err))
	}
	wmem, err := sysctl(h.root, "net/core/wmem_max")
	if err != nil {
		return unchecked(fmt.Sprintf("net.core.wmem_max cannot be read: %v", err))
	}
	v := values{"rmem": strconv.Itoa(rmem), "wmem": strconv.Itoa(wmem)}
	if rmem < enoughBuffer || wmem < enoughBuffer {
		return faulty(diagnosis.KernelBuffersSmall, v)
	}
	return fine(v.fill("net.core.rmem_max={rmem}, net.core.wmem_max={wmem}"))
}

func sysctl(root fs.FS, name string) (int, error) {
	text, err := fs.ReadFile(root, "proc/sys/"+name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
