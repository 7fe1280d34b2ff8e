package load

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sampled: of the RTP packets with these bits of the sequence number clear each is read, all others the kernel drops.
const sampled = 63

// sampler accepts all but RTP, and of RTP one packet in 64 (RFC 5761 §4 tells it from RTCP). The kernel shows the filter the
// datagram from its UDP header on: the payload begins at 8.
var sampler = []unix.SockFilter{
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 8},
	{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: 128, Jf: 7}, // STUN, DTLS
	{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: 192, Jt: 6}, // nothing of ours
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 9},
	{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: 192, Jf: 1},
	{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: 224, Jf: 3}, // RTCP
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 11},          // the sequence number's low byte
	{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: sampled},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0, Jf: 1},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0xffff},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0},
}

// sample puts the filter on a socket.
func sample(fd int) error {
	program := unix.SockFprog{Len: uint16(len(sampler)), Filter: &sampler[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		return fmt.Errorf("SO_ATTACH_FILTER: %w", err)
	}
	return nil
}

// dropped is how many datagrams the kernel has dropped at a socket: those the filter refused, and those that found the
// receive buffer full. SK_MEMINFO_DROPS of SO_MEMINFO, 32 bits (linux/sock_diag.h).
func dropped(fd int) uint64 {
	const drops, fields = 8, 9
	var info [fields]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if e != 0 {
		return 0
	}
	return uint64(info[drops])
}

// Overflows counts the datagrams that found a full receive buffer, of all UDP sockets of this network namespace since it
// exists. While it stands still, every drop the kernel counts is one of the filter, and [Client.Delivered] is exact.
func Overflows() (uint64, error) {
	text, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		return 0, err
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = words
			continue
		}
		for i, name := range names[:min(len(names), len(words))] {
			if name == "RcvbufErrors" {
				return strconv.ParseUint(words[i], 10, 64)
			}
		}
	}
	return 0, fmt.Errorf("/proc/net/snmp has no RcvbufErrors of UDP")
}
