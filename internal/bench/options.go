package bench

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"tertulia/internal/bench/machine"
)

// Options are what the flags of all scenarios say. Each scenario has some of them; the others keep their defaults.
type Options struct {
	Server                  string
	CPUs, OwnCPUs           cpuList
	usable                  cpuList // what this process might use before it pinned itself
	Viewers, Kbps, Seconds  int
	Shape, SRTP             string
	FindCapacity            bool
	Rooms, Size             int
	Endpoints, Participants int
	Load                    int // percent of a core
	Runs                    int
	Quick, JSON             bool
	Into                    string
}

// cpuList is a flag of CPUs; unset it is empty.
type cpuList []int

func (l *cpuList) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]int(*l)), " ", ","), "[]")
}

func (l *cpuList) Set(list string) (err error) {
	*l, err = machine.ParseCPUs(list)
	return err
}

// The bounds of a scenario. The generator is one process on one core, and every run must end in minutes.
const (
	mostEndpoints    = 5000
	mostSeconds      = 600
	mostRuns         = 20
	mostParticipants = 2500
)

var (
	serverNames = []string{ours, "livekit", "janus"}
	shapeNames  = []string{"burst", "even", "tiles", "audio"}
	srtpNames   = []string{"gcm", "cm"}
	kbpsSteps   = []int{150, 400, 1000, 2000}
)

func defaults() Options {
	return Options{
		Server: ours, Viewers: 200, Kbps: 2000, Seconds: 8, Shape: "burst", SRTP: "gcm",
		Rooms: 20, Size: 10, Endpoints: 2500, Participants: 500, Load: 20, Runs: 5,
	}
}

// register gives a scenario its flags; the values that o holds are the defaults.
func (o *Options) register(f *flag.FlagSet, names []string) {
	whole := func(into *int, name, usage string) { f.IntVar(into, name, *into, usage) }
	words := func(into *string, name, usage string) { f.StringVar(into, name, *into, usage) }
	for _, name := range names {
		switch name {
		case "server":
			words(&o.Server, name, "`name` of the server to measure: "+strings.Join(serverNames, ", "))
		case "cpus":
			f.Var(&o.CPUs, name, "CPUs of the server, as a `list`: 0 or 0,2-3 (default the first)")
			f.Var(&o.OwnCPUs, "own-cpus", "CPUs of the load generator, as a `list` (default the last)")
		case "viewers":
			whole(&o.Viewers, name, "`number` of viewers of the one publisher")
		case "kbps":
			whole(&o.Kbps, name, "`rate` of a publisher's video in kbit/s: "+strings.Trim(fmt.Sprint(kbpsSteps), "[]"))
		case "seconds":
			whole(&o.Seconds, name, "`time` to measure for, after the media has settled")
		case "shape":
			words(&o.Shape, name, "`name` of what a publisher sends: burst (recorded from Chromium: a frame is one burst), even (the same, evenly spaced), tiles (400 kbit/s and Opus), audio")
		case "srtp":
			words(&o.SRTP, name, "`cipher` the clients insist on: gcm (AEAD_AES_128_GCM) or cm (AES128_CM_HMAC_SHA1_80)")
		case "find-capacity":
			f.BoolVar(&o.FindCapacity, name, false, "add rooms of so many viewers until packets are lost, then measure the loss at 60 % of that")
		case "rooms":
			whole(&o.Rooms, name, "`number` of rooms")
			whole(&o.Size, "size", "`number` of viewers in each room, beside its publisher")
		case "endpoints":
			whole(&o.Endpoints, name, "`number` of peer connections: a room of 50 cameras has 2,500")
			whole(&o.Participants, "participants", "`number` of participants with a TLS websocket each")
		case "load":
			whole(&o.Load, name, "rooms are added until the server uses this `percent` of a core")
		case "runs":
			whole(&o.Runs, name, "`number` of runs to take medians of; the servers take turns inside each")
			f.BoolVar(&o.Quick, "quick", false, "one run with short windows: about 3 minutes instead of 25")
			words(&o.Into, "into", "write results.json, report.md and report.svg into this `folder`")
		}
	}
	f.BoolVar(&o.JSON, "json", false, "print JSON instead of text")
}

// check refuses what makes no sense, by the name of the flag.
func (o *Options) check() error {
	if err := within("seconds", o.Seconds, 1, mostSeconds); err != nil {
		return err
	}
	for _, c := range []struct {
		flag, got string
		known     []string
	}{{"server", o.Server, serverNames}, {"shape", o.Shape, shapeNames}, {"srtp", o.SRTP, srtpNames}} {
		if !slices.Contains(c.known, c.got) {
			return fmt.Errorf("--%s=%s: want one of %s", c.flag, c.got, strings.Join(c.known, ", "))
		}
	}
	if !slices.Contains(kbpsSteps, o.Kbps) {
		return fmt.Errorf("--kbps=%d: shapes are recorded at %s kbit/s", o.Kbps, strings.Trim(fmt.Sprint(kbpsSteps), "[]"))
	}
	for _, c := range []struct {
		flag             string
		got, least, most int
	}{
		{"viewers", o.Viewers, 1, mostEndpoints}, {"rooms", o.Rooms, 1, mostEndpoints}, {"size", o.Size, 1, mostEndpoints},
		{"endpoints", o.Endpoints, 4, mostEndpoints}, {"participants", o.Participants, 1, mostParticipants},
		{"load", o.Load, 1, 80}, {"runs", o.Runs, 1, mostRuns},
	} {
		if err := within(c.flag, c.got, c.least, c.most); err != nil {
			return err
		}
	}
	if all := o.Rooms * (o.Size + 1); all > mostEndpoints {
		return fmt.Errorf("--rooms=%d --size=%d: that is %d peer connections, at most %d", o.Rooms, o.Size, all, mostEndpoints)
	}
	if o.FindCapacity && len(capacitySteps(o.Viewers)) == 0 {
		return fmt.Errorf("--find-capacity --viewers=%d: one room of them is all that fits into %d peer connections", o.Viewers, mostEndpoints)
	}
	return o.checkCPUs()
}

// checkCPUs fills in the CPUs and refuses those that are not there.
func (o *Options) checkCPUs() error {
	usable, err := machine.CPUs()
	if err != nil {
		return err
	}
	o.usable = usable
	if len(o.CPUs) == 0 {
		o.CPUs = usable[:1]
	}
	if len(o.OwnCPUs) == 0 {
		o.OwnCPUs = usable[len(usable)-1:]
	}
	for flag, list := range map[string]cpuList{"cpus": o.CPUs, "own-cpus": o.OwnCPUs} {
		for _, cpu := range list {
			if !slices.Contains(usable, cpu) {
				return fmt.Errorf("--%s=%s: this process may use the CPUs %v only", flag, list.String(), usable)
			}
		}
	}
	return nil
}

func within(flag string, got, least, most int) error {
	if got < least || got > most {
		return fmt.Errorf("--%s=%d: want %d to %d", flag, got, least, most)
	}
	return nil
}

// shared says whether the generator takes time from the server it measures.
func (o *Options) shared() bool {
	return slices.ContainsFunc(o.OwnCPUs, func(cpu int) bool { return slices.Contains(o.CPUs, cpu) })
}
