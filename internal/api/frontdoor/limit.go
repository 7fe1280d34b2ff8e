package frontdoor

import (
	"net"
	"net/netip"
	"sync"
)

// quota counts what is held, in total and by each client.
type quota struct {
	most, mostOfOne int
	mu              sync.Mutex
	total           int
	of              map[netip.Addr]int
}

func newQuota(most, mostOfOne int) *quota {
	return &quota{most: most, mostOfOne: mostOfOne, of: map[netip.Addr]int{}}
}

// take counts one more; for a client that is not valid in total only.
func (q *quota) take(client netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.total >= q.most || !q.add(client) {
		return false
	}
	q.total++
	return true
}

func (q *quota) give(client netip.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.total--
	q.drop(client)
}

// claim counts what is held already for a client, too.
func (q *quota) claim(client netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(client)
}

func (q *quota) release(client netip.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(client)
}

func (q *quota) add(client netip.Addr) bool {
	if !client.IsValid() {
		return true
	}
	if q.of[client] >= q.mostOfOne {
		return false
	}
	q.of[client]++
	return true
}

func (q *quota) drop(client netip.Addr) {
	if !client.IsValid() {
		return
	}
	if q.of[client]--; q.of[client] == 0 {
		delete(q.of, client)
	}
}

func (q *quota) held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total
}

// subnetOf is what counts as one client: an IPv4 address, or an IPv6 network of 64 bits, since a host has all of that.
func subnetOf(remote net.Addr) netip.Addr {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	address := tcp.AddrPort().Addr().Unmap()
	if address.Is6() {
		network, _ := address.WithZone("").Prefix(64) // 64 bits fit any IPv6 address
		return network.Addr()
	}
	return address
}
