package doctor

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// redactor takes out of a text what must not leave this machine.
type redactor struct {
	literal *regexp.Regexp // the secrets we know; nil: none
	hosts   *regexp.Regexp // names of machines, with --redact
	strict  bool           // --redact: no full address either
}

const removed = "(hidden)"

// newRedactor knows the secrets of a configuration, and with strict the names of machines.
func newRedactor(secrets, hosts []string, strict bool) *redactor {
	r := &redactor{strict: strict}
	for _, s := range slices.Clone(secrets) {
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte("OPENVIDUAPP:"+s)))
	}
	r.literal = anyOf(secrets)
	if strict {
		r.hosts = anyOf(hosts)
	}
	return r
}

// anyOf finds these words, the longest first: inside other text too, unless they are short.
func anyOf(words []string) *regexp.Regexp {
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
	if len(words) == 0 {
		return nil
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	var patterns []string
	for _, w := range words {
		p := regexp.QuoteMeta(w)
		if len(w) < 8 {
			p = `\b` + p + `\b`
		}
		patterns = append(patterns, p)
	}
	return regexp.MustCompile(strings.Join(patterns, "|"))
}

var (
	// "token":"…", secret=…, a=ice-pwd:…, \"credential\":\"…\" inside a text that is itself JSON.
	secretField = regexp.MustCompile(`(?i)(\b[\w.-]*(?:token|secret|credential|password|passwd|ice-pwd|icepwd|ice-ufrag|icepassword|authorization|cookie|privatekey|apikey)[\w-]*\\*"?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|\\"(?:[^"\\]|\\\\\\"|\\\\[^"\\]|\\[^"\\])*\\"|\\+"[^"]*"|[^\s,;&"\\}\]]+)`)
	patterns    = []*regexp.Regexp{
		regexp.MustCompile(`\btok_[A-Za-z0-9_-]+`),
		regexp.MustCompile(`(?i)\b(basic|bearer|digest)\s+[A-Za-z0-9+/=._~-]{6,}`),
		regexp.MustCompile(`\b\d{9,11}:[A-Za-z0-9_@.-]{4,}\b`), // a TURN user: when it ends, and whose
		regexp.MustCompile(`(?i)\bufrag\s+[A-Za-z0-9+/]+`),
		regexp.MustCompile(`\binline:[A-Za-z0-9+/=|:]+`),
		regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\z)`),
	}
	ipv4  = regexp.MustCompile(`\b(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}\b`)
	colon = regexp.MustCompile(`[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*`) // what may be an IPv6 address
	mdns  = regexp.MustCompile(`(?i)\b[0-9a-f-]{8,}\.local\b`)
)

// clean returns the text without secrets; quoted text stays quoted, so JSON stays JSON.
func (r *redactor) clean(text []byte) []byte {
	if r.literal != nil {
		text = r.literal.ReplaceAll(text, []byte(removed))
	}
	for _, p := range patterns {
		text = p.ReplaceAll(text, []byte(removed))
	}
	text = secretField.ReplaceAllFunc(text, func(all []byte) []byte {
		m := secretField.FindSubmatch(all)
		switch value := string(m[2]); {
		case value == "null", value == "true", value == "false", value == removed:
			return all
		case strings.Contains(value, `"`):
			quote := value[:strings.Index(value, `"`)+1]
			return append(bytes.Clone(m[1]), quote+removed+quote...)
		}
		return append(bytes.Clone(m[1]), removed...)
	})
	if !r.strict {
		return text
	}
	text = ipv4.ReplaceAll(text, []byte("$1.x.x"))
	text = colon.ReplaceAllFunc(text, shortenIPv6)
	text = mdns.ReplaceAll(text, []byte("(host).local"))
	if r.hosts != nil {
		text = r.hosts.ReplaceAll(text, []byte("(host)"))
	}
	return text
}

// shortenIPv6 keeps the first 32 bits of an address; anything else stays.
func shortenIPv6(text []byte) []byte {
	bare := strings.TrimSuffix(string(text), ":")
	if strings.HasSuffix(string(text), "::") {
		bare = string(text)
	}
	for _, candidate := range []string{string(text), bare, strings.TrimPrefix(bare, ":")} {
		a, err := netip.ParseAddr(candidate)
		if err != nil || a.IsUnspecified() {
			continue
		}
		p, err := a.Prefix(32)
		if err != nil {
			continue
		}
		short := strings.TrimSuffix(p.Addr().String(), "::") + ":x"
		return []byte(strings.Replace(string(text), candidate, short, 1))
	}
	return text
}
