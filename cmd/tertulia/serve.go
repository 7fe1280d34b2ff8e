package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"tertulia/internal/app"
	"tertulia/internal/config"
)

// causes of the end by signal (docs/adr/0001-signals.md).
var causes = map[os.Signal]error{os.Interrupt: app.ErrEndCalls}

// serve runs a node until a signal: SIGINT ends the calls, SIGTERM keeps them for the next process.
func serve(args []string, out, errs io.Writer) error {
	args, err := withDemo(args)
	if err != nil {
		return unusable(config.Config{}, err)
	}
	c, err := config.Load(args, os.Environ())
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(errs, config.Usage())
		fmt.Fprint(errs, demoUsage)
		return err
	}
	if err != nil {
		return unusable(c, err)
	}
	log := logger(c, errs)
	for _, w := range c.Warnings {
		log.Warn(w)
	}
	if len(c.Without) > 0 {
		log.Info("settings without effect here, `tertulia config check` says why", "names", strings.Join(c.Without, " "))
	}
	if c.SecretGenerated {
		fmt.Fprintf(out, "OPENVIDU_SECRET=%s (generated, kept in %s; shown this once)\n", c.Secret, c.Data)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var watching sync.WaitGroup
	watching.Go(func() {
		if s, open := <-signals; open {
			signal.Stop(signals) // a second one ends the process at once
			cancel(causes[s])
		}
	})
	defer func() {
		signal.Stop(signals)
		close(signals)
		watching.Wait()
	}()
	served := false
	err = app.Run(ctx, c, log, func(url string) { served = true; greet(out, c, url) })
	if err != nil && !served && ofStart(err) {
		return unusable(c, err)
	}
	return err
}

// greet says where the node is, on a line for programs, and what to do next.
func greet(out io.Writer, c config.Config, url string) {
	fmt.Fprintln(out, "ready", url)
	switch root := slices.IndexFunc(c.Edge.Routes, func(r config.Route) bool { return r.Path == "/" }); {
	case root >= 0:
		fmt.Fprintln(out, "Your application is there:", c.Edge.Routes[root].Target)
	case c.CallPage != "off":
		fmt.Fprintln(out, "Open it in two tabs and you are in a call. Ctrl-C ends it.")
	}
	if c.CertificateType == "selfsigned" {
		fmt.Fprintln(out, "The certificate is self-signed: the browser asks about it once.")
	}
	if c.Domain == "" {
		fmt.Fprintln(out, "For other machines, set DOMAIN_OR_PUBLIC_IP to the name or address they reach this one by.")
	}
}

// leveled is a log whose level can be set while it is written to (LOG_LEVEL is live).
type leveled struct {
	slog.Handler
	*slog.LevelVar
}

func logger(c config.Config, out io.Writer) *slog.Logger {
	level := new(slog.LevelVar)
	_ = level.UnmarshalText([]byte(c.LogLevel)) // config has checked it
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(leveled{slog.NewJSONHandler(out, options), level})
	}
	return slog.New(leveled{slog.NewTextHandler(out, options), level})
}
