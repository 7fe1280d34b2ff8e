package main

import (
	"fmt"
	"io"
	"runtime/debug"

	"tertulia/internal/wire/openvidu"
)

// release is the version that is being worked on; known issues are listed by it.
const release = "0.1.0"

// version is the release and the commit we are built from.
func version() string {
	commit := "unknown commit"
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	return release + " (" + commit + ")"
}

// showVersion prints it, and the release of OpenVidu we are compatible with.
func showVersion(_ []string, out, _ io.Writer) error {
	_, err := fmt.Fprintf(out, "tertulia %s, serves clients of OpenVidu 2 up to %s\n", version(), openvidu.RESTVersion)
	return err
}
