package config

import (
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
