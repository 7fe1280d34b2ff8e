package bench

// Promises are FAQ-10a of the promise list, as far as one core can tell: the FAQ of the original promises 18 users in nine calls of
// two, three rooms of four, or one publisher to 80 to 150 viewers on 8 cores. Each count is the largest at which the server lost
// nothing and kept up.
type Promises struct {
	Pairs   Capacity `json:"pairs"`   // calls of two
	Fours   Capacity `json:"fours"`   // rooms of four, each of whom publishes
	Viewers Capacity `json:"viewers"` // of publishers with 200 each
}

// Capacity is what fits before loss.
type Capacity struct {
	Most int `json:"most"`
	// Why the search ended: what was lost, or what ended before the server did.
	Why string `json:"why"`
}

func (c Capacity) write(p *page, what, seed string) {
	if c.Why == "" {
		p.row(what, seed, "not measured", "")
		return
	}
	p.row(what, seed, number(float64(c.Most)), c.Why)
}

func (all Promises) write(p *page) {
	p.line("")
	p.line("## Promise FAQ-10a, as one-core figures")
	p.line("")
	p.head("what fits without loss or lag", "the original's FAQ, on 8 cores", "one core of this machine", "the search ended because")
	all.Pairs.write(p, "users in 1:1 calls", "18")
	all.Fours.write(p, "rooms of 4", "3")
	all.Viewers.write(p, "viewers, in rooms of 1 → 200", "80–150, 1 room")
	p.line("")
	p.line("The promise is about 8 vCPUs, a CPU use below 80 %% and video as openvidu-loadtest sends it. This machine has not that many: the")
	p.line("8-vCPU claim stays unproved here, and nothing above is multiplied up to it.")
}
