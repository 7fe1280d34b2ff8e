package bench

import (
	"fmt"
	"math"
	"time"
)

// Traffic is what forwarding media cost in one window.
type Traffic struct {
	Server  string `json:"server"`
	Version string `json:"version,omitempty"`
	Shape   string `json:"shape"`
	Kbps    int    `json:"kbps"`
	SRTP    string `json:"srtp"`
	CPUs    []int  `json:"cpus"`

	Publishers int           `json:"publishers"`
	Viewers    int           `json:"viewers"` // of all publishers together
	Window     time.Duration `json:"window_ns"`
	Lag        time.Duration `json:"lag_ns"`    // of it, how long packets went on arriving when the publishers had ended
	Sent       uint64        `json:"sent"`      // by the publishers
	Expected   uint64        `json:"expected"`  // at the viewers' sockets
	Delivered  uint64        `json:"delivered"` // to the viewers' sockets
	Loss       float64       `json:"loss"`      // 0 to 1

	Micros float64 `json:"us_per_packet"` // CPU of the server per packet delivered
	User   float64 `json:"us_user"`
	System float64 `json:"us_system"`
	PerSec float64 `json:"packets_per_second_and_core"`

	Share     float64       `json:"server_cores"`    // of CPU time used by the server
	Generator float64       `json:"generator_cores"` // and by us
	Others    float64       `json:"others"`          // of the server's CPUs, the part that other processes used, or the hypervisor
	LateP99   time.Duration `json:"publisher_late_p99_ns"`
}

// account fills in what follows from the counts and clocks of a window.
func (t *Traffic) account(c clocks) {
	server, generator := c.server, c.generator
	user, system := server.Split()
	packets := float64(t.Delivered)
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / packets }
	t.Micros, t.User, t.System = per(server.Total), per(user), per(system)
	t.PerSec = 1e6 / t.Micros
	t.Share = server.Total.Seconds() / t.Window.Seconds()
	t.Generator = generator.Total.Seconds() / t.Window.Seconds()
	if others := c.busy - server.Total; others > 0 {
		t.Others = others.Seconds() / t.Window.Seconds() / float64(len(t.CPUs))
	}
	if t.Expected > t.Delivered {
		t.Loss = float64(t.Expected-t.Delivered) / float64(t.Expected)
	}
}

// The server keeps up when it is done soon after the publishers. What it has not sent yet waits in the kernel's buffers, which
// hold a second of it and more: a short window loses nothing long after the work has become too much.
const mostLag = 200 * time.Millisecond

// mostOthers is how much of the server's CPUs may go to other processes before a report says that the machine was not quiet.
const mostOthers = 0.05

func (t *Traffic) keepsUp() bool { return t.Loss == 0 && t.Lag <= mostLag }

func (t Traffic) write(p *page) {
	p.line("%s", t.title())
	p.line("  CPU per forwarded packet     %s µs (user %s, system %s)", number(t.Micros), number(t.User), number(t.System))
	p.line("  packets per second and core  %.0f", t.PerSec)
	p.line("  delivered                    %d of %d packets, loss %s %%", t.Delivered, t.Expected, number(100*t.Loss))
	if t.Others > mostOthers {
		p.line("  other processes              %.0f %% of the server's CPU: this window says little", 100*t.Others)
	}
	if t.Lag > mostLag {
		p.line("  fell behind                  by %s in this time: this much is not sustained", t.Lag.Round(time.Millisecond))
	}
	p.line("  CPU in use                   server %s %% of a core, generator %s %%; publishers at most %s late (p99)",
		number(math.Round(100*t.Share)), number(math.Round(100*t.Generator)), t.LateP99.Round(time.Microsecond))
}

func (t Traffic) title() string {
	return fmt.Sprintf("%s on %s: %s → %s, %d kbit/s %s, %s, %s", t.Server, cpus(t.CPUs), plural(t.Publishers, "publisher"), plural(t.Viewers, "viewer"),
		t.Kbps, t.Shape, t.SRTP, t.Window.Round(100*time.Millisecond))
}

// cpus says "CPU 0" or "CPUs 0,1".
func cpus(list []int) string {
	all := cpuList(list)
	if len(list) == 1 {
		return "CPU " + all.String()
	}
	return "CPUs " + all.String()
}
