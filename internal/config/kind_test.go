package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHost(t *testing.T) {
	kind := host(func(c *Config) *string { return &c.Domain })
	for v, want := range map[string]string{"localhost": "localhost", "call.example.com": "call.example.com", "192.168.1.2": "192.168.1.2",
		"[2001:db8::1]": "2001:db8::1", "::1": "::1", "node_1": "node_1", "a.b.": "a.b."} {
		var c Config
		if err := kind.set(&c, v); err != nil || c.Domain != want {
			t.Errorf("%s: got %q, %v", v, c.Domain, err)
		}
	}
	for _, v := range []string{"https://a", "a:4443", "a b", "-a", "a..b", "a/b", strings.Repeat("a.", 200) + "a"} {
		if err := kind.set(new(Config), v); err == nil {
			t.Errorf("%s: accepted", v)
		}
	}
}

// A folder that is shown never holds the data folder: `tertulia serve --demo .` keeps its data in ./data.
func TestNoRouteShowsTheData(t *testing.T) {
	top := t.TempDir()
	for _, made := range []string{"app/data/site", "other"} {
		if err := os.MkdirAll(filepath.Join(top, made), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"link": "app", "moved": "app/data"} {
		if err := os.Symlink(filepath.Join(top, target), filepath.Join(top, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		data, folder string
		refused      bool
	}{
		{"app/data", "app", true}, {"app/data", "app/data", true}, {"app/data", "", true}, {"app/data", "link", true}, {"moved", "app", true},
		{"link/data", "app", true}, {"app/new", "app", true}, {"link/new", "app", true}, // of a first start
		{"app/data", "other", false}, {"app/data", "app/data/site", false}, {"app/data", "none", false},
	} {
		_, err := Inspect([]string{"--data=" + filepath.Join(top, test.data), `--extra-routes=["/x=` + filepath.Join(top, test.folder) + `"]`}, nil)
		if refused := err != nil && strings.Contains(err.Error(), "holds the data folder"); refused != test.refused || err != nil && !refused {
			t.Errorf("%+v: %v", test, err)
		}
	}
	if _, err := Inspect([]string{"--data=" + filepath.Join(top, "app/data"), `--extra-routes=["/x=."]`}, nil); err == nil {
		t.Error("the data folder itself is shown")
	}
	if c, err := Inspect([]string{"--data=" + filepath.Join(top, "app/data"), `--extra-routes=["/x=site"]`}, nil); err != nil || c.Edge.Routes[0].Target != filepath.Join(top, "app/data/site") {
		t.Errorf("a folder in it: %v, %v", c.Edge.Routes, err)
	}
}
