package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"tertulia/internal/bench"
)

// benchmark measures this program, and others, on this machine. A signal ends servers and clients too.
func benchmark(args []string, out, errs io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("bench: where this program is: %w", err)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	return bench.Command(ctx, self, args, out, errs)
}
