package bench

import (
	"fmt"
	"math"
)

// Figure names one number that bench measures. Figures with a row in [Budgets] are promised; the others are told.
type Figure string

// Sense is which side of its limit a figure must keep to.
type Sense int

// The senses.
const (
	AtMost Sense = iota
	AtLeast
	Below
)

func (s Sense) sign() string { return [...]string{"≤", "≥", "<"}[s] }

// Budget is a limit that a figure of ours must keep. The limits are those of issue 3, set from what other servers and the bare
// kernel cost on a machine of this kind.
type Budget struct {
	Figure  Figure
	What    string // as a row of the report
	Unit    string
	Sense   Sense
	Limit   float64
	Stretch float64 // what would be better still; 0 is none
	Run     string  // the command that measures it
}

// Budgets are the rows of the report, in its order.
var Budgets = []Budget{
	{"forward-burst-gcm", "CPU per forwarded packet, 1 → 200, 2 Mbit/s, GCM, burst", "µs", AtMost, 2.0, 1.5, "bench forward"},
	{"forward-even-gcm", "the same, even", "µs", AtMost, 3.5, 0, "bench forward --shape even"},
	{"rooms-tiles-gcm", "the same, 20 rooms × 10, tiles + Opus", "µs", AtMost, 4, 0, "bench rooms"},
	{"forward-burst-cm", "the same, 1 → 200, burst, AES-CM/SHA1", "µs", AtMost, 4.0, 0, "bench forward --srtp cm"},
	{"floor-ratio", "the first row against the floor of the same run", "×", AtMost, 2, 0, "bench floor"},
	{"two-cores", "cost on two cores against one", "×", AtMost, 1.15, 0, "bench forward --cpus 0,1"},
	{"thousand-viewers", "cost at 1,000 viewers against 200", "×", AtMost, 1.1, 0, "bench forward --find-capacity"},
	{"capacity", "viewers at 2 Mbit/s on one core before loss", "viewers", AtLeast, 1500, 0, "bench forward --find-capacity"},
	{"loss-at-60", "loss at 60 % of the measured capacity", "%", AtMost, 0, 0, "bench forward --find-capacity"},
	{"latency-rooms", "added latency, rooms of 10 at 20 % of a core, p99", "ms", AtMost, 2, 0, "bench latency"},
	{"latency-burst", "last packet of a burst against packets × cost", "×", AtMost, 1.2, 0, "bench latency"},
	{"latency-audio", "audio's p99 against that of the video beside it", "×", Below, 1, 0, "bench latency"},
	{"rss-endpoint", "memory per endpoint (one peer connection)", "KiB", AtMost, 40, 0, "bench idle"},
	{"rss-participant", "memory per participant with its TLS websocket", "KiB", AtMost, 120, 0, "bench idle"},
	{"cpu-endpoint", "server CPU per endpoint set up", "ms", AtMost, 2.5, 0, "bench join"},
	{"cpu-participant", "server CPU per participant, TLS websocket and joinRoom", "ms", AtMost, 4, 0, "bench join"},
	{"idle-endpoint", "idle cost per connected endpoint", "µs/s", AtMost, 30, 0, "bench idle"},
	{"join-2500", "2,500 endpoints (a room of 50 cameras) set up on one core", "s", AtMost, 15, 0, "bench join"},
	{"rss-empty", "idle process, everything on", "MB", Below, 60, 0, "bench idle"},
}

// traffic are the figures that compare servers per forwarded packet: those of the ratio table and the plot.
var traffic = []Figure{"forward-burst-gcm", "forward-even-gcm", "rooms-tiles-gcm", "forward-burst-cm"}

// Verdict says whether a budget is kept.
type Verdict struct {
	Measured, Holds bool
	Over            float64 // by which part of the limit it is missed; of a limit of 0, by how much
}

// Judge holds a figure against its budget; NaN is a figure that nobody measured.
func (b Budget) Judge(value float64) Verdict {
	switch {
	case math.IsNaN(value):
		return Verdict{}
	case b.Sense == AtMost && value <= b.Limit, b.Sense == AtLeast && value >= b.Limit, b.Sense == Below && value < b.Limit:
		return Verdict{Measured: true, Holds: true}
	}
	over := math.Abs(value - b.Limit)
	if b.Limit != 0 {
		over /= b.Limit
	}
	return Verdict{Measured: true, Over: over}
}

// Say puts a verdict into words.
func (b Budget) Say(v Verdict) string {
	switch {
	case !v.Measured:
		return "not measured"
	case v.Holds:
		return "holds"
	case b.Limit == 0:
		return fmt.Sprintf("NO: %s %s", number(v.Over), b.Unit)
	case b.Sense == AtLeast:
		return fmt.Sprintf("NO: %.0f %% below", 100*v.Over)
	}
	return fmt.Sprintf("NO: %.0f %% above", 100*v.Over)
}

// limit is the limit as the table has it.
func (b Budget) limit() string {
	text := b.Sense.sign() + " " + number(b.Limit)
	if b.Stretch != 0 {
		text += ", stretch " + number(b.Stretch)
	}
	return text
}

// number prints three digits that count, and whole numbers whole.
func number(value float64) string {
	switch size := math.Abs(value); {
	case math.IsNaN(value):
		return "–"
	case value == math.Trunc(value) && size < 1e15:
		return fmt.Sprintf("%.0f", value)
	case size >= 100:
		return fmt.Sprintf("%.0f", value)
	case size >= 10:
		return fmt.Sprintf("%.1f", value)
	case size >= 0.1:
		return fmt.Sprintf("%.2f", value)
	}
	return fmt.Sprintf("%.2g", value)
}
