package bench

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"

	"tertulia/internal/bench/load"
	"tertulia/internal/bench/target"
)

// newLab binds the scenarios to the generator and to the servers. Self is this program.
func newLab(self string, errs io.Writer) *lab {
	l := &lab{errs: errs, clients: newClients, score: newScore}
	l.server = func(name string) (target.Server, error) {
		switch name {
		case ours:
			return target.Tertulia(target.TertuliaConfig{Binary: self}), nil
		case "livekit":
			return target.LiveKit(""), nil
		case "janus":
			return target.Janus(), nil
		}
		return nil, fmt.Errorf("no server %q", name)
	}
	l.floor = func(ctx context.Context, o Options, rooms, viewers int) (Traffic, error) {
		return measureFloor(ctx, self, o, rooms, viewers)
	}
	return l
}

func newClients(srtp string, at netip.Addr) (clients, error) {
	loop, err := load.NewLoop()
	if err != nil {
		return clients{}, err
	}
	config := load.Config{Loop: loop, Local: at, SRTP: load.Profile(srtp)}
	probing := config
	probing.Probe = true
	return clients{
		run:       loop.Run,
		publisher: func() (client, error) { return load.NewPublisher(config) },
		viewer:    func() (client, error) { return load.NewViewer(config) },
		probe:     func() (client, error) { return load.NewViewer(probing) },
		hear: func(probes []client) func() Heard {
			end := load.Hear(loaded(probes)...)
			return func() Heard {
				heard := end()
				return Heard{delays(&heard.Video), delays(&heard.Audio), delays(&heard.Last)}
			}
		},
	}, nil
}

func newScore(shape string, kbps int, srtp string) (score, error) {
	recorded, err := load.LoadShape(shape, kbps)
	if err != nil {
		return score{}, err
	}
	return scored(recorded, kbps, srtp), nil
}

func scored(shape load.Shape, kbps int, srtp string) score {
	return score{shape: shape.Name, kbps: kbps, srtp: srtp, perFrame: shape.PerFrame(), player: func(publishers []client) player {
		p := &load.Player{Shape: shape, Publishers: loaded(publishers)}
		return func(ctx context.Context, length time.Duration) (played, error) {
			done, err := p.Play(ctx, length)
			return played{sent: done.Sent, lateP99: done.Late.Quantile(0.99)}, err
		}
	}}
}

func delays(h *load.Histogram) Delays {
	return Delays{Count: h.Count(), P50: h.Quantile(0.5), P99: h.Quantile(0.99), Max: h.Max()}
}

// loaded are the clients as load made them.
func loaded(all []client) []*load.Client {
	list := make([]*load.Client, len(all))
	for i, c := range all {
		list[i] = c.(*load.Client) // newClients makes no others
	}
	return list
}
