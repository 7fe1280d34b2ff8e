package load

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"tertulia/internal/media/socket"
)

// atOnce is how many messages share a system call: what fits the cache beside the keys.
const atOnce = 16

// runBatch is a batch of messages, each a run of datagrams to one viewer.
type runBatch struct {
	messages [atOnce]mmsghdr
	vectors  [atOnce]unix.Iovec
	controls [atOnce][24]byte // UDP_SEGMENT, 16 bits
	sizes    [atOnce]int
	starts   [atOnce]int
	arena    []byte
	n        int
}

func (r *runBatch) open() {
	r.arena = make([]byte, 0, atOnce*socket.MaxRun)
	for i := range r.messages {
		h := &r.messages[i].hdr
		h.Iov = &r.vectors[i]
		h.SetIovlen(1)
		h.Namelen = unix.SizeofSockaddrInet4
		c := (*unix.Cmsghdr)(unsafe.Pointer(&r.controls[i]))
		c.Level, c.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
		c.SetLen(unix.CmsgLen(2))
	}
}

func (r *runBatch) fits(bytes int) bool { return r.n < atOnce && len(r.arena)+bytes <= cap(r.arena) }

// begin starts a message of datagrams of a size.
func (r *runBatch) begin(to *unix.RawSockaddrInet4, size int) {
	r.messages[r.n].hdr.Name = (*byte)(unsafe.Pointer(to))
	r.starts[r.n], r.sizes[r.n] = len(r.arena), size
	r.n++
}

// flush sends the batch and returns how many system calls that took. What the network refuses is lost.
func (r *runBatch) flush(fd int) (calls uint64) {
	for i := range r.n {
		end := len(r.arena)
		if i+1 < r.n {
			end = r.starts[i+1]
		}
		r.vectors[i].Base = &r.arena[r.starts[i]]
		r.vectors[i].SetLen(end - r.starts[i])
		h := &r.messages[i].hdr
		h.Control = nil
		h.SetControllen(0)
		if end-r.starts[i] > r.sizes[i] {
			binary.NativeEndian.PutUint16(r.controls[i][unix.CmsgLen(0):], uint16(r.sizes[i]))
			h.Control = &r.controls[i][0]
			h.SetControllen(unix.CmsgSpace(2))
		}
	}
	for taken := 0; taken < r.n; calls++ {
		n, _, e := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.messages[taken])), uintptr(r.n-taken), 0, 0, 0)
		if e != 0 {
			n = 1 // the first that is left cannot be sent
		}
		taken += int(n)
	}
	r.n, r.arena = 0, r.arena[:0]
	return calls
}
