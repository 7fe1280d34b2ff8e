package main

import (
	"io"

	"tertulia/internal/config"
)

// showConfig prints the reference of all settings, the one in docs/reference/configuration.md.
func showConfig(_ []string, out, _ io.Writer) error {
	_, err := io.WriteString(out, config.Reference())
	return err
}
