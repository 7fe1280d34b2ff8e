package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"tertulia/internal/fault"
)

const demoUsage = "  --demo FOLDER\n        Serve a folder of files, an application to try, at / of the one port: short for --extra-routes='[\"/=FOLDER\"]'.\n"

// withDemo writes --demo FOLDER as the setting that it is.
func withDemo(args []string) ([]string, error) {
	var rest []string
	for i := 0; i < len(args); i++ {
		name, dir, given := strings.Cut(args[i], "=")
		if name != "--demo" && name != "-demo" {
			rest = append(rest, args[i])
			continue
		}
		if i++; !given && i < len(args) {
			dir = args[i]
		} else if given {
			i--
		}
		route, err := demoRoute(dir)
		if err != nil {
			return nil, err
		}
		rest = append(rest, "--extra-routes="+route)
	}
	return rest, nil
}

func demoRoute(dir string) (string, error) {
	found, err := os.Stat(dir)
	if err != nil || !found.IsDir() {
		return "", fault.New(fault.Invalid, "--demo %q is no folder that can be read → name the folder with the application's index.html", dir)
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	list, err := json.Marshal([]string{"/=" + path})
	return string(list), err
}
