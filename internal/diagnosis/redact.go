package diagnosis

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Secrets that people and SDKs write into log lines: tokens, ICE passwords, TURN and HTTP credentials, SRTP keys. The
// name stays, so that a reader sees what stood there.
var secrets = []struct {
	sign  string // in lower case; without it the pattern is not tried
	what  *regexp.Regexp
	leave string
}{
	{"tok_", regexp.MustCompile(`tok_[A-Za-z0-9]+`), "tok_…"},
	{"ice-pwd", regexp.MustCompile(`(?i)(ice-pwd[\\"':= ]+)[^\s\\"',}]+`), "${1}…"},
	{"turn credentials", regexp.MustCompile(`(?i)(turn credentials \[)[^\]]*`), "${1}…"},
	{"credential", regexp.MustCompile(`(?i)((?:turn)?credential[\\"']*\s*[:=]\s*[\\"']*)[^\s\\"',}&]+`), "${1}…"},
	{"username", regexp.MustCompile(`(?i)((?:turn)?username[\\"']*\s*[:=]\s*[\\"']*)[^\s\\"',}&]+`), "${1}…"},
	{"password", regexp.MustCompile(`(?i)(password[\\"']*\s*[:=]\s*[\\"']*)[^\s\\"',}&]+`), "${1}…"},
	{"secret", regexp.MustCompile(`(?i)(secret[\\"']*\s*[:=]\s*[\\"']*)[^\s\\"',}&]+`), "${1}…"},
	{"token=", regexp.MustCompile(`(?i)(token=)[^\s\\"',}&]+`), "${1}…"},
	{"basic ", regexp.MustCompile(`(?i)(basic )[A-Za-z0-9+/_=-]{4,}`), "${1}…"},
	{"bearer ", regexp.MustCompile(`(?i)(bearer )[A-Za-z0-9+/._=-]{4,}`), "${1}…"},
	{"inline:", regexp.MustCompile(`(?i)(inline:)[A-Za-z0-9+/=]+`), "${1}…"},
}

// readable is how much of a line is looked at; the rest is dropped unread.
const readable = 8 << 10

// clean makes a text fit to be kept and shown on a terminal: valid, without secrets, at most limit bytes.
func clean(text string, limit int) string {
	text = cut(text, readable)
	text = strings.Map(visible, strings.ToValidUTF8(text, "?"))
	lower := strings.ToLower(text)
	for _, s := range secrets {
		if strings.Contains(lower, s.sign) {
			text = s.what.ReplaceAllString(text, s.leave)
		}
	}
	return cut(text, limit)
}

// visible leaves line ends and tabs; other control characters, and those that turn the direction of writing, could make a
// reader see another text than there is.
func visible(r rune) rune {
	switch {
	case r == '\n', r == '\r', r == '\t':
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return '?'
	}
	return r
}

// private says that a field is called by the name of a secret.
func private(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"password", "pwd", "secret", "credential", "token"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// cut shortens a text to at most limit bytes, between two characters.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit - len("…")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
