//go:build !linux

package socket

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

const controlRoom = 0

func wrap(conn *net.UDPConn) Conn { return newSingle(conn) }

// shareable is false: elsewhere SO_REUSEPORT does not spread peers over the sockets, or does not exist.
func shareable(*net.UDPConn) bool { return false }

func share(_, _ string, _ syscall.RawConn) error { return errors.ErrUnsupported }

// Where we have no packet info the destination is unknown, and routing picks the source.
func askDestination(*net.UDPConn, bool) {}

func readControl([]byte) (local netip.Addr, segment int) { return netip.Addr{}, 0 }

func putSource(oob []byte, _ netip.Addr, _ bool) []byte { return oob }
