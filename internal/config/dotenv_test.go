package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseDotenv(t *testing.T) {
	for _, test := range []struct {
		name, content string
		want          []line
		errors        int
	}{
		{"empty", "", nil, 0},
		{"comments and blank lines", "# a\n\n  \n// b\n  # c\nA=1", []line{{6, "A", "1"}}, 0},
		{"the key is trimmed, the value raw", " A = \"x y\" \n", []line{{1, "A", ` "x y" `}}, 0},
		{"= in the value", "A=b=c\n", []line{{1, "A", "b=c"}}, 0},
		{"no export, no interpolation", "A=${B}", []line{{1, "A", "${B}"}}, 0},
		{"CRLF and byte order mark", "\ufeffA=1\r\nB=2\r\n", []line{{1, "A", "1"}, {2, "B", "2"}}, 0},
		{"every bad line counts", "A\n=b\nC=\xff\nD=\x00\nE=1", []line{{5, "E", "1"}}, 4},
	} {
		lines, errs := parseDotenv("f", []byte(test.content))
		if !slices.Equal(lines, test.want) || len(errs) != test.errors {
			t.Errorf("%s: got %v and %v", test.name, lines, errs)
		}
	}
}

func FuzzParseDotenv(f *testing.F) {
	for _, seed := range []string{"", "A=1\n#c\n//d\n", "=\n", "A", "\ufeffA=\r\n", "A=\x00", " \ufeff=", "\n\n\n B = c =\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		lines, errs := parseDotenv("f", content)
		// What was read, written down again, reads the same; and every line of the file is read once at most.
		again := strings.Builder{}
		again.WriteString("\n") // a byte order mark is one at the very start only
		for _, l := range lines {
			fmt.Fprintf(&again, "%s=%s\n", l.name, l.value)
		}
		second, errs2 := parseDotenv("f", []byte(again.String()))
		if len(errs2) > 0 || len(second) != len(lines) {
			t.Fatalf("%q reads as %v, then as %v %v", content, lines, second, errs2)
		}
		for i := range lines {
			if lines[i].name != second[i].name || lines[i].value != second[i].value {
				t.Fatalf("%q reads as %v, then as %v", content, lines[i], second[i])
			}
		}
		if len(lines)+len(errs) > strings.Count(string(content), "\n")+1 {
			t.Fatalf("%q: more results than lines", content)
		}
	})
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{"HTTPS_PROT": "HTTPS_PORT", "LOGLEVEL": "LOG_LEVEL", "X": ""} {
		if got := nearest(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
