package bench

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"tertulia/internal/bench/load"
	"tertulia/internal/bench/machine"
)

// outcome is what a scenario found: it tells itself as text, and is JSON as it stands.
type outcome interface{ write(p *page) }

// verb is one word after "tertulia bench".
type verb struct {
	name, summary, teach string
	flags                []string
	tune                 func(*Options) // defaults of its own
	run                  func(context.Context, *lab, Options) (outcome, error)
}

var where = []string{"server", "cpus"}

func verbs() []verb {
	return []verb{
		{"forward", "what a forwarded packet costs, 1 publisher → N viewers",
			"One publisher sends a recorded shape to N viewers. The server's CPU time is divided by the packets that reached the viewers.",
			append([]string{"viewers", "kbps", "seconds", "shape", "srtp", "find-capacity"}, where...), nil, runForward},
		{"rooms", "the same, in many small rooms",
			"Each room has one publisher of a small video and Opus, and its viewers.",
			append([]string{"rooms", "kbps", "seconds", "shape", "srtp"}, where...),
			func(o *Options) { o.Shape, o.Kbps = "tiles", 400 }, runRooms},
		{"join", "what coming in costs; with --session=NAME: bots for a session of a server that runs",
			"With --session=NAME this adds bots to a session of a running server instead; its flags: tertulia bench join --session --help.\n\nParticipants open a TLS websocket and join; then a room where every camera sees every other is set up, as fast as it goes.",
			append([]string{"endpoints", "srtp"}, where...), nil, runJoin},
		{"idle", "what staying costs: memory and CPU without media",
			"The memory of the empty process, of participants that joined, and of endpoints that are connected and send nothing.",
			append([]string{"endpoints", "seconds", "srtp"}, where...), nil, runIdle},
		{"latency", "what is added on the way through the server",
			"From the publisher's send call to the kernel's receive stamp: in rooms of ten at a given load, and for the last packet of a burst to all viewers.",
			append([]string{"rooms", "viewers", "load", "seconds", "srtp"}, where...), nil, runLatency},
		{"floor", "what sealing and sending alone cost here today",
			"The least a forwarded packet can cost on this machine: header, SRTP and one send per viewer and frame, in a process of its own on the server's CPU.",
			[]string{"viewers", "kbps", "seconds", "shape", "srtp", "cpus"}, nil, runFloor},
		{"promises", "what fits on one core: calls of two, rooms of four, one to many",
			"Rooms are added until packets are lost.",
			append([]string{"seconds", "srtp"}, where...), func(o *Options) { o.Seconds = 3 }, runPromises},
		{"all", "every budget, all servers, and the report",
			"Floor, Tertulia and, where scripts/bench-peers has installed them, LiveKit and Janus take turns in each run; the report has the medians.",
			[]string{"runs", "cpus"}, nil, runAll},
	}
}

// Command runs one scenario, or says which there are. Progress goes to errs while it runs, what was found to out.
// Self is the program itself: it is started again as the server and as the floor.
func Command(ctx context.Context, self string, args []string, out, errs io.Writer) error {
	if len(args) == 1 && args[0] == senderWord {
		return load.FloorMain(ctx, os.Stdin, out)
	}
	if joinsSession(args) {
		return joinSession(ctx, args[1:], out, errs)
	}
	known := verbs()
	i := -1
	if len(args) > 0 {
		i = slices.IndexFunc(known, func(v verb) bool { return v.name == args[0] })
	}
	if i < 0 {
		return overview(known, args, errs)
	}
	v := known[i]
	o := defaults()
	if v.tune != nil {
		v.tune(&o)
	}
	f := flag.NewFlagSet(v.name, flag.ContinueOnError)
	f.SetOutput(errs)
	f.Usage = func() {
		fmt.Fprintf(errs, "Usage: tertulia bench %s [flags]\n\n%s\n\n", v.name, v.teach)
		f.PrintDefaults()
	}
	o.register(f, v.flags)
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("bench %s: %q is no flag; all settings are flags, as in --%s=…", v.name, f.Arg(0), v.flags[0])
	}
	if err := o.check(); err != nil {
		return fmt.Errorf("bench %s: %w", v.name, err)
	}
	found, err := perform(ctx, newLab(self, errs), v, o)
	if err != nil {
		return fmt.Errorf("bench %s: %w", v.name, err)
	}
	return tell(out, found, o.JSON)
}

func overview(known []verb, args []string, errs io.Writer) error {
	fmt.Fprint(errs, "Usage: tertulia bench SCENARIO [flags]\n\n")
	for _, v := range known {
		fmt.Fprintf(errs, "  %-9s %s\n", v.name, v.summary)
	}
	fmt.Fprint(errs, "\nServer and load generator run on this machine, over loopback, on a CPU each. \"tertulia bench SCENARIO --help\" has the flags.\n")
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		return flag.ErrHelp
	}
	return fmt.Errorf("bench: unknown scenario %q", args[0])
}

// perform runs a scenario as a generator must: on its own CPUs, with enough files.
func perform(ctx context.Context, l *lab, v verb, o Options) (outcome, error) {
	const each = 2 // a socket and, for a participant, a websocket
	files, err := machine.RaiseFileLimit(each*mostEndpoints + 1000)
	if err != nil {
		return nil, err
	}
	if files < each*mostEndpoints {
		l.say("this process may open %d files only: large runs will fail (ulimit -n)", files)
	}
	if o.shared() {
		l.say("server and generator share a CPU: costs are higher and latencies longer than the server's own")
	}
	lift, err := machine.Pin(o.OwnCPUs)
	if err != nil {
		return nil, err
	}
	defer func() { _ = lift() }() // the process ends next
	return v.run(ctx, l, o)
}

func tell(out io.Writer, found outcome, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(found)
	}
	var p page
	found.write(&p)
	_, err := io.WriteString(out, p.String())
	return err
}
