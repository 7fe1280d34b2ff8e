package dashboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// page serves the built files. A file's name under assets/ holds a hash of its content, so a browser may keep it for
// ever; the documents name those files and are asked for each time, so a plain reload runs the build being served.
type page struct{ files fs.FS }

const unbuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tertulia</title>
<h1>The call page is not built</h1>
<p>This server was compiled without its page. In the source tree run <code>make build</code>, then start it again.</p>
<p>Everything else works: the REST API and clients of <code>openvidu-browser</code> do not need the page.</p>
`

func (p page) document(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		content, err := fs.ReadFile(p.files, name)
		if err != nil {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(unbuilt))
			return
		}
		send(w, r, name, content)
	}
}

func (p page) asset(w http.ResponseWriter, r *http.Request) {
	name := "assets/" + r.PathValue("name") // fs refuses names with . or .. in them
	w.Header().Set("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		if packed, err := fs.ReadFile(p.files, name+".gz"); err == nil {
			w.Header().Set("Content-Encoding", "gzip")
			keepForever(w)
			send(w, r, name, packed)
			return
		}
	}
	content, err := fs.ReadFile(p.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	keepForever(w)
	send(w, r, name, content)
}

func keepForever(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
}

// send answers with the content, or with 304 if the client's ETag is that of the content.
func send(w http.ResponseWriter, r *http.Request, name string, content []byte) {
	sum := sha256.Sum256(content)
	w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}

// acceptsGzip reads Accept-Encoding as far as browsers use it; who writes weights gets the plain file.
func acceptsGzip(r *http.Request) bool {
	for _, coding := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		if strings.TrimSpace(coding) == "gzip" {
			return true
		}
	}
	return false
}
