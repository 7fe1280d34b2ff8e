package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"tertulia/internal/app"
	"tertulia/internal/config"
	"tertulia/internal/fault"
)

const configUsage = `Usage: tertulia config [check|import FILE|set NAME=VALUE …|log|diff|undo] [--data DIR]
Without a word: print the reference of all settings.
check    read the settings as a start would, and say of each name that is given what it does; ports are not opened
import   take the .env of an OpenVidu 2 deployment over as DIR/.env; --force replaces one that is there
set      change settings; a running server takes over what is live
log      list the versions of DIR/.env
diff     show what DIR/.env says that its latest version does not
undo     put back what was before: the latest version, or the one before it
Exit code: 0, or 78 if the configuration cannot be used.
`

// configFlags are those of the command itself; the others are settings.
type configFlags struct {
	word, data string
	force      bool
	rest       []string // the words behind
	settings   []string // as config.Load takes them
}

func parseConfig(args []string) (f configFlags, err error) {
	f.data = "data"
	for i := 0; i < len(args); i++ {
		name, value, given := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		switch isFlag := strings.HasPrefix(args[i], "-"); {
		case isFlag && (name == "help" || name == "h"):
			return f, flag.ErrHelp
		case isFlag && name == "force" && !given:
			f.force = true
		case isFlag && name == "data":
			if !given {
				if i++; i == len(args) {
					return f, fault.New(fault.Invalid, "command line: --data has no value → see --help")
				}
				value = args[i]
			}
			f.data = value
		case isFlag:
			f.settings = append(f.settings, args[i])
		case f.word == "":
			f.word = args[i]
		default:
			f.rest = append(f.rest, args[i])
		}
	}
	f.settings = append(f.settings, "--data="+f.data)
	return f, nil
}

// configure is `tertulia config`.
func configure(args []string, out, errs io.Writer) error {
	f, err := parseConfig(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(errs, configUsage)
		return err
	}
	if err != nil {
		return unusable(config.Config{}, err)
	}
	words := map[string]func(configFlags, io.Writer) error{
		"": showReference, "check": checkConfig, "import": importConfig, "set": setConfig, "log": logConfig, "diff": diffConfig, "undo": undoConfig,
	}
	run := words[f.word]
	if run == nil || len(f.rest) > 0 != slices.Contains([]string{"import", "set"}, f.word) || f.word == "import" && len(f.rest) != 1 {
		fmt.Fprint(errs, configUsage)
		return unusable(config.Config{}, fault.New(fault.Invalid, "command line: config %s is not a command, or takes other arguments → see --help", f.word))
	}
	return run(f, out)
}

func showReference(_ configFlags, out io.Writer) error {
	_, err := io.WriteString(out, config.Reference())
	return err
}

// author is who is told to have changed something.
func author() string {
	name := os.Getenv("SUDO_USER")
	if u, err := user.Current(); name == "" && err == nil {
		name = u.Username
	}
	return "cli " + cmp.Or(name, "unknown")
}

// checkConfig makes nothing and changes nothing.
func checkConfig(f configFlags, out io.Writer) error {
	c, err := config.Inspect(f.settings, os.Environ())
	if err == nil {
		err = app.Check(c)
	}
	if err != nil {
		return unusable(c, err)
	}
	for _, warning := range c.Warnings {
		fmt.Fprintln(out, "warning:", warning)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range config.Settings() {
		if place := c.Place(s.Name); place != "" {
			fmt.Fprintf(table, "%s\t%s\t%s\n", s.Name, c.Value(s), place)
		}
	}
	for _, name := range c.Without {
		fmt.Fprintf(table, "%s\twithout effect\t%s\n", name, config.Without(name))
	}
	return table.Flush()
}

func importConfig(f configFlags, out io.Writer) error {
	text, err := readLimited(f.rest[0])
	if err != nil {
		return unusable(config.Config{}, err)
	}
	imported, err := config.Import(f.rest[0], text)
	if err != nil {
		return unusable(config.Config{}, err)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range imported.Rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", row.Name, row.Value, row.Fate, row.Note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := imported.Write(f.data, author(), f.force); err != nil {
		return unusable(config.Config{}, err)
	}
	_, err = fmt.Fprintf(out, "\n%d taken, %d defaults, %d added, %d without effect, %d not built yet, %d unknown: written to %s/.env\n",
		imported.Count(config.Taken), imported.Count(config.Default), imported.Count(config.Added), imported.Count(config.Idle), imported.Count(config.NotBuilt), imported.Count(config.Unknown), f.data)
	return err
}

func readLimited(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s: cannot be read → name the .env of an OpenVidu 2 deployment", name)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 1<<20+1))
	if err != nil || len(text) > 1<<20 {
		return nil, fault.Wrap(fault.Invalid, err, "%s: cannot be read, or is larger than 1 MB → name the .env of an OpenVidu 2 deployment", name)
	}
	return text, nil
}

func setConfig(f configFlags, out io.Writer) error {
	values := map[string]string{}
	for _, word := range f.rest {
		name, value, ok := strings.Cut(word, "=")
		if !ok || !config.Known(name) {
			return unusable(config.Config{}, fault.New(fault.Invalid, "command line: %s is not NAME=VALUE of a setting → see docs/reference/configuration.md", name))
		}
		values[name] = value
	}
	changes, err := config.Set(f.data, author(), values)
	if err != nil {
		return unusable(config.Config{}, err)
	}
	for _, change := range changes {
		effect := "a running server takes it over"
		if !change.Live {
			effect = "needs a restart; calls go on over it"
		}
		fmt.Fprintf(out, "%s (%s)\n", change, effect)
	}
	return nil
}

func logConfig(f configFlags, out io.Writer) error {
	list, err := config.History(f.data)
	if err != nil {
		return err
	}
	for _, v := range slices.Backward(list) {
		fmt.Fprintf(out, "%d  %s  %s\n", v.Number, v.At.Format(time.RFC3339), v.Author)
		for _, change := range v.Changes {
			fmt.Fprintf(out, "    %s\n", change)
		}
	}
	return nil
}

func diffConfig(f configFlags, out io.Writer) error {
	c, _ := config.Inspect([]string{"--data=" + f.data}, nil)
	text, err := c.ReadFile()
	if err != nil {
		return unusable(c, err)
	}
	for _, change := range config.Compare([]byte(config.Latest(f.data).Text), text) {
		fmt.Fprintln(out, change)
	}
	return nil
}

func undoConfig(f configFlags, out io.Writer) error {
	c, _ := config.Inspect([]string{"--data=" + f.data}, nil)
	before, err := c.ReadFile()
	if err != nil {
		return unusable(c, err)
	}
	v, err := config.Undo(f.data, author())
	if err != nil {
		return unusable(c, err)
	}
	for _, change := range config.Compare(before, []byte(v.Text)) {
		fmt.Fprintln(out, change)
	}
	_, err = fmt.Fprintf(out, "version %d is written; a running server takes it over by itself\n", v.Number)
	return err
}
