package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"tertulia/internal/fault"
)

// Fate is what becomes of a variable that is imported.
type Fate string

// The fates.
const (
	Taken    Fate = "taken"
	Default  Fate = "default" // it has the default's value, or none
	Added    Fate = "added"   // OpenVidu's default, where ours is another
	Idle     Fate = "without effect"
	NotBuilt Fate = "not built yet"
	Unknown  Fate = "unknown"
)

// Imported is the .env of an OpenVidu 2 deployment as ours.
type Imported struct {
	Rows []ImportedRow
	Text []byte // comments and order as they were; unknown names are comments
}

// ImportedRow is one variable. Value is hidden if it may be a secret.
type ImportedRow struct {
	Name, Value string
	Fate        Fate
	Note        string
}

// otherDefaults are those of a v2 deployment that its clients rely on.
var otherDefaults = []line{{name: "HTTPS_PORT", value: "443"}, {name: "HTTP_PORT", value: "80"}}

// Import reads such a file. Its errors are lines that are none; whether the values can be used is seen by Write.
func Import(file string, text []byte) (Imported, error) {
	lines, errs := parseDotenv(file, text)
	if len(errs) > 0 {
		return Imported{}, errors.Join(errs...)
	}
	var in Imported
	given, unknown := map[string]bool{}, map[int]bool{}
	for _, l := range lines {
		s := known(l.name)
		row := ImportedRow{Name: l.name, Value: s.orHidden(l.value), Fate: Taken}
		part, reason := Planned(l.name), Without(l.name)
		switch {
		case part != "":
			row.Fate, row.Note = NotBuilt, "needs "+part
		case reason != "":
			row.Fate, row.Note = Idle, reason
		case s.Name == "":
			row.Fate, row.Note = Unknown, hint(l.name)
			unknown[l.number] = true
		case l.value == "" || strings.TrimSpace(l.value) == s.Default:
			row.Fate = Default
		}
		given[l.name] = given[l.name] || l.value != ""
		in.Rows = append(in.Rows, row)
	}
	var out bytes.Buffer
	number := 0
	for raw := range strings.Lines(string(text)) {
		if number++; unknown[number] {
			out.WriteString("# unknown here: ")
		}
		out.WriteString(raw)
	}
	if n := out.Len(); n > 0 && out.Bytes()[n-1] != '\n' {
		out.WriteByte('\n')
	}
	for _, d := range otherDefaults {
		if !given[d.name] {
			in.Rows = append(in.Rows, ImportedRow{d.name, d.value, Added, "OpenVidu's default; ours is " + orNone(known(d.name).Default)})
			out.WriteString("\n# OpenVidu's default\n" + d.name + "=" + d.value + "\n")
		}
	}
	in.Text = out.Bytes()
	return in, nil
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// Count is how many variables have a fate.
func (in Imported) Count(fate Fate) int {
	n := 0
	for _, row := range in.Rows {
		if row.Fate == fate {
			n++
		}
	}
	return n
}

// Write makes it the .env of a data folder, if a start could use it. One that is there stays, unless force is set.
func (in Imported) Write(data, author string, force bool) error {
	file := filepath.Join(data, ".env")
	if kept, err := os.ReadFile(file); err == nil && len(bytes.TrimSpace(kept)) > 0 && !force {
		return fault.New(fault.Invalid, "%s: there is one already, and it stays → name another folder with --data, or replace it with --force", file)
	}
	c, err := resolve([]string{"--data=" + data}, nil, in.Text, nil)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fault.Wrap(fault.Invalid, err, "--data=%s: the data folder cannot be made → name another one", data)
	}
	if kept, err := c.ReadFile(); err == nil && len(kept) > 0 { // it can be had back
		if _, err := Keep(c.Data, "before import", kept); err != nil {
			return err
		}
	}
	return Put(c.Data, author, in.Text)
}

// Put makes a text the .env of a data folder, and its latest version first: so a running server knows that it is meant.
func Put(data, author string, text []byte) error {
	if _, err := Keep(data, author, text); err != nil {
		return err
	}
	return WriteFile(data, text)
}
