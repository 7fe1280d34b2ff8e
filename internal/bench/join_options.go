package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// mostBots bounds bots: each receives all others, so that endpoints grow with the square.
const mostBots = 70

// joining says who joins which session.
type joining struct {
	session, url, secret, data   string
	bots                         int
	length                       time.Duration // 0: until interrupted
	publishOnly, watchOnly, wild bool
}

// joinsSession tells bots for a session from the scenario of the same name.
func joinsSession(args []string) bool {
	return len(args) > 0 && args[0] == "join" && slices.ContainsFunc(args[1:], func(a string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		return strings.HasPrefix(a, "-") && name == "session"
	})
}

func parseJoining(args []string, errs io.Writer) (joining, error) {
	var j joining
	f := flag.NewFlagSet("join", flag.ContinueOnError)
	f.SetOutput(errs)
	f.Usage = func() {
		fmt.Fprint(errs, "Usage: tertulia bench join --session NAME [flags]\n\n"+
			"Bots join a session of a running server, which is made if there is none. Each publishes colour bars and silence, and receives\n"+
			"what all others publish, people too. Every second a line tells how many streams arrive.\n\n")
		f.PrintDefaults()
	}
	f.StringVar(&j.session, "session", "", "`name` of the session")
	f.IntVar(&j.bots, "bots", 1, "how many join")
	f.StringVar(&j.url, "url", "https://localhost:4443", "the server")
	f.StringVar(&j.secret, "secret", "", "its OPENVIDU_SECRET; unless given, that of the environment, or of the data folder")
	f.StringVar(&j.data, "data", "data", "data `folder` of a server on this machine")
	f.DurationVar(&j.length, "for", 0, "how long they stay, such as 90s; 0 is until Ctrl-C")
	f.BoolVar(&j.publishOnly, "publish-only", false, "receive nothing")
	f.BoolVar(&j.watchOnly, "watch-only", false, "publish nothing")
	f.BoolVar(&j.wild, "insecure", false, "accept any certificate of another machine, and show it the secret")
	if len(args) == 2 && args[0] == "--session" && strings.TrimLeft(args[1], "-") == "help" {
		args = args[1:]
	}
	if err := f.Parse(args); err != nil {
		return j, err
	}
	switch {
	case f.NArg() > 0:
		return j, fmt.Errorf("bench join: %q is no flag", f.Arg(0))
	case j.session == "" || strings.ContainsAny(j.session, "/?#& "):
		return j, fmt.Errorf("bench join: --session=%q is no name of a session", j.session)
	case j.bots < 1 || j.bots > mostBots:
		return j, fmt.Errorf("bench join: --bots=%d: want 1 to %d", j.bots, mostBots)
	case j.length < 0:
		return j, fmt.Errorf("bench join: --for=%v: want a length of time, or 0", j.length)
	case j.publishOnly && j.watchOnly:
		return j, errors.New("bench join: --publish-only and --watch-only leave nothing to do; give one of them")
	}
	if j.secret == "" {
		j.secret = os.Getenv("OPENVIDU_SECRET")
	}
	if j.secret == "" {
		kept, err := os.ReadFile(filepath.Join(j.data, "secret"))
		if err != nil {
			return j, fmt.Errorf("bench join: no secret: give --secret, set OPENVIDU_SECRET, or name the server's data folder with --data: %w", err)
		}
		j.secret = strings.TrimSpace(string(kept))
	}
	return j, nil
}
