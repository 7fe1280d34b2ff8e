package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

const (
	maxBody  = 1 << 20          // bytes of a request body
	patience = 25 * time.Second // for one request; the Java client gives up after 30 s
)

// request is what an operation gets.
type request struct {
	*api
	http *http.Request
	path map[string]string // values of the route's {}
	body []byte
	old  bool       // it came by a path before 2.16
	who  Credential // whose request it is; the zero one, which may do nothing, where none is asked for
}

// asked reports whether a query flag is on, in the words Spring takes; fallback is for an absent one.
func (r *request) asked(flag string, fallback bool) bool {
	switch strings.ToLower(r.http.URL.Query().Get(flag)) {
	case "":
		return fallback
	case "true", "on", "yes", "1":
		return true
	}
	return false
}

// ServeHTTP goes the way of every request: CORS, authentication, route, body, operation, answer.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if allowOrigins(w, r) {
		return
	}
	if probe, ok := probes[r.URL.Path]; ok {
		response, _ := probe(r.Context(), &request{api: a, http: r})
		a.write(w, response)
		return
	}
	if a.takesReports(w, r) {
		return
	}
	path, old := rewrite(r.URL.Path)
	below, inside := strings.CutPrefix(path, prefix)
	files := path == cdrPath || strings.HasPrefix(path, cdrPath+"/")
	if !inside && !files || old && !a.Deprecated {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	found, values := lookup(r.Method, below) // none for a file
	if found != nil && found.old && !old {
		found = nil
	}
	var who Credential
	if found == nil || !found.public {
		known, err := a.authenticate(w, r, below)
		if err != nil {
			a.refuse(w, r, path, found, err)
			return
		}
		who = *known
	}
	if old {
		a.Log.Warn("deprecated path: use the present one", "path", r.URL.Path, "present", path)
	}
	if files {
		a.serveCDR(w, r, strings.TrimPrefix(strings.TrimPrefix(path, cdrPath), "/"))
		return
	}
	if found == nil {
		w.WriteHeader(http.StatusForbidden) // as OpenVidu 2.32 answers (rest §1.5)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	response, err := a.run(ctx, found, &request{api: a, http: r, path: values, old: old, who: who}, w)
	if err != nil {
		a.refuse(w, r, path, found, err)
		return
	}
	a.write(w, response)
}

func (a *api) run(ctx context.Context, found *route, r *request, w http.ResponseWriter) (response, error) {
	if !found.early && !a.ready() {
		w.Header().Set("Retry-After", "1")
		return response{}, fault.New(fault.NoCapacity, "the server is still loading its sessions: try again")
	}
	if found.grows && a.Room != nil {
		if err := a.Room(); err != nil {
			w.Header().Set("Retry-After", "5")
			return response{}, err
		}
	}
	if r.http.Method != http.MethodGet && r.http.Method != http.MethodHead && r.http.Method != http.MethodDelete {
		var err error
		if r.body, err = io.ReadAll(http.MaxBytesReader(w, r.http.Body, maxBody)); err != nil {
			return response{}, bodyFault(err)
		}
		if err := checkType(r); err != nil {
			return response{}, err
		}
	}
	return found.run(ctx, r)
}

func bodyFault(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.TooLarge, "the body is larger than %d bytes", maxBody)
	}
	return fault.Wrap(fault.Invalid, err, "the body cannot be read")
}

// checkType refuses bodies of the types an HTML form of a foreign page can send with the browser's credentials. A
// request without body may call it what it likes (the node client does).
func checkType(r *request) error {
	media, _, _ := mime.ParseMediaType(r.http.Header.Get("Content-Type"))
	switch media {
	case "application/x-www-form-urlencoded", "multipart/form-data", "text/plain":
		if len(r.body) > 0 {
			return fault.New(fault.Invalid, "Content-Type is %s: send the body as application/json", media)
		}
	}
	return nil
}

// refuse writes an error.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, path string, found *route, err error) {
	told, text := answerTo(err, found)
	if told.status >= http.StatusInternalServerError && told.status != http.StatusNotImplemented {
		a.Log.Error("REST request failed", "method", r.Method, "path", path, "status", told.status, "error", err)
	}
	if !told.body {
		w.WriteHeader(told.status)
		return
	}
	a.write(w, response{told.status, openvidu.RESTError{
		Timestamp: time.Now().UnixMilli(),
		Status:    told.status,
		Error:     http.StatusText(told.status),
		Message:   text,
		Path:      path,
	}})
}

// write sends a response.
func (a *api) write(w http.ResponseWriter, r response) {
	switch body := r.body.(type) {
	case nil:
		w.WriteHeader(r.status)
	case string:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, body) // the caller has gone: nobody is left to tell
	default:
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false) // tokens hold &
		if err := e.Encode(body); err != nil {
			a.Log.Error("REST answer cannot be written", "type", fmt.Sprintf("%T", body), "error", err)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(r.status)
		_, _ = w.Write(bytes.TrimSuffix(text.Bytes(), []byte("\n"))) // scripts compare with "true"
	}
}
