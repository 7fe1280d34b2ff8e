package frontdoor

import (
	"crypto/tls"
	"slices"
	"strings"

	"tertulia/internal/fault"
)

// versions are nginx's names; browsers have given older ones up.
var versions = map[string]uint16{"TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}

// suites are OpenSSL's names of those that Go has.
var suites = map[string]uint16{
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-SHA256":     tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-RSA-AES128-SHA256":       tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	"AES128-GCM-SHA256":             tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
	"AES256-GCM-SHA384":             tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	"AES128-SHA256":                 tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
	"AES128-SHA":                    tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	"AES256-SHA":                    tls.TLS_RSA_WITH_AES_256_CBC_SHA,
}

// passedOver are names of the original's default list, and of TLS 1.3, where nobody can choose: Go has not the former and
// always has the latter.
var passedOver = []string{
	"DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305",
	"DHE-RSA-AES128-SHA256", "DHE-RSA-AES256-SHA256", "DHE-RSA-AES128-SHA", "DHE-RSA-AES256-SHA",
	"ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384", "AES256-SHA256",
	"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
}

// SetTLS narrows a configuration to versions and suites by the names nginx and OpenSSL have for them (HTTPS_PROTOCOLS,
// HTTPS_CIPHERS); nil leaves Go's choice. Suites are of TLS 1.2 and before, and their order is Go's. HTTP/2 is taken away
// where no suite is left that it allows (RFC 9113 §9.2.2). Errors are of kind Invalid.
func SetTLS(config *tls.Config, protocols, ciphers []string) error {
	if protocols != nil {
		if err := setVersions(config, protocols); err != nil {
			return err
		}
	}
	if ciphers == nil || config.MinVersion >= tls.VersionTLS13 {
		return nil
	}
	var chosen []uint16
	for _, name := range ciphers {
		switch id, known := suites[name]; {
		case known:
			chosen = append(chosen, id)
		case !slices.Contains(passedOver, name):
			return fault.New(fault.Invalid, "HTTPS_CIPHERS: %q is unknown → name suites of OpenSSL such as ECDHE-RSA-AES128-GCM-SHA256, or leave it unset", name)
		}
	}
	if len(chosen) == 0 {
		return fault.New(fault.Invalid, "HTTPS_CIPHERS names no suite that this server has → add ECDHE-ECDSA-AES128-GCM-SHA256 and ECDHE-RSA-AES128-GCM-SHA256")
	}
	config.CipherSuites = chosen
	if !slices.ContainsFunc(chosen, fitForHTTP2) {
		config.NextProtos = slices.DeleteFunc(slices.Clone(config.NextProtos), func(p string) bool { return p == "h2" })
	}
	return nil
}

func setVersions(config *tls.Config, protocols []string) error {
	var wanted []uint16
	for _, name := range protocols {
		number, ok := versions[name]
		if !ok {
			return fault.New(fault.Invalid, "HTTPS_PROTOCOLS: %q is not served → name TLSv1.2, TLSv1.3 or both", name)
		}
		wanted = append(wanted, number)
	}
	if len(wanted) == 0 {
		return fault.New(fault.Invalid, "HTTPS_PROTOCOLS names no version → name TLSv1.2, TLSv1.3 or both")
	}
	config.MinVersion, config.MaxVersion = slices.Min(wanted), slices.Max(wanted)
	return nil
}

func fitForHTTP2(suite uint16) bool {
	name := tls.CipherSuiteName(suite)
	return strings.Contains(name, "ECDHE") && (strings.Contains(name, "GCM") || strings.Contains(name, "POLY1305"))
}
