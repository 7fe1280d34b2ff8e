package config

import (
	"slices"
	"strings"
	"testing"
)

func TestParseList(t *testing.T) {
	for v, want := range map[string][]string{
		"[]": nil, `[""]`: nil, " [ a , b ] ": {"a", "b"}, `["a,b",'c',d]`: {"a,b", "c", "d"}, `["a\"b"]`: {`a"b`}, "[a,]": {"a"},
	} {
		if got, err := parseList(v); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v", v, got, err)
		}
	}
	for _, v := range []string{"", "[", "]", "a", `["a]`, `["a"b]`} {
		if got, err := parseList(v); err == nil {
			t.Errorf("%s: accepted as %q", v, got)
		}
	}
}

func TestICEServers(t *testing.T) {
	kind := iceServers(func(c *Config) *[]ICEServer { return &c.ICEServers })
	var c Config
	v := `["url=turn:t.example:3478?transport=tcp,username=u,credential=p=","url=turns:t,staticAuthSecret=s","url=stun:[::1]:3478"]`
	if err := kind.set(&c, v); err != nil {
		t.Fatal(err)
	}
	want := []ICEServer{{"turn:t.example:3478?transport=tcp", "u", "p=", ""}, {"turns:t", "", "", "s"}, {"stun:[::1]:3478", "", "", ""}}
	if !slices.Equal(c.ICEServers, want) {
		t.Errorf("got %+v", c.ICEServers)
	}
	many := "[" + strings.Repeat(`"url=stun:a",`, maxICEServers+1) + "]"
	for _, v := range []string{`["username=u"]`, `["url=http://a"]`, `["url=stun:a,username=u"]`, `["url=turn:a"]`, `["url=turn:a,username=u"]`,
		`["url=turn:a,username=u,credential=p,staticAuthSecret=s"]`, `["url=stun:a,colour=red"]`, `["url=stun:a,username"]`, many} {
		if err := kind.set(&c, v); err == nil {
			t.Errorf("%.60s: accepted", v)
		}
	}
	if !slices.Equal(c.ICEServers, want) {
		t.Error("a refused value changed the settings")
	}
}

func FuzzICEServers(f *testing.F) {
	for _, seed := range []string{`[]`, `["url=turn:a,username=u,credential=p"]`, `['a\'b',c]`, `["`, `[,]`} {
		f.Add(seed)
	}
	kind := iceServers(func(c *Config) *[]ICEServer { return &c.ICEServers })
	f.Fuzz(func(t *testing.T, v string) {
		var c Config
		if kind.set(&c, v) != nil && c.ICEServers != nil {
			t.Fatalf("%q: refused and stored", v)
		}
		for _, s := range c.ICEServers {
			if s.URL == "" {
				t.Fatalf("%q: a server without URL", v)
			}
		}
	})
}
