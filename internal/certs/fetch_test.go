package certs

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestFetchedIntermediatesAreKept(t *testing.T) {
	root := newRoot(t)
	var asked atomic.Int32
	tree := http.NewServeMux()
	web := httptest.NewServer(tree)
	high := root.sub(t, "High")
	low := high.sub(t, "Low", web.URL+"/high")
	tree.HandleFunc("/low", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/moved", http.StatusFound)
	})
	tree.HandleFunc("/moved", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(degenerate(t, low)) })
	tree.HandleFunc("/high", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(high.pem()) })
	leaf := low.leaf(t, "example.org", nil, "ldap://example.org/cn=low", web.URL+"/low")
	config := owned(t, files{"a.pem": joined(leaf.pem(), leaf.keyPEM(t))})
	config.roots = root.pool()
	if shown := shown(t, store(t, config)); len(shown.Certificate) != 3 {
		t.Errorf("%d certificates, want 3", len(shown.Certificate))
	}
	web.Close()
	if shown := shown(t, store(t, config)); len(shown.Certificate) != 3 || asked.Load() != 1 {
		t.Errorf("the second start shows %d certificates after %d requests; want 3 after 1", len(shown.Certificate), asked.Load())
	}
}

// TestACopyThatCannotBeKept: looking makes nothing, and a folder that cannot be written to is no reason to lack a chain.
func TestACopyThatCannotBeKept(t *testing.T) {
	root := newRoot(t)
	middle := root.sub(t, "Middle")
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(middle.Raw) }))
	defer web.Close()
	leaf := middle.leaf(t, "example.org", nil, web.URL+"/middle")
	config := owned(t, files{"a.pem": joined(leaf.pem(), leaf.keyPEM(t))})
	config.roots = root.pool()
	kept := filepath.Join(config.Dir, "certificates", "intermediates")
	if status := Check(t.Context(), config); !status.Complete || len(status.Problems) > 0 {
		t.Errorf("looked at: %+v", status)
	}
	if _, err := os.Stat(kept); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("looking has made %s: %v", kept, err)
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, nil, 0o600); err != nil { // where the folder would be
		t.Fatal(err)
	}
	if status := store(t, config).Status(); !status.Complete || len(status.Problems) > 0 {
		t.Errorf("not kept: %+v", status)
	}
}

func TestIntermediatesThatCannotBeFetchedAreNamed(t *testing.T) {
	root := newRoot(t)
	middle, stranger := root.sub(t, "Middle"), root.sub(t, "Stranger")
	tree := http.NewServeMux()
	web := httptest.NewServer(tree)
	defer web.Close()
	tree.HandleFunc("/stranger", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(stranger.Raw) })
	tree.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, mostFetchBytes+1)) })
	tree.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	tree.HandleFunc("/secure", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://example.org/", http.StatusFound)
	})
	for path, want := range map[string]string{
		"/stranger": "is not the issuer's certificate", "/large": "is larger than", "/round": "redirects too often",
		"/secure": "not to http", "/none": "404", "": "does not say where",
	} {
		var urls []string
		if path != "" {
			urls = []string{web.URL + path}
		}
		leaf := middle.leaf(t, "example.org", nil, urls...)
		log := &logbook{}
		config := owned(t, files{"a.pem": joined(leaf.pem(), leaf.keyPEM(t))})
		config.Log = log.logger()
		s := store(t, config)
		problems := s.Status().Problems
		if len(problems) != 1 || problems[0].Code != ChainIncomplete || s.Status().Complete {
			t.Errorf("%s: found %+v", path, problems)
			continue
		}
		for _, part := range append([]string{`"Middle"`, "example.org", want}, urls...) {
			if !strings.Contains(problems[0].Error(), part) || !strings.Contains(log.String(), "the chain lacks") {
				t.Errorf("%s: %q does not say %q; the log %q", path, problems[0], part, log)
			}
		}
	}
}

// A certificate in the folder must not make us ask hosts of this network for things.
func TestNobodyInsideIsAsked(t *testing.T) {
	var asked atomic.Int32
	web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer web.Close()
	leaf := newRoot(t).leaf(t, "example.org", nil, web.URL+"/x", strings.Replace(web.URL, "127.0.0.1", "localhost", 1))
	config := owned(t, files{"a.pem": joined(leaf.pem(), leaf.keyPEM(t))})
	config.reach = nil
	if problems := store(t, config).Status().Problems; len(problems) != 1 || !strings.Contains(problems[0].Text, "is not a public address") {
		t.Errorf("found %+v", problems)
	}
	if asked.Load() != 0 {
		t.Errorf("loopback was asked %d times", asked.Load())
	}
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "fe80::1": false, "fd00::1": false,
		"::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "198.18.0.1": false, "::": false, "ff02::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is public: %v, want %v", address, got, want)
		}
	}
}

func FuzzFetched(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"))
	f.Add([]byte{0x30, 0x82, 1, 0})
	f.Add([]byte("\xff\xfe-\x00"))
	root, err := issue(identity{name: "example.org"}, time.Now(), time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(root)
	child, err := tls.X509KeyPair(root, root)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c := pick(raw, child.Leaf); c != nil && !issued(c, child.Leaf) {
			t.Error("took a certificate for the issuer that is not")
		}
	})
}
