package main

import (
	"fmt"
	"io"
	"runtime/debug"

	"tertulia/internal/wire/openvidu"
)

// showVersion prints the release of OpenVidu we are compatible with and the commit we are built from.
func showVersion(_ []string, out, _ io.Writer) error {
	commit := "unknown commit"
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	_, err := fmt.Fprintf(out, "tertulia (%s), serves clients of OpenVidu 2 up to %s\n", commit, openvidu.RESTVersion)
	return err
}
