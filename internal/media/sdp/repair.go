package sdp

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Descriptions come through applications, and some of those do not hand them on as they are. What is mended here can
// have been one thing only; what cannot be told is left, and refused where it matters.

// Repair is one thing that was mended in a description before it was read.
type Repair struct {
	Line int    // from 1, counted with the line ends put back that were lost
	What string // one of the words below
}

// What was wrong.
const (
	Plus      = "plus"      // a space in ICE credentials or a candidate's foundation was '+': form encoding
	Percent   = "percent"   // %2B for '+', or %0A for a line end: URL encoding
	Lines     = "lines"     // lines ran together, or ended in CR alone
	Escapes   = "escapes"   // \r\n as four characters: JSON, quoted twice
	Wrapping  = "wrapping"  // quotes, spaces or a byte order mark around the whole
	Indent    = "indent"    // spaces before a line
	Quotes    = "quotes"    // typographic quotes, dashes or spaces: a text editor
	Candidate = "candidate" // a candidate was cut short, and dropped: it is a hint only
)

// maxRepairs bounds what is told of one description.
const maxRepairs = 32

// repairs collects what was mended.
type repairs []Repair

func (r *repairs) note(line int, what string) {
	if len(*r) < maxRepairs {
		*r = append(*r, Repair{line, what})
	}
}

// unwrap restores what concerns a text as a whole. A sound one comes back as it is.
func (r *repairs) unwrap(text string) string {
	if strings.HasPrefix(text, "v=") && strings.Count(text, "\n") > 1 {
		return text
	}
	if bare := strings.TrimLeft(text, " \t\r\n\"'`\ufeff“”„‘’«»"); bare != text {
		text = strings.TrimRight(bare, "\"'`“”„‘’«» ")
		r.note(1, Wrapping)
	}
	if strings.Count(text, "\n") <= 1 && (strings.Contains(text, "%0A") || strings.Contains(text, "%0a")) {
		if plain, err := unescaped(text); err == nil {
			text = plain
			r.note(1, Percent)
		}
	}
	switch {
	case strings.Count(text, "\n") > 1:
	case strings.Contains(text, `\n`):
		text = escapes.Replace(text)
		r.note(1, Escapes)
	case strings.Contains(strings.TrimRight(text, "\r"), "\r"):
		text = strings.ReplaceAll(text, "\r", "\n")
		r.note(1, Lines)
	}
	return text
}

var escapes = strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\"`, `"`, `\/`, "/", `\\`, `\`)

// unescaped decodes what is encoded as a whole: as a form, where a space is '+', or as a part of a path.
func unescaped(text string) (string, error) {
	if strings.Contains(text, "+") && !strings.Contains(text, "%20") {
		return url.QueryUnescape(text)
	}
	return url.PathUnescape(text)
}

// typographic are what text editors make of ASCII, and what they leave behind unseen.
var typographic = strings.NewReplacer(
	"“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "‘", "'", "’", "'", "‚", "'",
	"‐", "-", "‑", "-", "‒", "-", "–", "-", "—", "-", "―", "-", "−", "-",
	"\u00a0", " ", "\u2007", " ", "\u2009", " ", "\u202f", " ",
	"\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "", "\u00ad", "",
)

// plain is a line as it was before an editor had it.
func (r *repairs) plain(number int, line string) string {
	if !strings.ContainsFunc(line, func(c rune) bool { return c >= utf8.RuneSelf }) {
		return line
	}
	mended := typographic.Replace(line)
	if mended != line && len(mended) > 1 && strings.IndexByte("amb", mended[0]) >= 0 { // others are not read
		r.note(number, Quotes)
	}
	return mended
}

// attributes that browsers write, with the colon if they have a value. A line is cut before one of them only.
var attributes = []string{
	"bundle-only", "candidate:", "crypto:", "end-of-candidates", "extmap-allow-mixed", "extmap:", "fingerprint:", "fmtp:", "group:",
	"ice-lite", "ice-options:", "ice-pwd:", "ice-ufrag:", "imageattr:", "inactive", "max-message-size:", "maxptime:", "mid:",
	"msid-semantic:", "msid:", "ptime:", "recvonly", "rid:", "rtcp-fb:", "rtcp-mux", "rtcp-rsize", "rtcp-xr:", "rtcp:", "rtpmap:",
	"sctp-port:", "sctpmap:", "sendonly", "sendrecv", "setup:", "simulcast:", "ssrc-group:", "ssrc:", "x-google-flag:",
}

// begins tells whether a line of a type that we read, or that ends one, begins with that.
func begins(kind byte, value string) bool {
	starts := func(word string) bool { return strings.HasPrefix(value, word) }
	switch kind {
	case 'a':
		return slices.ContainsFunc(attributes, starts)
	case 'm':
		return starts("audio ") || starts("video ") || starts("application ")
	case 'b':
		return starts("AS:") || starts("TIAS:") || starts("CT:")
	case 'c':
		return starts("IN IP4 ") || starts("IN IP6 ")
	}
	return false
}

// cut returns the first line of several that run together, and what is left of them.
func cut(line string) (first, rest string) {
	for at := 2; ; at++ {
		next := strings.IndexByte(line[min(at, len(line)):], '=')
		if next < 0 {
			return line, ""
		}
		at += next
		if begins(line[at-1], line[at+1:]) && at > 2 {
			return line[:at-1], line[at-1:]
		}
	}
}

// credential restores an ICE user name fragment or password. Spaces are illegal in both (RFC 8839 §5.4).
func (r *repairs) credential(number int, value string) string {
	if strings.Contains(value, " ") {
		value = strings.ReplaceAll(value, " ", "+")
		r.note(number, Plus)
	}
	if strings.Contains(value, "%") {
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
			r.note(number, Percent)
		}
	}
	return value
}

// stranger returns the first character that no implementation puts into a user name fragment: RFC 8839 allows letters,
// digits, '+' and '/'; some take what URLs allow.
func stranger(ufrag string) (c rune, found bool) {
	const more = "+/-_=.~"
	for _, c := range ufrag {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune(more, c) {
			return c, true
		}
	}
	return 0, false
}

// candidate restores the value of a candidate line; ok is false if it is cut short (RFC 8839 §5.1).
func (r *repairs) candidate(number int, value string) (mended string, ok bool) {
	words := strings.Split(strings.TrimRight(value, " "), " ")
	const kind = 6 // where "typ" stands
	at := slices.Index(words, "typ")
	if at > kind {
		words = append([]string{strings.Join(words[:at-kind+1], "+")}, words[at-kind+1:]...)
		value = strings.Join(words, " ")
		at = kind
		r.note(number, Plus)
	}
	if at != kind || len(words) <= kind+1 || !isNumber(words[1]) || !isNumber(words[3]) || !isNumber(words[5]) {
		r.note(number, Candidate)
		return "", false
	}
	return value, true
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}

// isFingerprint tells whether a value is a hash with its algorithm (RFC 8122 §5), of whatever length.
func isFingerprint(value string) bool {
	algorithm, sum, ok := strings.Cut(value, " ")
	if !ok || algorithm == "" {
		return false
	}
	for pair := range strings.SplitSeq(strings.TrimSpace(sum), ":") {
		if _, err := strconv.ParseUint(pair, 16, 8); err != nil || len(pair) != 2 {
			return false
		}
	}
	return true
}
