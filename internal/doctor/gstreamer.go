package doctor

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"

	"tertulia/internal/diagnosis"
)

// elements that the worker's pipelines are made of, and the Debian package of each.
var elements = []struct{ name, pkg string }{
	{"opusdec", "gstreamer1.0-plugins-base"}, {"opusenc", "gstreamer1.0-plugins-base"},
	{"compositor", "gstreamer1.0-plugins-base"}, {"audiomixer", "gstreamer1.0-plugins-base"},
	{"vp8dec", "gstreamer1.0-plugins-good"}, {"vp8enc", "gstreamer1.0-plugins-good"},
	{"vp9dec", "gstreamer1.0-plugins-good"}, {"webmmux", "gstreamer1.0-plugins-good"}, {"mp4mux", "gstreamer1.0-plugins-good"},
	{"rtpvp8depay", "gstreamer1.0-plugins-good"}, {"rtspsrc", "gstreamer1.0-plugins-good"},
	{"zbar", "gstreamer1.0-plugins-bad"}, {"x264enc", "gstreamer1.0-plugins-ugly"}, {"avdec_h264", "gstreamer1.0-libav"},
	{"textoverlay", "gstreamer1.0-x"},
}

// checkGStreamer asks gst-inspect-1.0 for each element. Nothing in this version needs them yet: it is a warning.
func checkGStreamer(ctx context.Context, _ *host) Check {
	inspect, err := exec.LookPath("gst-inspect-1.0")
	if err != nil {
		packages := []string{"gstreamer1.0-tools"}
		for _, e := range elements {
			packages = append(packages, e.pkg)
		}
		return missing([]string{"gst-inspect-1.0"}, packages)
	}
	var names, packages []string
	for _, e := range elements {
		err := exec.CommandContext(ctx, inspect, "--exists", e.name).Run() //nolint:gosec // a name of the table above
		var status *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return unchecked(inspect + " takes too long")
		case errors.As(err, &status):
			names, packages = append(names, e.name), append(packages, e.pkg)
		case err != nil:
			return unchecked(err.Error())
		}
	}
	if len(names) > 0 {
		return missing(names, packages)
	}
	return fine(inspect + " knows every element")
}

func missing(names, packages []string) Check {
	slices.Sort(packages)
	return faulty(diagnosis.GStreamerMissing, values{
		"missing": strings.Join(names, ", "), "packages": strings.Join(slices.Compact(packages), " "),
	})
}
