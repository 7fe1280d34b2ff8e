package socket

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A train is less than 64 KiB, and the rooms for a batch of them are 2 MiB of address space; the kernel writes, and so
// the process has, only the pages that datagrams reach (measured: 0.2 MiB a socket with ordinary ones).
const (
	trainRoom  = 64 << 10
	trainBatch = 32
)

// receiver reads batches and hands out single datagrams.
type receiver struct {
	raw    syscall.RawConn
	kernel kernel
	slots
	batch int // slots in use
	room  []byte
	each  int // bytes of room per slot

	// What is not handed out yet: the rest of a slot, and the slots from next to got.
	current   Message // of the rest; Buf unused
	rest      []byte
	segment   int
	unread    bool // rest may be an empty datagram
	next, got int

	errno syscall.Errno
	try   func(fd uintptr) // both made once: a closure per call would be an allocation
	await func(fd uintptr) bool
}

func (r *receiver) start(raw syscall.RawConn, k kernel, trains bool) {
	r.raw, r.kernel, r.batch, r.each = raw, k, Batch, longest
	if trains {
		r.batch, r.each = trainBatch, trainRoom
	}
	r.room = make([]byte, r.batch*r.each)
	r.link()
	for i := range r.batch {
		r.vectors[i].Base = &r.room[i*r.each]
		r.vectors[i].SetLen(r.each)
		r.arm(i)
	}
	r.try = r.receive
	r.await = func(fd uintptr) bool {
		r.receive(fd)
		return r.errno != unix.EAGAIN
	}
}

// arm resets what the kernel changes in a slot.
func (r *receiver) arm(i int) {
	h := &r.headers[i].Hdr
	h.Namelen = unix.SizeofSockaddrInet6
	h.SetControllen(controlRoom)
}

// receive is one system call.
func (r *receiver) receive(fd uintptr) {
	r.got, r.errno = r.kernel(unix.SYS_RECVMMSG, fd, &r.headers[0], r.batch)
}

// ReadBatch gives what is kept of the last system call before it makes another. What has arrived is read even if the
// deadline is over: a shard that is always late would starve otherwise.
func (r *receiver) ReadBatch(ms []Message, wait bool) (int, error) {
	if n := r.deliver(ms); n > 0 || len(ms) == 0 {
		return n, nil
	}
	for i := range r.got {
		r.arm(i)
	}
	r.next, r.got = 0, 0
	var err error
	if wait {
		err = r.raw.Read(r.await)
	}
	if !wait || errors.Is(err, os.ErrDeadlineExceeded) {
		late := err
		if err = r.raw.Control(r.try); err == nil && r.errno == unix.EAGAIN {
			err = late
		}
	}
	switch {
	case err != nil:
		return 0, err
	case r.errno == unix.EAGAIN:
		return 0, nil
	case r.errno != 0:
		return 0, os.NewSyscallError("recvmmsg", r.errno)
	}
	return r.deliver(ms), nil
}

func (r *receiver) deliver(ms []Message) (n int) {
	for ; n < len(ms); n++ {
		if !r.unread {
			if r.next == r.got {
				break
			}
			r.unpack(r.next)
			r.next++
		}
		size := min(r.segment, len(r.rest))
		ms[n] = r.current
		ms[n].Buf = r.rest[:min(size, longest):min(size, longest)]
		r.rest = r.rest[size:]
		r.unread = len(r.rest) > 0
	}
	return n
}

// unpack makes a slot the rest: a train, or the train of one that an ordinary datagram is.
func (r *receiver) unpack(i int) {
	h := &r.headers[i]
	size := min(int(h.Len), r.each)
	local, segment := readControl(r.controls[i][:min(int(h.Hdr.Controllen), controlRoom)])
	if segment <= 0 {
		segment = size
	}
	r.current = Message{Remote: r.names[i].get(), Local: local}
	r.rest, r.segment, r.unread = r.room[i*r.each:][:size], segment, true
}
