package diagnosis

// clock is what is known of how far a client's clock is off ours, in milliseconds.
type clock struct {
	known bool
	least int64 // reception minus the newest line, the least of all batches: the offset and the shortest delay
}

// batched is how long the SDK keeps lines before it sends them (OpenViduLogger.ts, 5 s), and a second for the way.
const batched = 6000

// set learns from a batch: its newest line cannot have been written after it came, and seldom long before.
func (c *clock) set(lines []ClientLine, received int64) {
	newest := lines[0].At
	for _, l := range lines {
		newest = max(newest, l.At)
	}
	if delay := received - newest; !c.known || delay < c.least {
		c.known, c.least = true, delay
	}
}

// offset is what to add to the client's time. A clock that can be right is believed: a line that seems some seconds old
// has waited for its batch.
func (c *clock) offset() int64 {
	if c.least >= 0 && c.least <= batched {
		return 0
	}
	return c.least
}
