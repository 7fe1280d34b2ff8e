package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// kind is the type of a setting: its name for people, what to write instead of a bad value, and how a value gets into
// the Config. set is never given an empty value, which is the same as an absent one.
type kind struct {
	typeName string
	want     string
	set      func(*Config, string) error
}

// invalid refuses a value; its text is joined to "NAME=value" and the kind's want.
type invalid string

func (e invalid) Error() string { return string(e) }

func boolean(field func(*Config) *bool) kind {
	return kind{"boolean", "true or false", func(c *Config, v string) error {
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true":
			*field(c) = true
		case "false":
			*field(c) = false
		default:
			return invalid("not a boolean")
		}
		return nil
	}}
}

func upTo(high int, field func(*Config) *int) kind {
	want := fmt.Sprintf("a whole number from 0 to %d", high)
	return kind{"integer", want, func(c *Config, v string) error {
		n, err := strconv.Atoi(strings.TrimSpace(v))
		if err != nil {
			return invalid("not a number")
		}
		if n < 0 || n > high {
			return invalid("out of range")
		}
		*field(c) = n
		return nil
	}}
}

// loopbackPort is a port of 127.0.0.1, or of an address that is named; it becomes "127.0.0.1:9090".
func loopbackPort(field func(*Config) *string) kind {
	return kind{"port", "a port from 0 to 65535, or ADDRESS:PORT such as 0.0.0.0:9090", func(c *Config, v string) error {
		v = strings.TrimSpace(v)
		address, port := "127.0.0.1", v
		if strings.Contains(v, ":") {
			var err error
			if address, port, err = net.SplitHostPort(v); err != nil {
				return invalid("not a port")
			}
		}
		if _, err := netip.ParseAddr(address); err != nil {
			return invalid("not an IP address before the port")
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return invalid("not a port")
		}
		*field(c) = net.JoinHostPort(address, strconv.FormatUint(n, 10))
		return nil
	}}
}

// optionalPort is a port that is off unless set; 0 takes any free one.
func optionalPort(field func(*Config) *string) kind {
	return kind{"port", "a port from 0 to 65535", func(c *Config, v string) error {
		n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 16)
		if err != nil {
			return invalid("not a port")
		}
		*field(c) = strconv.FormatUint(n, 10)
		return nil
	}}
}

// prefixes are networks; an address alone is a network of one.
func prefixes(field func(*Config) *[]netip.Prefix) kind {
	return kind{"list", "addresses and networks such as 10.0.0.0/8, separated by commas", func(c *Config, v string) error {
		var list []netip.Prefix
		for item := range strings.SplitSeq(v, ",") {
			item = strings.TrimSpace(item)
			p, err := netip.ParsePrefix(item)
			if err != nil {
				a, err := netip.ParseAddr(item)
				if err != nil {
					return invalid("not a list of networks")
				}
				p = netip.PrefixFrom(a, a.BitLen())
			}
			list = append(list, p.Masked())
		}
		*field(c) = list
		return nil
	}}
}

// hostPorts are "host:port" texts.
func hostPorts(field func(*Config) *[]string) kind {
	return kind{"list", "HOST:PORT, separated by commas", func(c *Config, v string) error {
		var list []string
		for item := range strings.SplitSeq(v, ",") {
			item = strings.TrimSpace(item)
			name, port, err := net.SplitHostPort(item)
			if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || name == "" {
				return invalid("not a list of servers")
			}
			list = append(list, item)
		}
		*field(c) = list
		return nil
	}}
}

func kbps(field func(*Config) *int) kind { return upTo(1_000_000, field) }

func oneOf(field func(*Config) *string, values ...string) kind {
	want := strings.Join(values, ", ")
	return kind{"one of " + want, "one of " + want, func(c *Config, v string) error {
		v = strings.TrimSpace(v)
		for _, value := range values {
			if v == value {
				*field(c) = v
				return nil
			}
		}
		return invalid("unknown value")
	}}
}

func text(field func(*Config) *string) kind {
	return kind{"string", "a text", func(c *Config, v string) error { *field(c) = v; return nil }}
}

// atLeast is a text that must not be guessed.
func atLeast(least int, field func(*Config) *string) kind {
	return kind{"string", fmt.Sprintf("%d characters at least", least), func(c *Config, v string) error {
		if len(v) < least {
			return invalid("too short")
		}
		*field(c) = v
		return nil
	}}
}

func pattern(expression, want string, field func(*Config) *string) kind {
	re := regexp.MustCompile(expression)
	return kind{"string", want, func(c *Config, v string) error {
		if !re.MatchString(v) {
			return invalid("holds other characters")
		}
		*field(c) = v
		return nil
	}}
}

// hostName is a DNS name of letters, digits, - and _ (container names have it).
var hostName = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$`)

func host(field func(*Config) *string) kind {
	return kind{"host", "a domain name or an IP address, without scheme or port", func(c *Config, v string) error {
		v = strings.TrimSpace(v)
		if bare, ok := strings.CutPrefix(v, "["); ok && strings.HasSuffix(bare, "]") {
			v = strings.TrimSuffix(bare, "]")
		}
		if _, err := netip.ParseAddr(v); err != nil && (len(v) > 253 || !hostName.MatchString(v)) {
			return invalid("not a host")
		}
		*field(c) = v
		return nil
	}}
}

// turnHost is a host; the words OpenVidu's container replaces by its own address mean the TURN server inside.
func turnHost(field func(*Config) *string) kind {
	k := host(field)
	set := k.set
	k.set = func(c *Config, v string) error {
		if v = strings.TrimSpace(v); v == "auto-ipv4" || v == "auto-ipv6" {
			*field(c) = ""
			return nil
		}
		return set(c, v)
	}
	return k
}
