package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"

	"tertulia/internal/fault"
)

const maxDotenv = 1 << 20 // bytes of .env read at most

// line is one KEY=VALUE of a .env file.
type line struct {
	number int // from 1
	name   string
	value  string
}

// parseDotenv reads the .env grammar of OpenVidu (Dotenv.java): KEY=VALUE lines, the key trimmed and the value raw;
// blank lines and lines that start with # or // are skipped. It reports every bad line, each under file:line.
func parseDotenv(file string, content []byte) ([]line, []error) {
	var lines []line
	var errs []error
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	number := 0
	for raw := range strings.Lines(string(content)) {
		number++
		raw = strings.TrimRight(raw, "\r\n")
		start := strings.TrimSpace(raw)
		if start == "" || start[0] == '#' || strings.HasPrefix(start, "//") {
			continue
		}
		name, value, ok := strings.Cut(raw, "=")
		name = strings.TrimSpace(name)
		// The text of a bad line is not repeated: it may be a secret.
		switch {
		case !ok:
			errs = append(errs, fault.New(fault.Invalid, "%s:%d: there is no = → write NAME=value, or # before a comment", file, number))
		case name == "":
			errs = append(errs, fault.New(fault.Invalid, "%s:%d: there is no name before the = → write NAME=value", file, number))
		case !utf8.ValidString(raw) || strings.ContainsRune(raw, 0):
			errs = append(errs, fault.New(fault.Invalid, "%s:%d: the line is not UTF-8 text → save the file as UTF-8", file, number))
		default:
			lines = append(lines, line{number, name, value})
		}
	}
	return lines, errs
}

// readDotenv reads and parses a .env file; one that does not exist is empty.
func readDotenv(file string) ([]line, []error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // then --data is at fault
		return nil, nil
	}
	if err != nil {
		return nil, []error{fault.Wrap(fault.Invalid, err, "%s:1: the settings cannot be read → make the file readable, or remove it", file)}
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxDotenv+1))
	if err != nil {
		return nil, []error{fault.Wrap(fault.Invalid, err, "%s:1: the settings cannot be read → make it a text file that this user may read, or remove it", file)}
	}
	if len(content) > maxDotenv {
		return nil, []error{fault.New(fault.TooLarge, "%s:1: the file is larger than %d bytes → put NAME=value lines there and nothing else", file, maxDotenv)}
	}
	return parseDotenv(file, content)
}

// unknownName is the error for a .env line nobody knows, with the name that may have been meant.
func unknownName(file string, l line) error {
	return fault.New(fault.Invalid, "%s:%d: %s: unknown setting → remove the line, or put # before it; %s", file, l.number, l.name, hint(l.name))
}

func hint(name string) string {
	if near := nearest(name); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return "see docs/reference/configuration.md"
}

// nearest returns the known name within two edits of name, "" if there is none.
func nearest(name string) string {
	best, distance := "", 3
	for _, s := range settings {
		if d := edits(name, s.Name); d < distance {
			best, distance = s.Name, d
		}
	}
	return best
}

// edits is the Levenshtein distance, capped: names of very different length are far apart.
func edits(a, b string) int {
	if len(a) > len(b)+2 || len(b) > len(a)+2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
