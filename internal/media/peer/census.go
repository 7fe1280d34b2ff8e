package peer

import "context"

// Ways counts by what packets take: UDP, ICE-TCP, or a TURN relay.
type Ways struct{ UDP, TCP, Relay uint64 }

func (w *Ways) count(p *path) {
	switch p.protocol() {
	case "udp":
		w.UDP++
	case "tcp":
		w.TCP++
	case "relay":
		w.Relay++
	}
}

func (w *Ways) add(o Ways) {
	w.UDP += o.UDP
	w.TCP += o.TCP
	w.Relay += o.Relay
}

// Paths counts endpoints.
type Paths struct {
	New, Checking, Connected, Failed uint64 // by state, now

	Now Ways // connected ones, by the path selected
	All Ways // every one that ever connected, by the path selected when it first did
}

// Paths counts the endpoints of all shards.
func (s *Shards) Paths(ctx context.Context) (Paths, error) {
	var sum Paths
	for _, shard := range s.shards {
		var p Paths
		if err := shard.Do(ctx, func() { p = censusOf(shard) }); err != nil {
			return Paths{}, err // p may still be written
		}
		sum.New += p.New
		sum.Checking += p.Checking
		sum.Connected += p.Connected
		sum.Failed += p.Failed
		sum.Now.add(p.Now)
		sum.All.add(p.All)
	}
	return sum, nil
}

func censusOf(s *Shard) Paths {
	p := Paths{All: s.ways}
	for _, e := range s.endpoints {
		switch e.state {
		case Opened:
			p.New++
		case Checking:
			p.Checking++
		case Failed:
			p.Failed++
		case Connected:
			p.Connected++
			if e.selected != nil {
				p.Now.count(e.selected)
			}
		}
	}
	return p
}
