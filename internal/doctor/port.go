package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"tertulia/internal/diagnosis"
)

// socket is a port the server opens.
type socket struct {
	setting string // that names it
	network string // "tcp", "udp"
	port    int
}

func (s socket) String() string { return fmt.Sprintf("%d/%s", s.port, s.network) }

// sockets are those of a configuration; port 0 takes what is free.
func (h *host) sockets() []socket {
	c := h.Config
	list := []socket{{"HTTPS_PORT", "tcp", c.HTTPSPort}, {"HTTPS_PORT", "udp", c.HTTPSPort}}
	number := func(text string) int { n, _ := strconv.Atoi(text); return n } // "" is none
	list = append(list, socket{"HTTP_PORT", "tcp", number(c.HTTPPort)})
	if c.TURNHost == "" {
		list = append(list, socket{"COTURN_PORT", "udp", number(c.TURNPort)}, socket{"COTURN_PORT", "tcp", number(c.TURNPort)})
	}
	if _, port, err := net.SplitHostPort(c.MetricsAddress); err == nil {
		list = append(list, socket{"METRICS_PORT", "tcp", number(port)})
	}
	open := list[:0]
	for _, s := range list {
		if s.port != 0 {
			open = append(open, s)
		}
	}
	return open
}

// checkPorts opens each port for a moment, as the server would. A running server of this data folder may have it.
func checkPorts(ctx context.Context, h *host) Check {
	var free, refused, evidence, fixes []string
	for _, s := range h.sockets() {
		switch err := h.bind(ctx, s); {
		case err == nil:
			free = append(free, s.String()+" is free")
		case !errors.Is(err, syscall.EADDRINUSE):
			refused = append(refused, fmt.Sprintf("this user may not open %s: %v", s, err))
		default:
			owner, known := listener(h.root, s.network, s.port)
			if known && owner.pid == h.server {
				free = append(free, s.String()+" is the running server's")
				continue
			}
			if !known && os.Geteuid() != 0 { // it may be our own server, of another user
				refused = append(refused, fmt.Sprintf("somebody whom only root sees listens on %s", s))
				continue
			}
			said, fix := taken(s, owner, known)
			evidence, fixes = append(evidence, said), append(fixes, fix)
		}
	}
	switch {
	case len(evidence) > 0:
		c := faulty(diagnosis.PortTaken, nil, evidence...)
		c.Fix = strings.Join(fixes, " ")
		return c
	case len(refused) > 0:
		return unchecked(strings.Join(refused, "; "))
	}
	if len(free) == 0 {
		free = []string{"the system chooses a free one at every start"}
	}
	return fine(free...)
}

// taken fills in the catalogue's row for one port.
func taken(s socket, owner process, known bool) (evidence, fix string) {
	if !known {
		return fmt.Sprintf("a process that cannot be seen from here listens on %s", s),
			fmt.Sprintf("Run the doctor outside of containers to see which process has %s and stop that, or set %s to another port.", s, s.setting)
	}
	row, _ := diagnosis.Of(diagnosis.PortTaken)
	v := values{"pid": strconv.Itoa(owner.pid), "command": owner.command, "address": s.String(), "port": strconv.Itoa(s.port)}
	return strings.TrimSuffix(v.fill(row.Evidence), "."), strings.ReplaceAll(v.fill(row.Fix), "HTTPS_PORT", s.setting)
}

func (h *host) bind(ctx context.Context, s socket) error {
	address := net.JoinHostPort("", strconv.Itoa(s.port))
	if s.setting == "METRICS_PORT" {
		address = h.Config.MetricsAddress
	}
	var none net.ListenConfig
	if s.network == "udp" {
		conn, err := none.ListenPacket(ctx, "udp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	l, err := none.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}
