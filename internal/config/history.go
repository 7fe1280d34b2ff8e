package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tertulia/internal/fault"
)

// maxVersions are kept; the oldest go first.
const maxVersions = 100

// Version is a text of .env that was in force, or was to be: the history of the data folder's settings. Its file holds
// the secrets that the text holds; Changes hides them.
type Version struct {
	Number  int       `json:"number"` // from 1
	At      time.Time `json:"at"`
	Author  string    `json:"author"` // "start", OPENVIDUAPP, an API key's name, "cli USER"
	Changes []Change  `json:"changes"`
	Text    string    `json:"text"`
}

func historyFolder(data string) string { return filepath.Join(data, "config") }

// History is what was kept, the oldest first. A file that cannot be read is left out.
func History(data string) ([]Version, error) {
	files, err := filepath.Glob(filepath.Join(historyFolder(data), "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var list []Version
	for _, file := range files {
		text, err := os.ReadFile(file)
		var v Version
		if err == nil && json.Unmarshal(text, &v) == nil {
			list = append(list, v)
		}
	}
	return list, nil
}

// Latest is the newest of History, the zero Version if there is none.
func Latest(data string) Version {
	list, err := History(data)
	if err != nil || len(list) == 0 {
		return Version{}
	}
	return list[len(list)-1]
}

// Keep adds a version, unless it says what the latest says.
func Keep(data, author string, text []byte) (Version, error) {
	last := Latest(data)
	if last.Number > 0 && last.Text == string(text) {
		return last, nil
	}
	v := Version{last.Number + 1, time.Now().UTC().Truncate(time.Second), author, Compare([]byte(last.Text), text), string(text)}
	content, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return v, err
	}
	folder := historyFolder(data)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return v, err
	}
	if err := replace(filepath.Join(folder, fmt.Sprintf("%06d.json", v.Number)), content); err != nil {
		return v, err
	}
	if old := v.Number - maxVersions; old > 0 {
		if err := os.Remove(filepath.Join(folder, fmt.Sprintf("%06d.json", old))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return v, err
		}
	}
	return v, nil
}

// Compare tells two texts of .env apart, name by name.
func Compare(before, after []byte) []Change {
	old, now := lastValues(before), lastValues(after)
	var list []Change
	seen := map[string]bool{}
	for _, l := range slices.Concat(old.lines, now.lines) {
		was, is := old.values[l.name], now.values[l.name]
		if seen[l.name] || was == is {
			continue
		}
		seen[l.name] = true
		s := known(l.name)
		list = append(list, Change{l.name, s.orHidden(was), s.orHidden(is), s.Live})
	}
	return list
}

// orHidden shows nothing of a name that is no setting: it may be a secret of a part that is not built.
func (s Setting) orHidden(value string) string {
	if s.Name == "" && !isOff(value) {
		return hidden
	}
	return s.shown(value)
}

type values struct {
	lines  []line
	values map[string]string
}

func lastValues(text []byte) values {
	lines, _ := parseDotenv("", text)
	v := values{lines, map[string]string{}}
	for _, l := range lines {
		v.values[l.name] = l.value
	}
	return v
}

// Undo puts back what was in force before: the latest version, if .env was edited since, else the one before it. A
// running server takes it over by itself.
func Undo(data, author string) (Version, error) {
	list, err := History(data)
	if err != nil {
		return Version{}, err
	}
	current, err := (&Config{Data: data}).ReadFile()
	if err != nil {
		return Version{}, err
	}
	n := len(list)
	switch {
	case n > 0 && !bytes.Equal(current, []byte(list[n-1].Text)):
		return list[n-1], WriteFile(data, []byte(list[n-1].Text))
	case n > 1:
		if err := Put(data, author, []byte(list[n-2].Text)); err != nil {
			return Version{}, err
		}
		return Latest(data), nil
	}
	return Version{}, fault.New(fault.Invalid, "%s: there is no earlier version → edit .env instead", historyFolder(data))
}
