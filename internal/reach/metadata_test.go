package reach

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// service is a metadata service of one cloud.
func service(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s.URL
}

func TestEachCloudIsAskedAsItWants(t *testing.T) {
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		cloud  string
		public string
	}{
		"AWS": {func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" && r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds") != "":
				_, _ = w.Write([]byte("TOKEN=="))
			case r.Method == http.MethodGet && r.URL.Path == "/latest/meta-data/public-ipv4" && r.Header.Get("X-aws-ec2-metadata-token") == "TOKEN==":
				_, _ = w.Write([]byte("203.0.113.9"))
			default:
				http.NotFound(w, r)
			}
		}, "AWS", "203.0.113.9"},
		"AWS without an address": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				_, _ = w.Write([]byte("TOKEN"))
				return
			}
			http.NotFound(w, r)
		}, "AWS", "invalid IP"},
		"GCP": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Metadata-Flavor") != "Google" || r.URL.Path != "/computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip" {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Metadata-Flavor", "Google")
			_, _ = w.Write([]byte("203.0.113.10\n"))
		}, "GCP", "203.0.113.10"},
		"GCP without an address": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Metadata-Flavor", "Google")
			if r.Header.Get("Metadata-Flavor") != "Google" {
				w.WriteHeader(http.StatusForbidden)
			}
		}, "GCP", "invalid IP"},
		"Azure": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Metadata") != "true" || r.URL.Query().Get("api-version") == "" || !strings.HasPrefix(r.URL.Path, "/metadata/instance/network/") {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			_, _ = w.Write([]byte("203.0.113.11"))
		}, "Azure", "203.0.113.11"},
		"DigitalOcean": {only("/metadata/v1/interfaces/public/0/ipv4/address", "203.0.113.12"), "DigitalOcean", "203.0.113.12"},
		"Hetzner":      {only("/hetzner/v1/metadata/public-ipv4", "203.0.113.13\n"), "Hetzner", "203.0.113.13"},
	} {
		if got := askClouds(t.Context(), service(t, c.handle)); got.name != c.cloud || got.public.String() != c.public {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func only(path, answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(answer))
	}
}

// What is no metadata service, or lies, tells nothing.
func TestWhatIsNoMetadataServiceIsNotBelieved(t *testing.T) {
	elsewhere := service(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("203.0.113.66")) })
	for name, handle := range map[string]http.HandlerFunc{
		"a web server that answers anything": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>welcome</html>")) },
		"one that has nothing":               http.NotFound,
		"one that sends elsewhere":           func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) },
		"a private address":                  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("10.0.0.1")) },
		"a loopback address":                 func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("127.0.0.1")) },
		"two addresses":                      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("203.0.113.1 203.0.113.2")) },
		"a long answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat(" ", 1<<20) + "203.0.113.1"))
		},
		"an error with an address": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte("203.0.113.1"))
		},
		"silence": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		if got := askClouds(t.Context(), service(t, handle)); got != (cloud{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := askClouds(t.Context(), "http://127.0.0.1:1"); got != (cloud{}) {
		t.Errorf("nobody: %+v", got)
	}
}

type mute struct{}

func (mute) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// No service is waited for longer than a second, however many there are.
func TestSilentMetadataServicesCostASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if got := askCloudsBy(t.Context(), "http://192.0.2.1", mute{}); got != (cloud{}) || time.Since(began) != metadataWithin {
			t.Errorf("%+v after %v", got, time.Since(began))
		}
	})
}
