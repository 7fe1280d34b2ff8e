package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxSecret  = 1000 // bytes
	maxEntries = 100  // of API_KEYS, EXTRA_ROUTES, …
	maxHeader  = 8192 // bytes of all headers of a webhook
)

// secret is any text a person can type: it is sent in headers and stands on one line of .env.
func secret(field func(*Config) *string) kind {
	return kind{"string", fmt.Sprintf("up to %d bytes of UTF-8 text without control characters, and without spaces at its ends", maxSecret), func(c *Config, v string) error {
		if err := checkSecret(v); err != nil {
			return err
		}
		*field(c) = v
		return nil
	}}
}

func checkSecret(v string) error {
	switch {
	case !utf8.ValidString(v):
		return invalid("not UTF-8 text")
	case strings.TrimSpace(v) != v:
		return invalid("a space at its start or end, which people do not see and programs cut off")
	case strings.ContainsFunc(v, unicode.IsControl):
		return invalid("holds a control character, which HTTP cannot carry")
	case len(v) > maxSecret:
		return invalid("too long")
	}
	return nil
}

// secrets are several, of which one with a comma must stand in quotes.
func secrets(field func(*Config) *[]string) kind {
	return kind{"list", "secrets separated by commas, or an array with quotes", func(c *Config, v string) error {
		list := strings.Split(v, ",")
		if strings.HasPrefix(strings.TrimSpace(v), "[") {
			var err error
			if list, err = parseList(v); err != nil {
				return err
			}
		}
		if len(list) > maxEntries {
			return tooMany()
		}
		for i, s := range list {
			if list[i] = strings.TrimSpace(s); list[i] == "" {
				return invalid(fmt.Sprintf("entry %d is empty", i+1))
			}
			if err := checkSecret(list[i]); err != nil {
				return invalid(fmt.Sprintf("entry %d: %v", i+1, err))
			}
		}
		*field(c) = list
		return nil
	}}
}

func tooMany() error { return invalid(fmt.Sprintf("more than %d entries", maxEntries)) }

var keyName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// apiKeys quote no value in errors: it is a password.
func apiKeys(field func(*Config) *[]Key) kind {
	const want = `an array of "name=…,key=…,scope=…" in quotes: the name of letters, digits, _ . and -, the key of 16 characters at least without a comma, the scope all, sessions or read`
	return kind{"array", want, func(c *Config, v string) error {
		entries, err := parseList(v)
		if err != nil {
			return err
		}
		if len(entries) > maxEntries {
			return tooMany()
		}
		var list []Key
		for i, entry := range entries {
			k, err := parseKey(entry)
			if err == nil && slices.ContainsFunc(list, func(other Key) bool { return other.Name == k.Name || other.Key == k.Key }) {
				err = invalid("its name or key is there twice")
			}
			if err != nil {
				return invalid(fmt.Sprintf("entry %d: %v", i+1, err))
			}
			list = append(list, k)
		}
		*field(c) = list
		return nil
	}}
}

func parseKey(entry string) (Key, error) {
	k := Key{Scope: "all"}
	for pair := range strings.SplitSeq(entry, ",") {
		name, value, _ := strings.Cut(pair, "=")
		switch strings.TrimSpace(name) {
		case "name":
			k.Name = value
		case "key":
			k.Key = value
		case "scope":
			k.Scope = value
		default:
			return k, invalid("its parts are name, key and scope")
		}
	}
	switch {
	case !keyName.MatchString(k.Name) || k.Name == "OPENVIDUAPP":
		return k, invalid("it has no name, or one with other characters")
	case len(k.Key) < shortSecret || checkSecret(k.Key) != nil:
		return k, invalid("its key is too short, or holds what a secret may not")
	case !slices.Contains([]string{"all", "sessions", "read"}, k.Scope):
		return k, invalid("its scope is unknown")
	}
	return k, nil
}

// extraRoutes are folders and servers; whether a folder is there is seen when it is served.
func extraRoutes(field func(*Config) *[]Route) kind {
	return kind{"array", `an array of "/PATH=FOLDER" or "/PATH=http://HOST:PORT"`, func(c *Config, v string) error {
		entries, err := parseList(v)
		if err != nil {
			return err
		}
		if len(entries) > maxEntries {
			return tooMany()
		}
		var list []Route
		for i, entry := range entries {
			at, target, ok := strings.Cut(entry, "=")
			at, target = path.Clean(strings.TrimSpace(at)), strings.TrimSpace(target)
			switch {
			case !ok || !strings.HasPrefix(at, "/") || target == "" || strings.ContainsAny(at, "{}?# \t"):
				return invalid(fmt.Sprintf("entry %d is not PATH=TARGET, or its path does not start with a /", i+1))
			case slices.ContainsFunc(list, func(r Route) bool { return r.Path == at }):
				return invalid(fmt.Sprintf("entry %d: its path is there twice", i+1))
			case strings.Contains(target, "://"):
				if _, err := parseURL(target); err != nil {
					return invalid(fmt.Sprintf("entry %d: %v", i+1, err))
				}
			case holds(c.inside(target), c.Data):
				return invalid(fmt.Sprintf("entry %d: its folder holds the data folder, and the secrets there would be shown; --data names another one", i+1))
			default:
				target = c.inside(target)
			}
			list = append(list, Route{at, target})
		}
		*field(c) = list
		return nil
	}}
}

// holds reports whether another folder is this one or lies in it, whatever links lead there.
func holds(folder, other string) bool {
	wanted, err := os.Stat(folder)
	if err != nil {
		return false // nothing can be shown of it
	}
	if found, err := filepath.EvalSymlinks(other); err == nil { // else it is to be made
		other = found
	}
	for ; ; other = filepath.Dir(other) {
		if at, err := os.Stat(other); err == nil && os.SameFile(at, wanted) {
			return true
		}
		if other == filepath.Dir(other) {
			return false
		}
	}
}

// accessList is networks, or "all".
func accessList(field func(*Config) *[]netip.Prefix) kind {
	networks := prefixes(field)
	return kind{"list", "all, or " + networks.want, func(c *Config, v string) error {
		if strings.EqualFold(strings.TrimSpace(v), "all") {
			*field(c) = nil
			return nil
		}
		return networks.set(c, v)
	}}
}

// words are some of a list, separated by spaces.
func words(field func(*Config) *[]string, values ...string) kind {
	return kind{"list", "some of " + strings.Join(values, " "), func(c *Config, v string) error {
		list := strings.Fields(v)
		for _, word := range list {
			if !slices.Contains(values, word) {
				return invalid("unknown value")
			}
		}
		if len(list) == 0 {
			return invalid("nothing is named")
		}
		*field(c) = list
		return nil
	}}
}

var cipherName = regexp.MustCompile(`^[A-Z0-9_-]+$`)

// ciphers are names; api/frontdoor knows which it has.
func ciphers(field func(*Config) *[]string) kind {
	return kind{"list", "OpenSSL names such as ECDHE-RSA-AES128-GCM-SHA256, separated by colons", func(c *Config, v string) error {
		var list []string
		for name := range strings.SplitSeq(strings.TrimSpace(v), ":") {
			if !cipherName.MatchString(name) {
				return invalid("not a list of names")
			}
			list = append(list, name)
		}
		*field(c) = list
		return nil
	}}
}

var maxAge = regexp.MustCompile(`^max-age=[0-9]+(; ?[A-Za-z]+)*$`)

func hsts(field func(*Config) *string) kind {
	return kind{"string", "max-age=SECONDS, with ; includeSubDomains if you like, or off", func(c *Config, v string) error {
		switch v = strings.Trim(strings.TrimSpace(v), `"`); {
		case v == "off":
			*field(c) = ""
		case maxAge.MatchString(v):
			*field(c) = v
		default:
			return invalid("not such a header")
		}
		return nil
	}}
}

// size is nginx's: bytes, K, M or G. Its 0, no limit, is refused.
func size(field func(*Config) *int64) kind {
	return kind{"size", "bytes from 1 to 100G, with K, M or G behind the number if you like", func(c *Config, v string) error {
		v = strings.ToUpper(strings.TrimSpace(v))
		number := strings.TrimRight(v, "KMG")
		shift, ok := map[string]int{"": 0, "K": 10, "M": 20, "G": 30}[v[len(number):]]
		n, err := strconv.ParseInt(number, 10, 38)
		if !ok || err != nil {
			return invalid("not a size")
		}
		if n = n << shift; n < 1 || n > 100<<30 {
			return invalid("out of range")
		}
		*field(c) = n
		return nil
	}}
}

// parseURL wants http or https and a host. It quotes no value: there may be a password in it.
func parseURL(v string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(v))
	switch {
	case err != nil:
		return nil, invalid("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid("it does not start with http:// or https://")
	case u.Hostname() == "":
		return nil, invalid("it names no host")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, invalid("its port is not one")
		}
	}
	return u, nil
}

func address(field func(*Config) *string) kind {
	return kind{"URL", "a URL such as https://app.example.com/hook", func(c *Config, v string) error {
		u, err := parseURL(v)
		if err == nil {
			*field(c) = u.String()
		}
		return err
	}}
}

// login is a URL whose slash at the end says nothing; finish takes the credentials out.
func login(field func(*Config) *string) kind {
	return kind{"URL", "a URL such as https://elastic.example.com", func(c *Config, v string) error {
		u, err := parseURL(v)
		if err == nil {
			u.Path = strings.TrimRight(u.Path, "/")
			u.RawPath, u.RawQuery, u.Fragment = "", "", ""
			*field(c) = u.String()
		}
		return err
	}}
}

// headers are "Name: value", split at the first ": " (HttpWebhookSender.java).
func headers(field func(*Config) *[]string) kind {
	return kind{"array", `an array of "Name: value", each in quotes`, func(c *Config, v string) error {
		list, err := parseList(v)
		if err != nil {
			return err
		}
		total := 0
		for i, h := range list {
			name, value, _ := strings.Cut(h, ": ")
			total += len(h)
			if !token.MatchString(name) || strings.TrimSpace(value) == "" || strings.ContainsFunc(value, unicode.IsControl) || total > maxHeader {
				return invalid(fmt.Sprintf("entry %d is not a header, or they are too long together", i+1))
			}
		}
		*field(c) = list
		return nil
	}}
}

var token = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// defaultEvents are the default of OpenVidu's application.properties; with the rest they are CDREventName.java.
const (
	defaultEvents = "sessionCreated,sessionDestroyed,participantJoined,participantLeft,webrtcConnectionCreated,webrtcConnectionDestroyed," +
		"recordingStatusChanged,filterEventDispatched,signalSent,mediaNodeStatusChanged,autoscaling,nodeCrashed,nodeRecovered,broadcastStarted,broadcastStopped"
	moreEvents = "HANodeRegistered,HANodeDeregistered,diagnosis"
)

func eventNames(field func(*Config) *[]string) kind {
	known := strings.Split(defaultEvents+","+moreEvents, ",")
	return kind{"array", "an array of " + strings.Join(known, ", "), func(c *Config, v string) error {
		list, err := parseList(v)
		if err != nil {
			return err
		}
		for i, name := range list {
			if !slices.Contains(known, name) {
				return invalid(fmt.Sprintf("entry %d is no event", i+1))
			}
		}
		*field(c) = list
		return nil
	}}
}

func between(low, high int, field func(*Config) *int) kind {
	k := upTo(high, field)
	return kind{"integer", fmt.Sprintf("a whole number from %d to %d", low, high), func(c *Config, v string) error {
		if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && n < low {
			return invalid("out of range")
		}
		return k.set(c, v)
	}}
}
