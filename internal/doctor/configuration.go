package doctor

import (
	"context"
	"path/filepath"
	"strings"

	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
)

// checkConfiguration tells what config.Inspect has found: a sentence with its place, and a remedy, for each error.
func checkConfiguration(_ context.Context, h *host) Check {
	broken := fault.All(h.Broken)
	if len(broken) == 0 {
		return fine(append([]string{filepath.Join(h.Config.Data, ".env")}, h.Config.Warnings...)...)
	}
	var evidence, remedies []string
	for _, err := range broken {
		what, remedy := fault.Split(err)
		evidence = append(evidence, oneLine(what))
		remedies = append(remedies, oneLine(remedy))
	}
	return faulty(diagnosis.ConfigInvalid, values{"remedy": strings.Join(remedies, "; ")}, evidence...)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
