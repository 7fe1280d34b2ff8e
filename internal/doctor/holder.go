package doctor

import "os"

// Holder is the process that listens on a port of "tcp" or "udp" of this machine, as "process 4711 (nginx)"; if it
// cannot be told, "a process that this user may not see".
func Holder(network string, port int) string {
	if p, ok := listener(os.DirFS("/"), network, port); ok {
		return p.String()
	}
	return "a process that this user may not see"
}
