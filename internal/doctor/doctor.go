package doctor

import (
	"context"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"tertulia/internal/config"
)

// checkWithin bounds one check, whatever it waits for.
const checkWithin = 5 * time.Second

// Options say what to examine.
type Options struct {
	Config  config.Config // of config.Inspect
	Broken  error         // what Inspect says is wrong with it
	Version string        // of this program: "0.1.0 (commit)"
	// KnownIssues is a file to read instead of the list in this program.
	KnownIssues string
	// TURN are servers to probe instead of those of the configuration.
	TURN []TURNServer
}

// host is the machine as the checks see it.
type host struct {
	Options
	root   fs.FS // "/"
	server int   // the process that has the data folder, 0 if there is none

	outside sync.Once // guards the two below: they are asked once, by whichever check needs them first
	seen    []netip.Addr
	asked   string // why seen is empty
}

// checks in the order of the report.
var checks = []struct {
	name string
	run  func(context.Context, *host) Check
}{
	{"configuration", checkConfiguration},
	{"ports", checkPorts},
	{"addresses", checkAddresses},
	{"DNS", checkDNS},
	{"certificate", checkCertificate},
	{"clock", checkClock},
	{"TURN", checkTURN},
	{"open files", checkFiles},
	{"disk", checkDisk},
	{"kernel buffers", checkBuffers},
	{"GStreamer", checkGStreamer},
	{"known issues", checkKnownIssues},
}

// Examine runs every check, or those that are named, and returns within seconds.
func Examine(ctx context.Context, o Options, only ...string) Report {
	h := &host{Options: o, root: os.DirFS("/")}
	h.server = holder(h.root, o.Config.Data)
	return newReport(o.Version, h.examine(ctx, only))
}

func (h *host) examine(ctx context.Context, only []string) []Check {
	var ended []Check
	for _, c := range checks {
		if len(only) == 0 || slices.Contains(only, c.name) {
			ended = append(ended, Check{Name: c.name})
		}
	}
	var running sync.WaitGroup
	for i := range ended {
		running.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkWithin)
			defer cancel()
			c := runOf(ended[i].Name)(ctx, h)
			c.Name = ended[i].Name
			ended[i] = c
		})
	}
	running.Wait()
	return ended
}

func runOf(name string) func(context.Context, *host) Check {
	for _, c := range checks {
		if c.name == name {
			return c.run
		}
	}
	return nil
}
