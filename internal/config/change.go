package config

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"tertulia/internal/fault"
)

// Change is one setting that is given differently in two configurations or files. Secrets are hidden, as is every value
// of a name that is no setting.
type Change struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
	Live bool   `json:"live"` // needs no restart
}

// String is "NAME: old → new".
func (c Change) String() string {
	return c.Name + ": " + strconv.Quote(c.Old) + fault.Arrow + strconv.Quote(c.New)
}

// File is the .env of the data folder.
func (c *Config) File() string { return filepath.Join(c.Data, ".env") }

// ReadFile is the text of File, nil if there is none.
func (c *Config) ReadFile() ([]byte, error) {
	text, err := os.ReadFile(c.File())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if len(text) > maxDotenv {
		return nil, fault.New(fault.TooLarge, "%s:1: the file is larger than %d bytes → put NAME=value lines there and nothing else", c.File(), maxDotenv)
	}
	return text, err
}

// Next is the configuration with this text of .env, flags and environment as they were: the one to run with now, and the
// changes that have to wait for a start, whose settings are as before. An error joins everything that is wrong, also of
// what waits.
func (c *Config) Next(text []byte) (next Config, waiting []Change, err error) {
	whole, err := c.Whole(text)
	if err != nil {
		return next, nil, err
	}
	held := map[string]given{}
	for _, change := range c.Changes(&whole) {
		if !change.Live {
			waiting = append(waiting, change)
			held[change.Name] = c.given[change.Name]
		}
	}
	next, err = again(c, text, held)
	return next, waiting, err
}

// Whole is the configuration of a start with this text of .env, flags and environment as they were. An error joins
// everything that is wrong.
func (c *Config) Whole(text []byte) (Config, error) { return again(c, text, nil) }

func again(c *Config, text []byte, held map[string]given) (Config, error) {
	next, err := resolve(c.args, c.environ, text, held)
	if err != nil {
		return next, err
	}
	if _, missing := os.Stat(c.secretFile()); next.Secret == "" && missing != nil {
		return next, fault.New(fault.Invalid, "OPENVIDU_SECRET is not set any more → set it, or restart to have one generated")
	}
	return next, next.secrets(false)
}

// Changes are the settings that next has otherwise.
func (c *Config) Changes(next *Config) []Change {
	var list []Change
	for _, s := range settings {
		before, after := c.given[s.Name].value, next.given[s.Name].value
		if before == "" {
			before = s.Default
		}
		if after == "" {
			after = s.Default
		}
		if before != after {
			list = append(list, Change{s.Name, s.shown(before), s.shown(after), s.Live})
		}
	}
	return list
}

// Edit puts new values of settings, as JSON has them, into .env's text; null and "" take a setting out. It refuses, with
// one fault.Invalid for each, what is no setting, what needs a restart, what cannot be used, and a new route: the secret
// of the API, which pages of OpenVidu 1.x hold, is not to open this machine's files and network.
func (c *Config) Edit(text []byte, values map[string]any) ([]byte, error) {
	changes, errs := map[string]string{}, []error{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value, err := asText(values[name])
		switch part := Planned(name); {
		case err != nil:
			err = fault.New(fault.Invalid, "%s: %v", name, err)
		case part != "" && !isOff(value):
			err = fault.New(fault.Invalid, "%s: it needs %s, which is not built yet → leave it out", name, part)
		case !Known(name):
			err = fault.New(fault.Invalid, "%s: unknown setting → leave it out; %s", name, hint(name))
		}
		if err != nil {
			errs = append(errs, err)
		}
		changes[name] = value
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	text = rewrite(text, changes)
	next, waiting, err := c.Next(text)
	if err != nil {
		return nil, err
	}
	for _, route := range next.Edge.Routes {
		if _, asked := changes["EXTRA_ROUTES"]; asked && !slices.Contains(c.Edge.Routes, route) {
			errs = append(errs, fault.New(fault.Invalid, "EXTRA_ROUTES: %q would show files or servers to whoever knows the API's secret → add it with `tertulia config set` on that machine, which needs no restart", route.Path))
		}
	}
	for _, change := range waiting {
		if _, asked := changes[change.Name]; asked {
			errs = append(errs, fault.New(fault.Invalid, "%s: cannot change while the server runs → set it in .env and restart; calls go on over a restart", change.Name))
		}
	}
	for name, value := range changes {
		if flag, ok := onCommandLine(c.args, name); ok && value != "" && value != flag {
			errs = append(errs, fault.New(fault.Invalid, "%s: the server was started with --%s, which is stronger → restart without the flag", name, flagName(name)))
		}
	}
	return text, errors.Join(errs...)
}

// onCommandLine is the value a setting was given there.
func onCommandLine(args []string, name string) (string, bool) {
	var src sources
	if _, err := src.parseFlags(args); err != nil {
		return "", false
	}
	g := src.flags[name]
	return g.value, g.value != ""
}

// asText writes a JSON value the way .env has it: arrays in brackets, their texts in quotes.
func asText(value any) (string, error) {
	var text string
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		text = v
	case bool:
		text = strconv.FormatBool(v)
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		text = v.String()
	case []any:
		var items []string
		for _, item := range v {
			one, err := asText(item)
			if err != nil {
				return "", err
			}
			items = append(items, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(one)+`"`)
		}
		text = "[" + strings.Join(items, ",") + "]"
	default:
		return "", invalid("neither a text, a number, a boolean nor an array of them → write one")
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "", invalid("holds a line end or another control character → write it without")
	}
	return text, nil
}

// rewrite sets names in a .env's text: comments, order and line ends stay, new names follow at the end. Of a name that is
// there twice the last counts, and is the one that changes.
func rewrite(text []byte, changes map[string]string) []byte {
	left := maps.Clone(changes)
	lines := slices.Collect(strings.Lines(string(text)))
	for i := len(lines) - 1; i >= 0; i-- {
		body := strings.TrimRight(lines[i], "\r\n")
		parsed, _ := parseDotenv("", []byte(body))
		if len(parsed) == 0 {
			continue
		}
		if value, ok := left[parsed[0].name]; ok {
			mark := ""
			if strings.HasPrefix(body, "\ufeff") {
				mark = "\ufeff"
			}
			lines[i] = mark + parsed[0].name + "=" + value + lines[i][len(body):]
			delete(left, parsed[0].name)
		}
	}
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") && len(left) > 0 {
		lines[n-1] += "\n"
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if left[name] != "" {
			lines = append(lines, name+"="+left[name]+"\n")
		}
	}
	return []byte(strings.Join(lines, ""))
}

// WriteFile replaces .env, whole or not at all; where it is a link, what it leads to.
func WriteFile(data string, text []byte) error {
	file := filepath.Join(data, ".env")
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	}
	return replace(file, text)
}
