package signal

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// pongTimeout is how long a client may take to answer a control ping before the next is due. Who answers none is no
// worse off: the pings are for what is between.
const pongTimeout = 10 * time.Second

// keepAlive sends control pings (RFC 6455 §5.5.2) until stop is called: proxies take a socket that says nothing for
// 60 s for dead, and a client in a quiet call may say nothing for longer than some of them wait. The clients' own pings
// keep only the way to us alive.
func keepAlive(ws *websocket.Conn, every time.Duration) (stop func()) {
	if every < 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var pinging sync.WaitGroup
	pinging.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			limited, end := context.WithTimeout(ctx, pongTimeout)
			err := ws.Ping(limited)
			end()
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return // the socket has ended
			}
		}
	})
	return func() { cancel(); pinging.Wait() }
}
