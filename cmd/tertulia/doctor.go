package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/doctor"
	"tertulia/internal/fault"
)

const doctorUsage = `Usage: tertulia doctor [turn|bundle] [--data DIR] [--setting=value …]
Examines this machine and the configuration that serve would have; a server may be running.
Exit code: 0 fine or warnings only, 1 faults, 78 the configuration cannot be used.
  --json                 print a document instead of lines
  --known-issues FILE    this list of known issues instead of the one inside
turn: only TURN, over every transport.
  --url URL              this server (turn:HOST:PORT?transport=udp) instead of the configured ones
  --secret S             the secret its credentials are made from; or
  --username U --credential C
bundle: write a .tar.gz for somebody who helps; no secret, token or credential is in it.
  --redact               no full address and no host name either
  -o FILE                where to; - is standard output
`

// doctorFlags are those of the command itself; the others are settings.
type doctorFlags struct {
	word         string // "turn", "bundle" or ""
	json, redact bool
	knownIssues  string
	out          string
	turn         doctor.TURNServer
}

// parseDoctor takes its own flags out and leaves the settings.
func parseDoctor(args []string) (f doctorFlags, settings []string, err error) {
	switches := map[string]*bool{"json": &f.json, "redact": &f.redact}
	texts := map[string]*string{
		"known-issues": &f.knownIssues, "o": &f.out, "out": &f.out, "url": &f.turn.URL,
		"secret": &f.turn.Secret, "username": &f.turn.Username, "credential": &f.turn.Credential,
	}
	for i := 0; i < len(args); i++ {
		name, value, given := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		isFlag := strings.HasPrefix(args[i], "-")
		switch {
		case isFlag && switches[name] != nil && !given:
			*switches[name] = true
		case isFlag && texts[name] != nil:
			if !given {
				if i++; i == len(args) {
					return f, nil, fault.New(fault.Invalid, "command line: --%s has no value → see --help", name)
				}
				value = args[i]
			}
			*texts[name] = value
		case isFlag && !given && name != "help" && name != "h" && i+1 < len(args): // a setting and its value
			settings = append(settings, args[i], args[i+1])
			i++
		case args[i] == "turn" || args[i] == "bundle":
			f.word = args[i]
		default:
			settings = append(settings, args[i])
		}
	}
	if t := f.turn; t.URL == "" && t != (doctor.TURNServer{}) {
		return f, nil, fault.New(fault.Invalid, "command line: --secret, --username and --credential are of a server that is not named → add --url turn:HOST:PORT")
	}
	return f, settings, nil
}

// examine is `tertulia doctor`.
func examine(args []string, out, errs io.Writer) error {
	f, settings, err := parseDoctor(args)
	if err != nil {
		return unusable(config.Config{}, err)
	}
	c, broken := config.Inspect(settings, os.Environ())
	if errors.Is(broken, flag.ErrHelp) {
		fmt.Fprint(errs, doctorUsage, "Settings:\n", config.Usage())
		return broken
	}
	if c.Data == "" {
		return unusable(c, broken)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	options := doctor.Options{Config: c, Broken: broken, Version: version(), KnownIssues: f.knownIssues}
	if f.turn.URL != "" {
		options.TURN = []doctor.TURNServer{f.turn}
	}
	if f.word == "bundle" {
		return writeBundle(ctx, options, f, out)
	}
	var only []string
	if f.word == "turn" {
		only = []string{"TURN"}
	}
	return print(doctor.Examine(ctx, options, only...), f.json, out)
}

// print writes a report; its verdict is the exit code.
func print(r doctor.Report, asJSON bool, out io.Writer) error {
	write := r.Text
	if asJSON {
		write = r.JSON
	}
	switch err := write(out); {
	case err != nil:
		return err
	case r.Unusable():
		return exit{code: exitConfig}
	case r.Verdict == doctor.Faulty:
		return exit{code: exitFailed}
	}
	return nil
}

func writeBundle(ctx context.Context, o doctor.Options, f doctorFlags, out io.Writer) error {
	var archive bytes.Buffer
	if err := doctor.Bundle(ctx, o, f.redact, &archive); err != nil {
		return err
	}
	if f.out == "-" {
		_, err := out.Write(archive.Bytes())
		return err
	}
	if f.out == "" {
		f.out = time.Now().UTC().Format("tertulia-20060102-150405.tar.gz")
	}
	if err := os.WriteFile(f.out, archive.Bytes(), 0o600); err != nil {
		return fmt.Errorf("doctor bundle: -o %s: %w", f.out, err)
	}
	_, err := fmt.Fprintf(out, "%s (%d KB)\n", f.out, archive.Len()/1000+1)
	return err
}
