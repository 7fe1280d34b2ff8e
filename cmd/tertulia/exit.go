package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"tertulia/internal/config"
	"tertulia/internal/fault"
)

// Exit codes beside 0. Service managers try again after the first and not after the second (deploy/tertulia.service).
const (
	exitFailed = 1
	exitConfig = 78 // EX_CONFIG of sysexits.h: nothing but a change of the configuration helps
)

// exit is an error with a code of its own; a nil error says that everything has been printed.
type exit struct {
	code int
	error
}

// Unwrap is what errors.Is looks at.
func (e exit) Unwrap() error { return e.error }

// report prints what ended a command, one line per error, and returns the exit code.
func report(errs io.Writer, err error) int {
	var e exit
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &e):
		fmt.Fprintln(errs, "tertulia:", err)
		return exitFailed
	case e.error != nil:
		fmt.Fprintln(errs, e.error)
	}
	return e.code
}

// unusable is an error of the configuration: "PLACE: NAME=value: cause → fix" on a line for each.
func unusable(c config.Config, err error) error {
	var lines []string
	for _, one := range fault.All(err) {
		what, remedy := fault.Split(one)
		line := placed(c, what)
		if remedy != "" {
			line += fault.Arrow + remedy
		}
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return exit{exitConfig, errors.New(strings.Join(lines, "\n"))}
}

// placed adds where a setting was given to a text that begins with its name.
func placed(c config.Config, text string) string {
	name := text[:max(0, strings.IndexAny(text, "=: "))]
	if place := c.Place(name); place != "" {
		return place + ": " + text
	}
	return text
}

// ofStart tells an error of a start that only the configuration can mend from one that may pass by itself: another
// program's port, another process's data folder.
func ofStart(err error) bool {
	return fault.Is(err, fault.Invalid) && !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, syscall.EWOULDBLOCK)
}
