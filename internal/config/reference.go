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

## Changes

` + "`POST /openvidu/api/restart`" + ` with ` + "`{\"NAME\": value, …}`" + ` writes ` + "`.env`" + ` (comments and order stay) and takes the new values over at once, all of them or none:
no call is touched. A setting whose change needs a restart is refused by name: set it in ` + "`.env`" + ` and restart; calls go on over it.
An empty body takes over what was edited by hand. An edit that nobody took over is told by health and log as ` + "`CONFIG_DRIFT`" + `.

Every accepted change is kept in the folder ` + "`config`" + ` of the data folder, with its time and author: ` + "`tertulia config log`, `tertulia config diff`" + ` and
` + "`tertulia config undo`" + ` (a running server takes it over by itself). ` + "`tertulia config check`" + ` reads the settings as a start would, and ` + "`tertulia config import FILE`" + `
takes the .env of an OpenVidu 2 deployment over.

`

// Reference is the page docs/reference/configuration.md.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, s := range settings {
		fmt.Fprintf(&b, "## `%s`\n\n%s\n\n", s.Name, s.Doc)
		value, effect := "none", "needs a restart; calls go on over it"
		if s.Default != "" {
			value = "`" + s.Default + "`"
		}
		if s.Live {
			effect = "is live"
		}
		fmt.Fprintf(&b, "Type: %s. Default: %s. Flag: `%s`. A change %s.", s.typeName, value, s.Flag(), effect)
		if s.Secret {
			b.WriteString(" Never printed.")
		}
		b.WriteString("\n\n")
	}
	b.WriteString("## Not built yet\n\nThese names of OpenVidu wait for a part that is not built. They have no effect; the start warns of each one that is switched on.\n\n")
	list(&b, planned)
	b.WriteString("## Without effect\n\nThese names of OpenVidu are accepted and change nothing here. The start tells of them in one line, `tertulia config check` of each.\n\n")
	list(&b, without)
	return strings.TrimSuffix(b.String(), "\n")
}

func list(b *strings.Builder, table []idle) {
	for _, row := range table {
		fmt.Fprintf(b, "- %s: `%s`\n", row.reason, strings.Join(row.names, "`, `"))
	}
	b.WriteString("\n")
}
