package config

import (
	"fmt"
	"slices"
	"strings"
)

// Settings returns the table, in the order of the reference page.
func Settings() []Setting { return slices.Clone(settings) }

// Type names the setting's type for people: "integer", "one of a, b".
func (s Setting) Type() string { return s.typeName }

// Flag is the setting's command line flag, "--https-port".
func (s Setting) Flag() string { return "--" + flagName(s.Name) }

// Usage is the help text of a command that takes settings.
func Usage() string {
	var b strings.Builder
	b.WriteString("  --data DIR\n        data folder; DIR/.env holds settings (default data)\n")
	for _, s := range settings {
		fmt.Fprintf(&b, "  %s (%s)\n        %s", s.Flag(), s.typeName, strings.ReplaceAll(s.Doc, "`", ""))
		if s.Default != "" {
			fmt.Fprintf(&b, " (default %s)", s.Default)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

const referenceHead = `# Configuration

<!-- Generated from internal/config/settings.go by: go test ./internal/config -run Reference -update -->

A setting is given, strongest first, as a flag (` + "`--https-port=4443`" + `), in ` + "`DIR/.env`" + ` (` + "`HTTPS_PORT=4443`" + `; DIR is the
data folder, ` + "`--data DIR`" + `), or in the environment. An empty value counts as none. A bad value stops the start and is reported
with its place; so does an unknown name in ` + "`.env`" + `. Unknown names in the environment are ignored.

In ` + "`.env`" + `, a line is ` + "`NAME=value`" + `; the value is taken as it stands, without quotes. Lines that start with ` + "`#` or `//`" + ` are comments.
Flags are visible to every user of the machine: keep secrets in ` + "`.env`" + `.

`

// Reference is the page docs/reference/configuration.md.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, s := range settings {
		fmt.Fprintf(&b, "## `%s`\n\n%s\n\n", s.Name, s.Doc)
		value, effect := "none", "takes effect at the next start"
		if s.Default != "" {
			value = "`" + s.Default + "`"
		}
		if s.Live {
			effect = "takes effect at once"
		}
		fmt.Fprintf(&b, "Type: %s. Default: %s. Flag: `%s`. A change %s.", s.typeName, value, s.Flag(), effect)
		if s.Secret {
			b.WriteString(" Never printed.")
		}
		b.WriteString("\n\n")
	}
	b.WriteString("## Not built yet\n\nThese names of OpenVidu are known and have no effect yet. The start warns of each one that has a value.\n\n")
	names := append(slices.Concat(planned, plannedShared), plannedPrefix+"…")
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "- `%s`\n", name)
	}
	return b.String()
}
