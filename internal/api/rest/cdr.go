package rest

import (
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
)

const cdrPath = "/openvidu/cdr"

// serveCDR answers for the files of events, which stand outside the API: their names, or one of them as it is.
func (a *api) serveCDR(w http.ResponseWriter, r *http.Request, file string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.WriteHeader(http.StatusForbidden) // as for every route there is not
		return
	}
	root := a.openCDR()
	if root != nil {
		defer root.Close()
	}
	if file == "" {
		a.write(w, ok(cdrNames(root)))
		return
	}
	if root == nil || !isCDR(path.Base(file)) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	found, err := root.Open(file) // which never leaves the folder
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	defer found.Close()
	stat, err := found.Stat()
	if err != nil || !stat.Mode().IsRegular() {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	http.ServeContent(w, r, "", stat.ModTime(), found)
}

// openCDR returns the folder of the files, nil if there is none.
func (a *api) openCDR() *os.Root {
	if a.CDR == nil || a.CDR() == "" {
		return nil
	}
	root, err := os.OpenRoot(a.CDR())
	if err != nil {
		a.Log.Warn("CDR files cannot be listed", "error", err)
		return nil
	}
	return root
}

// isCDR tells by its name a file of events: OPENVIDU_CDR_PATH may be a folder with other logs.
func isCDR(name string) bool {
	return strings.HasPrefix(name, "CDR.") && strings.HasSuffix(name, ".log")
}

// cdrNames are the files in a folder and below it, as the original lists them: without their folders.
func cdrNames(root *os.Root) []string {
	names := []string{}
	if root == nil {
		return names
	}
	_ = fs.WalkDir(root.FS(), ".", func(_ string, entry fs.DirEntry, err error) error {
		if len(names) == maxEntries {
			return fs.SkipAll
		}
		if err == nil && entry.Type().IsRegular() && isCDR(entry.Name()) {
			names = append(names, entry.Name())
		}
		return nil // what cannot be read is left out
	})
	return names
}
