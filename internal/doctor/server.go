package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds one answer of the running server, in bytes.
const maxAnswer = 4 << 20

// running asks the server that has the data folder; it is sent our secret, so it must be that process and no other.
type running struct {
	base   string
	secret string
	http   *http.Client
}

// errNoServer says that nobody can be asked.
var errNoServer = errors.New("no server of this data folder is running, or this user may not see its process")

// reach finds the running server's port by its process, and by the only one that speaks TLS: flags may have given it
// others than we know.
func (h *host) reach(ctx context.Context) (*running, error) {
	if h.server == 0 {
		return nil, errNoServer
	}
	insecure := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the process is known by its lock and its socket; the certificate is for clients' names
	for _, port := range openPorts(h.root, h.server) {
		at := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if !speaksTLS(ctx, at, insecure) {
			continue
		}
		return &running{
			base: "https://" + at, secret: h.Config.Secret,
			http: &http.Client{
				Transport:     &http.Transport{TLSClientConfig: insecure, DisableKeepAlives: true},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
				Timeout:       checkWithin,
			},
		}, nil
	}
	return nil, errNoServer
}

// greetWithin bounds one handshake: the ports for plain HTTP and TURN refuse it at once.
const greetWithin = time.Second

func speaksTLS(ctx context.Context, at string, config *tls.Config) bool {
	ctx, cancel := context.WithTimeout(ctx, greetWithin)
	defer cancel()
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", at)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// openPorts are the TCP ports that a process listens on at every address, smallest first.
func openPorts(root fs.FS, pid int) []int {
	links, ok := root.(linkReader)
	if !ok {
		return nil
	}
	dir := fmt.Sprintf("proc/%d/fd", pid)
	entries, err := fs.ReadDir(root, dir)
	if err != nil {
		return nil
	}
	sockets := map[string]bool{}
	for _, e := range entries {
		if link, err := links.ReadLink(dir + "/" + e.Name()); err == nil {
			sockets[link] = true
		}
	}
	var ports []int
	for _, table := range []string{"tcp", "tcp6"} {
		for _, s := range bound(root, table) {
			if s.everywhere && sockets["socket:["+s.inode+"]"] {
				ports = append(ports, s.port)
			}
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// get answers with a page of the REST API.
func (r *running) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path, nil)
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth("OPENVIDUAPP", r.secret)
	return fetch(r.http, request)
}

func fetch(client *http.Client, request *http.Request) ([]byte, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	switch response.StatusCode {
	case http.StatusOK, http.StatusConflict, http.StatusServiceUnavailable: // health answers so if it is UP, UNSTABLE or DOWN
		return text, nil
	}
	return nil, fmt.Errorf("%s: %s", request.URL.Path, response.Status)
}

// page fetches one of the private port, which has no password.
func (h *host) page(ctx context.Context, path string) ([]byte, error) {
	address := h.Config.MetricsAddress
	if address == "" || strings.HasSuffix(address, ":0") {
		return nil, errors.New("METRICS_PORT is not set")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return nil, err
	}
	direct := &http.Transport{DisableKeepAlives: true} // no proxy: it would ask its own machine
	return fetch(&http.Client{Transport: direct, Timeout: 10 * time.Second}, request)
}
