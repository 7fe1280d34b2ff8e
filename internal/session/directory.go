package session

import (
	"context"
	"sync"
	"time"

	"tertulia/internal/fault"
)

// directory says who is where: sessions by id, and clients by RPC session id. No other lock is
// taken while its own is held.
type directory struct {
	most int // sessions

	mu       sync.Mutex
	sessions map[string]*runner
	making   map[string]chan struct{} // ids being created; closed when that is over
	clients  map[string]client        // by RPC session id
	past     int64                    // the latest creation time of a session that has ended
}

// client says which connection an RPC session id belongs to.
type client struct {
	runner     *runner
	connection string
}

func newDirectory(most int) *directory {
	return &directory{
		most: most, sessions: map[string]*runner{}, making: map[string]chan struct{}{}, clients: map[string]client{},
	}
}

// reserve takes an id for a session to be made, waiting while one of that id is being made or is closing.
func (d *directory) reserve(ctx context.Context, id string) error {
	for {
		d.mu.Lock()
		var busy <-chan struct{} = d.making[id]
		var err error
		old := d.sessions[id]
		switch {
		case busy != nil:
		case old != nil && old.hidden:
			busy = old.gone
		case old != nil:
			err = fault.New(fault.SessionExists, "session %s exists", id)
		case len(d.sessions)+len(d.making) >= d.most:
			err = fault.New(fault.NoCapacity, "this server has %d sessions, the most it may have", len(d.sessions))
		default:
			d.making[id] = make(chan struct{})
		}
		d.mu.Unlock()
		if busy == nil {
			return err
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return fault.New(fault.SessionExists, "session %s is still closing; try again", id)
		}
	}
}

// made ends a reservation, with the session or, if it could not be made, nil.
func (d *directory) made(id string, n *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n != nil {
		d.sessions[id] = n
	}
	close(d.making[id])
	delete(d.making, id)
}

// restore enters a session read from the store and its clients.
func (d *directory) restore(n *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sessions[n.id] = n
	for _, c := range n.state.Connections {
		if c.ActiveAt != 0 {
			d.clients[c.RPC] = client{runner: n, connection: c.ID}
		}
	}
}

// find returns a session that has not ended.
func (d *directory) find(id string) (*runner, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.sessions[id]; n != nil && !n.hidden {
		return n, nil
	}
	return nil, unknownSession(id)
}

// lookUp returns a session even if it is only being released; nil if there is none.
func (d *directory) lookUp(id string) *runner {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sessions[id]
}

// all returns the sessions that have not ended.
func (d *directory) all() []*runner {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []*runner
	for _, n := range d.sessions {
		if !n.hidden {
			all = append(all, n)
		}
	}
	return all
}

// hide makes an ended session unknown while its media and record are being released; its id is taken until then.
func (d *directory) hide(n *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n.hidden = true
}

func (d *directory) remove(n *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sessions, n.id)
	d.past = max(d.past, n.state.CreatedAt)
}

// birth is the creation time of a new session: now, once that is later than any ended session's. An id may be used again
// at once, and is told apart by that time.
func (d *directory) birth(ctx context.Context) int64 {
	for {
		d.mu.Lock()
		past := d.past
		d.mu.Unlock()
		if now := time.Now().UnixMilli(); now > past || ctx.Err() != nil {
			return now
		}
		sleep(ctx, time.Millisecond)
	}
}

// client returns whom an RPC session id belongs to.
func (d *directory) client(rpc string) (client, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.clients[rpc]
	return c, ok
}

// seat lets a client come back by its RPC session id.
func (d *directory) seat(rpc string, n *runner, connection string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients[rpc] = client{runner: n, connection: connection}
}

func (d *directory) unseat(rpc string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.clients, rpc)
}

func unknownSession(id string) error {
	return fault.New(fault.SessionNotFound, "there is no session %.80q; create it by REST first", id)
}
