package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/netip"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// FloorConfig is what the floor is measured with.
type FloorConfig struct {
	Command []string // starts a process that calls [FloorMain] with its standard input and output
	CPU     int      // of that process
	Shape   Shape
	SRTP    Profile
	Rooms   int // publishers
	Viewers int // per room
	Length  time.Duration
}

// Floor is what sealing and sending alone cost.
type Floor struct {
	Sent      uint64 // packets of the publishers
	Expected  uint64 // at the viewers' sockets
	Delivered uint64
	User, Sys time.Duration // CPU while it sealed and sent
	Took      time.Duration
	LateP99   time.Duration // after the packets were due
}

// order is what the sending process is told, and account what it answers, as JSON.
type (
	order struct {
		CPU    int
		Port   uint16 // to send from
		Shape  Shape
		SRTP   Profile
		Rooms  [][]netip.AddrPort // the viewers of each
		Length time.Duration
	}
	account struct {
		Sent            uint64
		User, Sys, Took time.Duration
		LateP99         time.Duration
	}
)

// RunFloor measures the best bare sender, in a process of its own: for every frame and viewer new headers, one seal per
// packet out of a shared buffer, one send with UDP GSO; packets that are not a frame's burst go out one by one, and
// sendmmsg takes all viewers of a room. It receives, forwards, repairs and reports nothing.
func RunFloor(ctx context.Context, c FloorConfig) (Floor, error) {
	task := order{CPU: c.CPU, Shape: c.Shape, SRTP: c.SRTP, Length: c.Length}
	var sockets []int
	defer func() {
		for _, fd := range sockets {
			_ = unix.Close(fd)
		}
	}()
	here := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	held, from, err := openUDP(here) // the port is the sender's once it is given up
	if err != nil {
		return Floor{}, err
	}
	task.Port = from.Port()
	for range c.Rooms {
		var room []netip.AddrPort
		for range c.Viewers {
			fd, address, err := openUDP(here)
			if err != nil {
				_ = unix.Close(held)
				return Floor{}, err
			}
			sockets, room = append(sockets, fd), append(room, address)
			// As a client's: the kernel finds a connected socket faster.
			if err := unix.Connect(fd, sockaddr(from)); err != nil {
				_ = unix.Close(held)
				return Floor{}, fmt.Errorf("connect: %w", err)
			}
			if err := filter(fd, []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}); err != nil {
				_ = unix.Close(held)
				return Floor{}, err
			}
		}
		task.Rooms = append(task.Rooms, room)
	}
	_ = unix.Close(held)
	done, err := delegate(ctx, c.Command, task)
	if err != nil {
		return Floor{}, err
	}
	f := Floor{Sent: done.Sent, Expected: done.Sent * uint64(c.Viewers), User: done.User, Sys: done.Sys, Took: done.Took, LateP99: done.LateP99}
	for _, fd := range sockets {
		f.Delivered += dropped(fd)
	}
	return f, nil
}

func delegate(ctx context.Context, command []string, task order) (done account, err error) {
	text, err := json.Marshal(task)
	if err != nil {
		return done, err
	}
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	var said strings.Builder
	child.Stdin, child.Stderr = bytes.NewReader(text), &said
	answer, err := child.Output()
	if err != nil {
		return done, fmt.Errorf("the floor's sender: %w: %s", err, said.String())
	}
	if err := json.Unmarshal(answer, &done); err != nil {
		return done, fmt.Errorf("the floor's sender said %q: %w", answer, err)
	}
	return done, nil
}

// FloorMain is the sending process: it reads its task from in and writes to out what it took.
func FloorMain(ctx context.Context, in io.Reader, out io.Writer) error {
	var task order
	if err := json.NewDecoder(in).Decode(&task); err != nil {
		return fmt.Errorf("the floor's task: %w", err)
	}
	s, err := newSender(ctx, task)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	done, err := s.run(ctx, task.CPU, task.Length)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(done)
}

// voices makes the tracks of all rooms, each room with an offset of its own into the shape.
func (task *order) voices(start time.Time) (voices, error) {
	var all voices
	for i, room := range task.Rooms {
		listeners, err := listenersAt(room, task.SRTP)
		if err != nil {
			return nil, err
		}
		_, share := math.Modf(float64(i) * math.Phi)
		offset := time.Duration(share * float64(task.Shape.Length))
		for j := range task.Shape.Tracks {
			v := &voice{track: &task.Shape.Tracks[j], length: task.Shape.Length, round: start.Add(-offset), listeners: listeners, kind: byte(j)}
			for v.begin(); v.due().Before(start); v.begin() {
				v.advance()
			}
			all = append(all, v)
		}
	}
	return all, nil
}
