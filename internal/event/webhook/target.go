package webhook

import (
	"net/http"
	"net/url"
	"strings"

	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

// Config is OPENVIDU_WEBHOOK_….
type Config struct {
	Endpoint string   // URL; "": nothing is sent
	Headers  []string // "Name: value"; a later one of the same name stands
	Events   []string // names; others are not sent
}

// target is a Config that can be used.
type target struct {
	url    string
	where  string // for the log: the rest of the URL may hold a secret
	host   string // of a configured Host header
	header http.Header
	events map[string]bool
}

func newTarget(c Config) (*target, error) {
	t := &target{header: http.Header{"User-Agent": {"tertulia"}}, events: map[string]bool{}}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.New(fault.Invalid, "OPENVIDU_WEBHOOK_ENDPOINT cannot be used → give a URL such as https://my.app/webhook")
	}
	t.url, t.where = c.Endpoint, u.Scheme+"://"+u.Host
	for i, line := range c.Headers {
		name, value, ok := strings.Cut(line, ": ")
		if !ok || !isToken(name) || !isText(value) {
			return nil, fault.New(fault.Invalid, "OPENVIDU_WEBHOOK_HEADERS entry %d cannot be used → write it as Name: value", i+1)
		}
		if strings.EqualFold(name, "Host") {
			t.host = value
			continue
		}
		t.header[name] = []string{value}
	}
	// As the original: only this very line is not sent twice.
	if json := "application/json"; !(len(t.header["Content-Type"]) == 1 && t.header["Content-Type"][0] == json) {
		t.header["Content-Type"] = append(t.header["Content-Type"], json)
	}
	for _, name := range c.Events {
		if _, ok := openvidu.EventNamed(name); !ok {
			return nil, fault.New(fault.Invalid, "OPENVIDU_WEBHOOK_EVENTS: there is no event %q → use the names of docs/reference/events.md", name)
		}
		t.events[name] = true
	}
	return t, nil
}

func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) < 0
}

func isText(s string) bool {
	return strings.TrimSpace(s) != "" && strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}
