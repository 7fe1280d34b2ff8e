package diagnosis

import (
	"fmt"
	"strings"
)

// cameraBusy believes the client until video of it arrives.
func cameraBusy(v *View) *Finding {
	if v.Clues.CameraBusy == 0 || v.Filmed > v.Clues.CameraBusy {
		return nil
	}
	var stream string
	for _, e := range v.Endpoints {
		if e.Publisher == "" {
			stream = e.Stream
		}
	}
	return &Finding{Code: CameraBusy, Stream: stream, Evidence: []string{
		fmt.Sprintf("The client's log said %s ago: %s.", seconds(v.since(v.Clues.CameraBusy)), v.Clues.Device),
	}}
}

// unplayedFor is for how long a client is believed that a stream does not play, in milliseconds: that it plays at last,
// it tells only where its application listens.
const unplayedFor = 300_000

// autoplayBlocked is the last of what may be wrong with a flow: that media arrives is part of it.
func autoplayBlocked(v *View, e *Endpoint) *Finding {
	if e.Publisher == "" || !e.alive() {
		return nil
	}
	stream := e.Stream
	at := v.Clues.Unplayed[stream]
	words := "the SDK has waited in vain for the stream to play (NO_STREAM_PLAYING_EVENT)"
	if at == 0 {
		stream, at, words = "", v.Clues.Unplayed[""], "play() was refused (NotAllowedError)"
	}
	if at == 0 || older(v.since(at), unplayedFor) || at < e.Read-e.Facts.Age-batched { // or of a transport before
		return nil
	}
	var arrived []string
	for _, kind := range kinds {
		c, ok := e.change(kind, true)
		if t := e.track(kind, true); !ok || t.Reports == 0 || c.packets == 0 && t.Packets < stuckLeast {
			continue
		}
		if e.stuck(kind) > 0 || !c.arrives(e.behind(kind)) {
			return nil // the network, which has a name of its own or will have one
		}
		arrived = append(arrived, fmt.Sprintf("%.0f packets of %s were sent in the latest %s", c.packets, kind, seconds(c.ms)))
	}
	if arrived == nil {
		return nil
	}
	return &Finding{Code: AutoplayBlocked, Stream: stream, Evidence: []string{
		fmt.Sprintf("The client's log said %s ago: %s.", seconds(v.since(at)), words),
		strings.Join(arrived, ", ") + "; the client's reports know of them.",
	}}
}

// arrives says that by its reports the viewer hears of what is sent. Sound alone is reported every 5 s: a window without
// a report says nothing unless it leaves too much behind.
func (c change) arrives(behind float64) bool {
	return c.heard > 0 || c.reports == 0 && behind < reportsWithin
}
