package bench

import (
	"context"
	"errors"
	"os"

	"tertulia/internal/bench/load"
	"tertulia/internal/bench/machine"
)

// senderWord is the scenario that a user does not start: the process that is the floor.
const senderWord = "floor-sender"

func runFloor(ctx context.Context, l *lab, o Options) (outcome, error) {
	return l.floor(ctx, o, 1, o.Viewers)
}

// measureFloor runs the bare sender on the server's CPU.
func measureFloor(ctx context.Context, self string, o Options, rooms, viewers int) (Traffic, error) {
	shape, err := load.LoadShape(o.Shape, o.Kbps)
	if err != nil {
		return Traffic{}, err
	}
	cpus := o.CPUs[:1] // it is one thread
	before, err := machine.SpentBy(os.Getpid())
	if err != nil {
		return Traffic{}, err
	}
	found, err := load.RunFloor(ctx, load.FloorConfig{
		Command: []string{self, "bench", senderWord}, CPU: cpus[0],
		Shape: shape, SRTP: load.Profile(o.SRTP), Rooms: rooms, Viewers: viewers, Length: o.window(),
	})
	if err != nil {
		return Traffic{}, err
	}
	after, err := machine.SpentBy(os.Getpid())
	if err != nil {
		return Traffic{}, err
	}
	t := Traffic{
		Server: floorName, Shape: o.Shape, Kbps: o.Kbps, SRTP: o.SRTP, CPUs: cpus, Publishers: rooms, Viewers: rooms * viewers,
		Window: found.Took, LateP99: found.LateP99, Sent: found.Sent, Expected: found.Expected, Delivered: found.Delivered,
	}
	if t.Delivered == 0 {
		return t, errNothingArrived
	}
	t.account(clocks{server: machine.Spent{Total: found.User + found.Sys, User: found.User, System: found.Sys}, generator: after.Sub(before)})
	return t, nil
}

// floorOf measures the floor of every figure that is compared with it.
func floorOf(ctx context.Context, w *sweep, run int, o Options) error {
	o.Seconds = int(w.plan.window.Seconds())
	var errs []error
	for _, f := range []struct {
		figure         Figure
		shape, srtp    string
		kbps           int
		rooms, viewers int
	}{
		{"forward-burst-gcm", "burst", "gcm", o.Kbps, 1, o.Viewers},
		{"forward-even-gcm", "even", "gcm", o.Kbps, 1, o.Viewers},
		{"forward-burst-cm", "burst", "cm", o.Kbps, 1, o.Viewers},
		{"rooms-tiles-gcm", "tiles", "gcm", 400, o.Rooms, o.Size},
	} {
		o.Shape, o.SRTP, o.Kbps = f.shape, f.srtp, f.kbps
		t, err := w.l.floor(ctx, o, f.rooms, f.viewers)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		w.tell(run, f.figure, t)
		if f.shape == "burst" && f.srtp == "gcm" {
			w.results.Curve = append(w.results.Curve, t.point(run))
		}
	}
	return errors.Join(errs...)
}
