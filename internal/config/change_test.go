package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tertulia/internal/fault"
)

func TestRewriteKeepsTheRest(t *testing.T) {
	changes := map[string]string{"A": "1", "B": "x y ", "GONE": ""}
	for name, c := range map[string]struct{ before, after string }{
		"nothing there":           {"", "A=1\nB=x y \n"},
		"comments and order":      {"# c\nB=0\n\n// d\nC=3\nA=0\n", "# c\nB=x y \n\n// d\nC=3\nA=1\n"},
		"no line end at the end":  {"B=0\nC=3", "B=x y \nC=3\nA=1\n"},
		"line ends of Windows":    {"\ufeffA=0\r\nB=0\r\n", "\ufeffA=1\r\nB=x y \r\n"},
		"the last one counts":     {"A=5\nA=6\nB=0\n", "A=5\nA=1\nB=x y \n"},
		"a setting is taken out":  {"A=0\nB=0\nGONE=3\n", "A=1\nB=x y \nGONE=\n"},
		"a comment is no setting": {"#A=0\nB=0\n", "#A=0\nB=x y \nA=1\n"},
		"what is no line stays":   {"nonsense\nA=0\nB=0\n", "nonsense\nA=1\nB=x y \n"},
	} {
		if got := string(rewrite([]byte(c.before), changes)); got != c.after {
			t.Errorf("%s: %q, want %q", name, got, c.after)
		}
	}
}

// FuzzRewrite: whatever the file is, it has the new value then, and every other setting has the value it had.
func FuzzRewrite(f *testing.F) {
	f.Add("A=1\n#c\nB=2", "x")
	f.Add("\ufeffA=\r\nnonsense\n=\n", " ")
	f.Add("A=1\nA=2", "")
	f.Fuzz(func(t *testing.T, before, value string) {
		if text, err := asText(value); err != nil || text != value || strings.TrimRight(value, "\r\n") != value || !json.Valid([]byte(`"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)+`"`)) {
			return
		}
		after := rewrite([]byte(before), map[string]string{"A": value})
		was, is := lastValues([]byte(before)), lastValues(after)
		if valid, _ := parseDotenv("", []byte("A="+value)); len(valid) == 1 && is.values["A"] != value {
			t.Fatalf("%q with %q is %q", before, value, after)
		}
		for name, v := range was.values {
			if name != "A" && is.values[name] != v {
				t.Fatalf("%q with %q is %q: %s was %q", before, value, after, name, v)
			}
		}
	})
}

func TestValuesOfJSON(t *testing.T) {
	for text, want := range map[string]string{
		`true`: "true", `"TRUE"`: "TRUE", `900`: "900", `0.5`: "0.5", `"a \"b\""`: `a "b"`, `null`: "", `[]`: "[]",
		`["a,b","c\\d","e\"f"]`: `["a,b","c\\d","e\"f"]`, `[1,true]`: `["1","true"]`,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		got, err := asText(v)
		if err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", text, got, err, want)
		}
	}
	if list, err := parseList(`["a,b","c\\d","e\"f"]`); err != nil || strings.Join(list, "|") != `a,b|c\d|e"f` {
		t.Errorf("an array reads back as %q, %v", list, err)
	}
	for _, v := range []any{map[string]any{}, "a\nb", []any{"a\x00"}, []any{map[string]any{}}} {
		if text, err := asText(v); err == nil {
			t.Errorf("%v is %q", v, text)
		}
	}
}

func TestNextHoldsWhatNeedsARestart(t *testing.T) {
	c := must(load(t, "OPENVIDU_SECRET=a longer secret 1\nCALL_PAGE=off\n", []string{"LOG_FORMAT=json"}, "--log-level=warn"))
	next, waiting, err := c.Next([]byte("OPENVIDU_SECRET=a longer secret 2\nHTTPS_PORT=0\nLOG_LEVEL=debug\nDOMAIN_OR_PUBLIC_IP=a.example\n"))
	if err != nil {
		t.Fatal(err)
	}
	if next.Secret != "a longer secret 2" || next.CallPage != "local" || next.LogLevel != "warn" || next.LogFormat != "json" {
		t.Errorf("%+v", next)
	}
	if next.HTTPSPort != 4443 || next.Domain != "" {
		t.Errorf("port %d, domain %q", next.HTTPSPort, next.Domain)
	}
	if len(waiting) != 2 || waiting[0].String() != `DOMAIN_OR_PUBLIC_IP: "" → "a.example"` || waiting[1].String() != `HTTPS_PORT: "4443" → "0"` {
		t.Errorf("waiting: %v", waiting)
	}
	if again, waiting, err := next.Next([]byte("OPENVIDU_SECRET=a longer secret 2\nDOMAIN_OR_PUBLIC_IP=a.example\n")); err != nil || len(waiting) != 1 || again.Domain != "" {
		t.Errorf("what waits is forgotten: %v, %q, %v", waiting, again.Domain, err)
	}
	for text, want := range map[string]string{
		"CALL_PAGE=loud\n": "/.env:1: CALL_PAGE=loud", "HTTPS_PORT=x\n": "/.env:1: HTTPS_PORT=x", "CALL_PAGE=all\n": "OPENVIDU_SECRET is not set any more",
	} {
		if _, _, err := c.Next([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := os.Stat(filepath.Join(c.Data, "secret")); err == nil {
		t.Error("a secret was generated for a node that runs")
	}
}

// TestFAQ_04__TURNIsOfTheSecret: the key of TURN follows OPENVIDU_SECRET unless it has a setting of its own, which needs a
// restart.
func TestFAQ_04__TURNIsOfTheSecret(t *testing.T) {
	c := must(load(t, "OPENVIDU_SECRET=a longer secret 1\n", nil))
	next, _, err := c.Next([]byte("OPENVIDU_SECRET=a longer secret 2\nOPENVIDU_SECRET_PREVIOUS=a longer secret 1\n"))
	if err != nil || next.CoturnSecret == c.CoturnSecret || next.CoturnSecret == "" {
		t.Errorf("the TURN key has not changed, %v", err)
	}
	if old := next.OldCoturnSecrets(); len(old) != 1 || old[0] != c.CoturnSecret {
		t.Error("the TURN key before is not among the old ones")
	}
	own := must(load(t, "OPENVIDU_SECRET=a longer secret 1\nCOTURN_SHARED_SECRET_KEY=0123456789abcdef\n", nil))
	next, waiting, err := own.Next([]byte("OPENVIDU_SECRET=a longer secret 2\nOPENVIDU_SECRET_PREVIOUS=a longer secret 1\nCOTURN_SHARED_SECRET_KEY=fedcba9876543210\n"))
	if err != nil || next.CoturnSecret != own.CoturnSecret || next.OldCoturnSecrets() != nil || len(waiting) != 1 || waiting[0].Name != "COTURN_SHARED_SECRET_KEY" {
		t.Errorf("waiting %v, %v", waiting, err)
	}
}

func TestEditNamesEachRefusal(t *testing.T) {
	c := must(load(t, "OPENVIDU_SECRET=a longer secret 1\n", nil, "--call-page=off"))
	_, err := c.Edit(nil, map[string]any{"NOBODY": 1, "OPENVIDU_PRO_SPEECH_TO_TEXT": "vosk", "LOG_LEVEL": map[string]any{}})
	if got := len(fault.All(err)); got != 3 {
		t.Errorf("%d refusals: %v", got, err)
	}
	text, _ := c.ReadFile()
	if _, err := c.Edit(text, map[string]any{"CALL_PAGE": "all", "HTTPS_PORT": 0.0, "METRICS_PORT": "0"}); len(fault.All(err)) != 3 {
		t.Errorf("refusals: %v", err)
	}
	edited, err := c.Edit(text, map[string]any{"LOG_LEVEL": "debug", "CALL_PAGE": "off", "HTTPS_PORT": "4443"})
	if err != nil || string(edited) != "OPENVIDU_SECRET=a longer secret 1\nCALL_PAGE=off\nHTTPS_PORT=4443\nLOG_LEVEL=debug\n" {
		t.Errorf("%q, %v", edited, err)
	}
}

// Whoever knows the secret may take routes away, but not have others' files and servers shown.
func TestEditAddsNoRoute(t *testing.T) {
	c := must(load(t, "OPENVIDU_SECRET=a longer secret 1\nEXTRA_ROUTES=[\"/a=/srv/a\",\"/b=http://127.0.0.1:9\"]\n", nil))
	text, _ := c.ReadFile()
	for _, route := range []string{"/c=/etc", "/c=http://169.254.169.254", "/a=/srv", "/c=site"} {
		if _, err := c.Edit(text, map[string]any{"EXTRA_ROUTES": []any{"/b=http://127.0.0.1:9", route}}); len(fault.All(err)) != 1 || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "tertulia config set") {
			t.Errorf("%s: %v", route, err)
		}
	}
	for _, left := range []any{[]any{"/b=http://127.0.0.1:9"}, "", nil} {
		if _, err := c.Edit(text, map[string]any{"EXTRA_ROUTES": left}); err != nil {
			t.Errorf("%v: %v", left, err)
		}
	}
}

func TestWriteFileFollowsALink(t *testing.T) {
	dir, there := t.TempDir(), filepath.Join(t.TempDir(), "settings")
	if err := os.WriteFile(there, []byte("A=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(there, filepath.Join(dir, ".env")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(dir, []byte("A=2\n")); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(there); string(text) != "A=2\n" {
		t.Errorf("the link's target holds %q", text)
	}
}
