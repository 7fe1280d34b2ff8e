package signal

import "time"

// noPing is the reason for closing a socket whose pings have stopped, or never came; the original's words.
const noPing = "Close for not receive ping from client"

// The watchdog waits for three pings (spec §2.5), of an interval that is believed within these bounds.
const (
	minInterval = time.Second
	maxInterval = 20 * time.Second
	missedPings = 3
	withoutWord = 20 * time.Second // for pings that never said their interval
)

// watchdog ends sockets that have gone silent. Only the reader uses it.
type watchdog struct {
	timer  *time.Timer
	idle   time.Duration
	pinged time.Duration // once pings come: how long to wait for the next
	latest time.Time     // of any message
}

func newWatchdog(idle time.Duration, bark func()) *watchdog {
	return &watchdog{timer: time.AfterFunc(idle, bark), idle: idle, latest: time.Now()}
}

// heard notes any message; it counts until the first ping does.
func (w *watchdog) heard() {
	w.latest = time.Now()
	if w.pinged == 0 {
		w.timer.Reset(w.idle)
	}
}

// ping notes a ping, which may say how often they will come (milliseconds).
func (w *watchdog) ping(interval *int) {
	if interval != nil {
		every := time.Duration(*interval) * time.Millisecond
		w.pinged = missedPings * min(max(every, minInterval), maxInterval)
	} else if w.pinged == 0 {
		w.pinged = withoutWord
	}
	w.timer.Reset(w.pinged)
}

func (w *watchdog) stop() { w.timer.Stop() }
