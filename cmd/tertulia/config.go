package main

import (
	"io"
	"os"

	"tertulia/internal/config"
)

// showConfig prints the settings as a server started with the same arguments would have them; secrets are hidden.
func showConfig(args []string, out, _ io.Writer) error {
	return config.Show(out, args, os.Environ())
}
