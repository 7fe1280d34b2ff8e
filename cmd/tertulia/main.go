package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
)

// command is one word after "tertulia".
type command struct {
	name, summary string
	run           func(args []string, out, errs io.Writer) error
}

func commands() []command {
	return []command{
		{"serve", "run a server (tertulia serve --data DIR)", serve},
		{"doctor", "examine this machine and the configuration (tertulia doctor --help)", examine},
		{"bench", "measure what forwarding costs here, beside other servers (tertulia bench --help)", benchmark},
		{"config", "settings: reference, check, import, set, log, diff, undo (tertulia config --help)", configure},
		{"version", "print the version", showVersion},
	}
}

func main() {
	if err := dispatch(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		os.Exit(report(os.Stderr, err))
	}
}

func dispatch(args []string, out, errs io.Writer) error {
	known := commands()
	if len(args) > 0 {
		if i := slices.IndexFunc(known, func(c command) bool { return c.name == args[0] }); i >= 0 {
			return known[i].run(args[1:], out, errs)
		}
	}
	fmt.Fprintln(errs, "Usage: tertulia COMMAND [--setting=value …]")
	for _, c := range known {
		fmt.Fprintf(errs, "  %-8s %s\n", c.name, c.summary)
	}
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		return flag.ErrHelp
	}
	return fmt.Errorf("unknown command %q", args[0])
}
