package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"tertulia/internal/fault"
)

// given is a value somebody set, and where: "/d/.env:3", "environment" or "--https-port".
type given struct{ value, origin string }

// sources are the places a value may come from, strongest first.
type sources struct {
	flags, file, environment map[string]given
	warnings                 []string
	held                     map[string]given // stronger than any; a zero one is a default
	without                  []string         // names that will never have an effect
}

// Load reads the settings: flags over DIR/.env over the environment over defaults. args are the command's arguments
// after its name, environ is os.Environ(). An empty value counts as absent. The error, if any, joins everything that
// is wrong, one *fault.Error each; with -h it is flag.ErrHelp (print Usage). The data folder is made if it is missing,
// and so is the secret; nothing is written when a setting is bad.
func Load(args, environ []string) (Config, error) {
	c, err := resolve(args, environ, nil, nil)
	if err != nil {
		return c, err
	}
	return c, c.secrets(false)
}

// Inspect reads the settings as Load does, refuses the same and makes nothing: neither the data folder nor a secret, which
// is "" if there is none yet. With an error the Config is still of use: a setting that is wrong has its default.
func Inspect(args, environ []string) (Config, error) {
	c, err := resolve(args, environ, nil, nil)
	if c.Data == "" {
		return c, err
	}
	if failed := c.secrets(true); failed != nil {
		err = errors.Join(err, failed)
	}
	deriveCoturn(&c)
	return c, err
}

// resolve reads DIR/.env unless it is given text, which may be empty. held settings have these values, whatever the
// places say.
func resolve(args, environ []string, text []byte, held map[string]given) (Config, error) {
	src := sources{held: held}
	c := Config{args: args, environ: environ}
	dir, err := src.parseFlags(args)
	if err != nil {
		return c, err
	}
	if c.Data, err = filepath.Abs(dir); err != nil {
		return c, fault.Wrap(fault.Invalid, err, "--data=%s: not a folder's name → name another one", dir)
	}
	errs := src.parseFile(c.File(), text)
	src.parseEnvironment(environ)
	c.given = map[string]given{}
	for _, s := range settings {
		if err := src.apply(&c, s); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, c.certificate()...)
	warnings, wrong := c.finish()
	errs = append(errs, wrong...)
	c.Warnings = append(src.warnings, warnings...)
	c.Without = src.without
	return c, errors.Join(errs...)
}

func flagName(setting string) string { return strings.ToLower(strings.ReplaceAll(setting, "_", "-")) }

func (src *sources) parseFlags(args []string) (dir string, err error) {
	src.flags = map[string]given{}
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&dir, "data", "data", "")
	for _, s := range settings {
		fs.Func(flagName(s.Name), "", func(v string) error {
			src.flags[s.Name] = given{v, "--" + flagName(s.Name)}
			return nil
		})
	}
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return "", err
		}
		return "", fault.New(fault.Invalid, "command line: %v → see --help", err)
	}
	if fs.NArg() > 0 {
		return "", fault.New(fault.Invalid, "command line: unexpected argument %q → give settings as --name=value", fs.Arg(0))
	}
	return dir, nil
}

func (src *sources) parseFile(file string, text []byte) []error {
	src.file = map[string]given{}
	lines, errs := parseDotenv(file, text)
	if text == nil {
		lines, errs = readDotenv(file)
	}
	for _, l := range lines {
		origin := fmt.Sprintf("%s:%d", file, l.number)
		switch {
		case src.idle(origin, l.name, l.value):
			continue
		case !isSetting(l.name):
			errs = append(errs, unknownName(file, l))
			continue
		}
		if first, ok := src.file[l.name]; ok {
			src.warnings = append(src.warnings, fmt.Sprintf("%s: %s is set again and replaces %s", origin, l.name, first.origin))
		}
		src.file[l.name] = given{l.value, origin}
	}
	return errs
}

func (src *sources) parseEnvironment(environ []string) {
	src.environment = map[string]given{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case isSetting(name):
			src.environment[name] = given{value, "environment"}
		case !isAmong(shared, name):
			src.idle("environment", name, value)
		}
	}
}

// idle notes a name that changes nothing; it is false for any other.
func (src *sources) idle(origin, name, value string) bool {
	part, reason := Planned(name), Without(name)
	switch {
	case part != "" && !isOff(value):
		src.warnings = append(src.warnings, fmt.Sprintf("%s: %s is not built yet and has no effect: it needs %s", origin, name, part))
	case reason != "" && value != "" && !slices.Contains(src.without, name):
		src.without = append(src.without, name)
	}
	return part != "" || reason != ""
}

// lookup returns the strongest value of a setting; ok is false if nobody set one.
func (src *sources) lookup(name string) (g given, ok bool) {
	if g, ok := src.held[name]; ok {
		return g, g.value != ""
	}
	for _, place := range []map[string]given{src.flags, src.file, src.environment} {
		if g = place[name]; g.value != "" {
			return g, true
		}
	}
	return given{}, false
}

// apply stores one setting, and its default if it is wrong. Its error reads "ORIGIN: NAME=value: cause → fix".
func (src *sources) apply(c *Config, s Setting) error {
	g, ok := src.lookup(s.Name)
	if !ok {
		g = given{s.Default, "default"}
	}
	if g.value == "" {
		return nil
	}
	if ok {
		c.given[s.Name] = g
	}
	err := s.set(c, g.value)
	if err == nil {
		return nil
	}
	if s.Default != "" {
		_ = s.set(c, s.Default) // a test takes care that it is right
	}
	remedy := "write " + s.want
	if s.Default != "" {
		remedy += fmt.Sprintf(", or remove it for the default, %s", s.Default)
	}
	return fault.New(fault.Invalid, "%s: %s=%s: %v → %s", g.origin, s.Name, s.shown(g.value), err, remedy)
}

// known is the row of a setting, the zero one for any other name.
func known(name string) Setting {
	for _, s := range settings {
		if s.Name == name {
			return s
		}
	}
	return Setting{}
}

func isSetting(name string) bool { return known(name).Name != "" }
