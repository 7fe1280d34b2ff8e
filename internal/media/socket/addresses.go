package socket

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Addresses is where clients may reach this machine, best first.
type Addresses struct {
	Host     []netip.Addr
	Loopback []netip.Addr // only for clients that are on this machine themselves
}

// Gatherer lists the machine's addresses, at most every few seconds. The zero value is ready.
type Gatherer struct {
	mu     sync.Mutex
	public []netip.Addr
	read   time.Time
	last   Addresses
}

const gatherEvery = 5 * time.Second

// SetPublic says by which addresses a 1:1 NAT in front of us makes this machine known. They are offered first, from the
// next call of Addresses on.
func (g *Gatherer) SetPublic(public []netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Equal(g.public, public) {
		g.public, g.read = slices.Clone(public), time.Time{}
	}
}

// Addresses returns the current list. When the system cannot be asked the last known list is returned.
func (g *Gatherer) Addresses() Addresses {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := time.Now(); g.read.IsZero() || now.Sub(g.read) >= gatherEvery {
		if list, err := interfaces(); err == nil {
			g.last, g.read = choose(list, g.public), now
		}
	}
	return g.last
}

type iface struct {
	name  string
	addrs []netip.Addr
}

func interfaces() ([]iface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var list []iface
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil || i.Flags&net.FlagUp == 0 {
			continue
		}
		entry := iface{name: i.Name}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				if ip, ok := netip.AddrFromSlice(n.IP); ok {
					entry.addrs = append(entry.addrs, ip.Unmap())
				}
			}
		}
		list = append(list, entry)
	}
	return list, nil
}

// bridges are the names container and virtual machine tools give their networks: addresses no client can reach.
var bridges = []string{"docker", "br-", "virbr", "veth", "cni", "flannel", "cali", "cilium", "lxc", "lxdbr", "podman",
	"nerdctl", "kube-", "weave", "vmnet", "vboxnet"}

func choose(list []iface, public []netip.Addr) Addresses {
	chosen := Addresses{Host: slices.Clone(public)}
	var fallback []netip.Addr
	for _, i := range list {
		virtual := slices.ContainsFunc(bridges, func(p string) bool { return strings.HasPrefix(i.name, p) })
		for _, a := range i.addrs {
			switch {
			case a.IsLoopback():
				chosen.Loopback = append(chosen.Loopback, a)
			case !a.IsGlobalUnicast():
				// Link-local, multicast, unspecified: useless without the zone of the reader.
			case virtual:
				fallback = append(fallback, a)
			case !slices.Contains(chosen.Host, a):
				chosen.Host = append(chosen.Host, a)
			}
		}
	}
	if len(chosen.Host) == 0 {
		chosen.Host = fallback
	}
	return chosen
}
