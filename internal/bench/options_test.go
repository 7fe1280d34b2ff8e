package bench

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/bench/machine"
)

var allFlags = []string{"server", "cpus", "viewers", "kbps", "seconds", "shape", "srtp", "find-capacity", "rooms", "endpoints", "load", "runs"}

func parse(args ...string) (Options, error) {
	o := defaults()
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	o.register(f, allFlags)
	if err := f.Parse(args); err != nil {
		return o, err
	}
	return o, o.check()
}

func TestDefaultsMakeSense(t *testing.T) {
	o, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	usable, err := machine.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	if len(o.CPUs) != 1 || o.CPUs[0] != usable[0] || len(o.OwnCPUs) != 1 || o.OwnCPUs[0] != usable[len(usable)-1] {
		t.Errorf("server on %v, generator on %v of %v: want the first and the last", o.CPUs, o.OwnCPUs, usable)
	}
	if o.shared() != (len(usable) == 1) {
		t.Errorf("shared is %v on %d CPUs", o.shared(), len(usable))
	}
}

func TestFlagsReachTheOptions(t *testing.T) {
	o, err := parse("--server=janus", "--viewers=7", "--kbps=400", "--shape=even", "--srtp=cm", "--seconds=3", "--rooms=2", "--size=4",
		"--cpus=0", "--own-cpus=0", "--find-capacity", "--endpoints=10", "--participants=3", "--load=30", "--runs=2", "--quick", "--json", "--into=x")
	if err != nil {
		t.Fatal(err)
	}
	want := Options{Server: "janus", Viewers: 7, Kbps: 400, Shape: "even", SRTP: "cm", Seconds: 3, Rooms: 2, Size: 4, FindCapacity: true,
		Endpoints: 10, Participants: 3, Load: 30, Runs: 2, Quick: true, JSON: true, Into: "x"}
	if !slices.Equal(o.CPUs, []int{0}) || !slices.Equal(o.OwnCPUs, []int{0}) || !o.shared() {
		t.Errorf("CPUs %v and %v", o.CPUs, o.OwnCPUs)
	}
	o.CPUs, o.OwnCPUs, o.usable = nil, nil, nil
	if got, wanted := say(o), say(want); got != wanted {
		t.Errorf("%s\nwant %s", got, wanted)
	}
}

func TestRefusalsNameTheFlag(t *testing.T) {
	for arg, wants := range map[string]string{
		"--server=kurento":               "--server=kurento: want one of tertulia, livekit, janus",
		"--shape=round":                  "--shape=round: want one of burst, even, tiles, audio",
		"--srtp=des":                     "--srtp=des: want one of gcm, cm",
		"--kbps=900":                     "--kbps=900: shapes are recorded at 150 400 1000 2000",
		"--viewers=0":                    "--viewers=0: want 1 to 5000",
		"--viewers=9999":                 "--viewers=9999: want 1 to 5000",
		"--seconds=0":                    "--seconds=0: want 1 to 600",
		"--seconds=86400":                "--seconds=86400",
		"--rooms=1000":                   "--rooms=1000 --size=10: that is 11000 peer connections",
		"--size=-1":                      "--size=-1",
		"--endpoints=0":                  "--endpoints=0",
		"--participants=-3":              "--participants=-3",
		"--load=100":                     "--load=100: want 1 to 80",
		"--runs=0":                       "--runs=0",
		"--find-capacity --viewers=5000": "--find-capacity --viewers=5000: one room",
		"--cpus=700":                     "--cpus=700: this process may use the CPUs",
		"--own-cpus=700":                 "--own-cpus=700: this process may use the CPUs",
		"--cpus=one":                     `CPU list "one"`,
		"--unknown":                      "flag provided but not defined",
	} {
		if _, err := parse(strings.Fields(arg)...); err == nil || !strings.Contains(err.Error(), wants) {
			t.Errorf("%s ended with %v, want %q", arg, err, wants)
		}
	}
}

func TestCPUListPrintsAsGiven(t *testing.T) {
	list := cpuList{0, 2, 3}
	if got := list.String(); got != "0,2,3" {
		t.Errorf("%q", got)
	}
}

func say(o Options) string { return fmt.Sprintf("%+v", o) }
