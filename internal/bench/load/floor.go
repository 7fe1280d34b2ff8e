package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// FloorConfig is what the floor is measured with.
type FloorConfig struct {
	Command []string // starts a process that calls [FloorMain] with its standard input and output
	CPU     int      // where that process runs; ours should be kept off it
	Shape   Shape
	SRTP    Profile // GCM unless set
	Rooms   int     // publishers
	Viewers int     // of each
	Length  time.Duration
}

// Floor is what sealing and sending alone cost.
type Floor struct {
	Sent      uint64 // packets of all publishers
	Expected  uint64 // at the viewers' sockets
	Delivered uint64
	Sends     uint64        // system calls for that
	Messages  uint64        // and what they took: single datagrams, or runs of them with GSO
	User, Sys time.Duration // CPU of the process meanwhile
	Took      time.Duration
	LateP99   time.Duration // after its last packet was due, a frame's sending began
}

// PerPacket is the CPU a delivered packet cost.
func (f Floor) PerPacket() time.Duration {
	return (f.User + f.Sys) / time.Duration(max(f.Delivered, 1))
}

// floorJob is what FloorMain is told, as JSON.
type floorJob struct {
	Shape  Shape
	SRTP   Profile
	Rooms  int
	Ports  []uint16 // of the viewers on 127.0.0.1, room after room
	Length time.Duration
}

// RunFloor measures the best bare sender: a process that seals and sends recorded frames on their schedule, and does
// nothing else. For every frame and viewer it writes new headers, seals from one shared buffer and sends runs of equal size
// with UDP GSO, shorter packets padded by one byte; packets of the shape "even", and of audio, go out singly. Messages to
// several viewers share a system call. The viewers are sockets like those of [NewViewer].
func RunFloor(ctx context.Context, c FloorConfig) (Floor, error) {
	if len(c.Command) == 0 || c.Rooms < 1 || c.Viewers < 1 || c.Length <= 0 || len(c.Shape.Tracks) == 0 {
		return Floor{}, errors.New("load.FloorConfig: Command, Shape, Rooms, Viewers and Length are required")
	}
	job := floorJob{Shape: c.Shape, SRTP: c.SRTP, Rooms: c.Rooms, Length: c.Length}
	from, local, err := openUDP(loopback)
	if err != nil {
		return Floor{}, err
	}
	sender := os.NewFile(uintptr(from), "sender")
	defer sender.Close()
	viewers, err := openSinks(c.Rooms*c.Viewers, local)
	defer viewers.close()
	if err != nil {
		return Floor{}, err
	}
	for _, v := range viewers {
		job.Ports = append(job.Ports, v.port)
	}
	input, err := json.Marshal(job)
	if err != nil {
		return Floor{}, err
	}
	stop := viewers.drain()
	output, err := runOn(ctx, c.CPU, c.Command, input, sender)
	stop()
	if err != nil {
		return Floor{}, fmt.Errorf("floor: %w", err)
	}
	var f Floor
	if err := json.Unmarshal(output, &f); err != nil {
		return Floor{}, fmt.Errorf("floor: %w", err)
	}
	f.Expected = f.Sent * uint64(c.Viewers)
	for _, v := range viewers {
		f.Delivered += v.read + dropped(v.fd)
	}
	return f, nil
}

// senderFD is where FloorMain finds the socket it sends from: the viewers' sockets are connected to it, so that nobody else's
// datagrams count.
const senderFD = 3

// runOn runs a command on one CPU: a child inherits what its parent's thread is bound to.
func runOn(ctx context.Context, cpu int, command []string, input []byte, sender *os.File) ([]byte, error) {
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	var output, complaint bytes.Buffer
	child.ExtraFiles = []*os.File{sender}
	child.Stdin, child.Stdout, child.Stderr = bytes.NewReader(input), &output, &complaint
	if err := startOn(cpu, child); err != nil {
		return nil, err
	}
	if err := child.Wait(); err != nil {
		return nil, fmt.Errorf("%w: %.300s", err, complaint.String())
	}
	return output.Bytes(), nil
}

func startOn(cpu int, child *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("CPU %d: %w", cpu, err)
	}
	err := child.Start()
	return errors.Join(err, unix.SchedSetaffinity(0, &before))
}

// sink is a viewer's socket and nothing else.
type sink struct {
	fd   int
	port uint16
	read uint64
}

type sinks []*sink

func openSinks(n int, sender netip.AddrPort) (sinks, error) {
	var all sinks
	for range n {
		fd, local, err := openUDP(loopback)
		if err != nil {
			return all, err
		}
		all = append(all, &sink{fd: fd, port: local.Port()})
		if err := errors.Join(sample(fd), unix.Connect(fd, sockaddr(sender))); err != nil {
			return all, err
		}
	}
	return all, nil
}

// drain reads what the filter lets through, now and then; what it returns ends that, when all is read.
func (all sinks) drain() (stop func()) {
	const often = 100 * time.Millisecond
	in := newInbox()
	look := func() {
		for _, s := range all {
			for n := batchSize; n == batchSize; {
				n = in.read(s.fd)
				s.read += uint64(n)
			}
		}
	}
	ending := make(chan struct{})
	var drained sync.WaitGroup
	drained.Go(func() {
		ticker := time.NewTicker(often)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				look()
			case <-ending:
				look()
				return
			}
		}
	})
	return func() {
		close(ending)
		drained.Wait()
	}
}

func (all sinks) close() {
	for _, s := range all {
		_ = unix.Close(s.fd)
	}
}

// FloorMain is the process RunFloor starts: it reads its task from in and writes what it measured to out.
func FloorMain(ctx context.Context, in io.Reader, out io.Writer) error {
	var job floorJob
	if err := json.NewDecoder(in).Decode(&job); err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	f, err := job.run(ctx)
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	return json.NewEncoder(out).Encode(f)
}
