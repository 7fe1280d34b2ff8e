package session

// maxMissed bounds what the record of one session keeps of its clients' outboxes, by weight.
const maxMissed = 512 << 10

// Missed is a notice that a client had not acknowledged when the process ended; exactly one field is set. Without it a client
// that was cut off at that moment would never learn who came and went: it does not read the state again (spec §2.8).
type Missed struct {
	Joined            *Joined            `json:"joined,omitempty"`
	StreamPublished   *StreamPublished   `json:"streamPublished,omitempty"`
	StreamUnpublished *StreamUnpublished `json:"streamUnpublished,omitempty"`
	Left              *Left              `json:"left,omitempty"`
	Signal            *Signal            `json:"signal,omitempty"`
	StreamChanged     *StreamChanged     `json:"streamChanged,omitempty"`
	ConnectionChanged *ConnectionChanged `json:"connectionChanged,omitempty"`
	QualityChanged    *QualityChanged    `json:"qualityChanged,omitempty"`
}

// missedOf keeps a notice; false for what means nothing to the next process: candidates and offers of endpoints that are
// gone, and the eviction of one who has left.
func missedOf(n Notice) (m Missed, ok bool) {
	switch n := n.(type) {
	case Joined:
		m.Joined = &n
	case StreamPublished:
		m.StreamPublished = &n
	case StreamUnpublished:
		m.StreamUnpublished = &n
	case Left:
		m.Left = &n
	case Signal:
		m.Signal = &n
	case StreamChanged:
		m.StreamChanged = &n
	case ConnectionChanged:
		m.ConnectionChanged = &n
	case QualityChanged:
		m.QualityChanged = &n
	default:
		return m, false
	}
	return m, true
}

// notice is the notice kept, nil if a record of another release holds one we do not know.
func (m Missed) notice() Notice {
	switch {
	case m.Joined != nil:
		return *m.Joined
	case m.StreamPublished != nil:
		return *m.StreamPublished
	case m.StreamUnpublished != nil:
		return *m.StreamUnpublished
	case m.Left != nil:
		return *m.Left
	case m.Signal != nil:
		return *m.Signal
	case m.StreamChanged != nil:
		return *m.StreamChanged
	case m.ConnectionChanged != nil:
		return *m.ConnectionChanged
	case m.QualityChanged != nil:
		return *m.QualityChanged
	}
	return nil
}

// keepMissed puts into the record what clients have not acknowledged, for the next process.
func (r *runner) keepMissed() {
	room := maxMissed
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.state.Connections {
		box := r.outboxes[c.ID]
		if box == nil {
			continue
		}
		kept, weight := box.unacknowledged()
		if weight > room {
			r.log.Warn("a client will not learn what it missed before the restart: it is too much to keep", "connection", c.ID, "notices", len(kept))
			continue
		}
		if len(kept) > 0 {
			room -= weight
			c.Missed = kept
			r.writer.dirty = true
		}
	}
}

// giveMissed makes the outbox of a connection that a record has brought back.
func giveMissed(c *Connection) *outbox {
	box := newOutbox(c.RPC)
	for _, m := range c.Missed {
		if n := m.notice(); n != nil {
			box.push(Message{Notice: n})
		}
	}
	c.Missed = nil
	return box
}

// unacknowledged are the notices to be kept, and roughly their bytes.
func (o *outbox) unacknowledged() (kept []Missed, weight int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, message := range o.messages {
		if m, ok := missedOf(message.Notice); ok {
			kept = append(kept, m)
			weight += message.weight()
		}
	}
	return kept, weight
}
