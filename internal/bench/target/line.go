package target

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	maxMessage    = 4 << 20 // what a server may send at once: the state of a room of thousands
	writePatience = 10 * time.Second
	leavePatience = 5 * time.Second
)

// line is a websocket to a server with one goroutine, which reads. What that learns it notes; whoever waits for it looks
// again then.
type line struct {
	conn    *websocket.Conn
	kind    websocket.MessageType
	reading sync.WaitGroup
	beat    *time.Timer // nil without pings

	mu      sync.Mutex
	changed chan struct{} // nil while nobody waits
	ended   error
}

// dial opens a websocket. Listen starts the reading.
func dial(ctx context.Context, url string, kind websocket.MessageType, options websocket.DialOptions) (*line, error) {
	conn, response, err := websocket.Dial(ctx, url, &options)
	if err != nil {
		if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
			return nil, fmt.Errorf("websocket: status %d: %w", response.StatusCode, err)
		}
		return nil, fmt.Errorf("websocket: %w", err)
	}
	conn.SetReadLimit(maxMessage)
	return &line{conn: conn, kind: kind}, nil
}

// listen gives every message to take until the connection ends.
func (l *line) listen(take func(message []byte)) {
	l.reading.Go(func() {
		for {
			_, message, err := l.conn.Read(context.Background()) // the end of the connection ends it
			if err != nil {
				l.note(func() { l.ended = fmt.Errorf("the connection has ended: %w", err) })
				return
			}
			take(message)
		}
	})
}

// pulse sends a ping now and again at every interval, until one fails.
func (l *line) pulse(every time.Duration, ping func() error) error {
	if err := ping(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.beat = time.AfterFunc(every, func() {
		if ping() == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.ended == nil {
				l.beat.Reset(every)
			}
		}
	})
	return nil
}

func (l *line) write(message []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), writePatience)
	defer cancel()
	return l.conn.Write(ctx, l.kind, message)
}

// note changes what waiters look at.
func (l *line) note(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// wait blocks until ok holds; ok is called with the notes locked. The error says what was waited for.
func (l *line) wait(ctx context.Context, what string, ok func() bool) error {
	for {
		l.mu.Lock()
		if ok() {
			l.mu.Unlock()
			return nil
		}
		if l.ended != nil {
			defer l.mu.Unlock()
			return fmt.Errorf("waiting for %s: %w", what, l.ended)
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		}
	}
}

// close says goodbye and waits for the reader. It is no error if the server was faster.
func (l *line) close() {
	l.note(func() {
		if l.ended == nil {
			l.ended = errLeft
		}
		if l.beat != nil {
			l.beat.Stop()
		}
	})
	_ = l.conn.Close(websocket.StatusNormalClosure, "")
	l.reading.Wait()
}

var errLeft = fmt.Errorf("the participant has left")
