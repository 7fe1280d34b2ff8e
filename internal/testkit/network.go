package testkit

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"

	"tertulia/internal/media/socket"
)

// Network is a network in memory: in a synctest bubble, what goes over it does not depend on how busy the machine is. It
// has a host at each of the addresses, of 10.0.0.0/24; a datagram takes 10 ms, and is lost unless pass lets it through.
func Network(t *testing.T, pass func(vnet.Chunk) bool, addresses ...string) []*vnet.Net {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "10.0.0.0/24", MinDelay: 10 * time.Millisecond, QueueSize: 4096, LoggerFactory: logging.NewDefaultLoggerFactory(),
	})
	check(t, err)
	router.AddChunkFilter(pass)
	var hosts []*vnet.Net
	for _, address := range addresses {
		hosts = append(hosts, Host(t, router, address))
	}
	check(t, router.Start())
	t.Cleanup(func() { _ = router.Stop() })
	return hosts
}

// Host adds a host to a network that is not started yet.
func Host(t *testing.T, router *vnet.Router, address string) *vnet.Net {
	t.Helper()
	host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{address}})
	check(t, err)
	check(t, router.AddNet(host))
	return host
}

// ListenOn opens port 4443 of a host in memory.
func ListenOn(t *testing.T, host *vnet.Net, address string) (socket.Conn, socket.Addresses) {
	t.Helper()
	at := netip.AddrPortFrom(netip.MustParseAddr(address), 4443)
	conn, err := host.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	check(t, err)
	return socket.Plain(conn), socket.Addresses{Host: []netip.Addr{at.Addr()}}
}
