package config

import (
	"net/url"
	"path/filepath"
	"unicode/utf8"

	"tertulia/internal/fault"
)

// shortSecret is how many characters make a secret that is not easily guessed.
const shortSecret = 16

// finish fills the fields that several settings make together, and says what does not go together.
func (c *Config) finish() (warnings []string, errs []error) {
	switch {
	case !c.on.webhook:
		c.Webhook.Endpoint = ""
	case c.Webhook.Endpoint == "":
		errs = append(errs, fault.New(fault.Invalid, "%s: OPENVIDU_WEBHOOK=true: OPENVIDU_WEBHOOK_ENDPOINT is not set → set it to the URL that events are posted to", c.Place("OPENVIDU_WEBHOOK")))
	}
	if c.CDR.Path = ""; c.on.cdr {
		c.CDR.Path = c.inside(c.on.cdrPath) + "/" // as OpenVidu shows it
	}
	if c.GeoDatabase != "" {
		c.GeoDatabase = c.inside(c.GeoDatabase)
	}
	if c.NetworkQuality = 0; c.on.quality {
		c.NetworkQuality = c.on.qualityEvery
	}
	if c.on.elastic {
		c.Elastic.takeLogin()
	} else {
		c.Elastic.URL, c.Elastic.Kibana = "", ""
	}
	if c.TURNHost != "" && c.CoturnSecret == "" {
		warnings = append(warnings, c.Place("COTURN_IP")+": COTURN_IP names a coturn, and there is no COTURN_SHARED_SECRET_KEY that it could know → set the key, or remove COTURN_IP for the TURN server inside")
	}
	if c.Secret != "" && utf8.RuneCountInString(c.Secret) < shortSecret {
		if c.Strict {
			errs = append(errs, fault.New(fault.Invalid, "%s: OPENVIDU_SECRET=%s: shorter than %d characters, which STRICT=true refuses → write a longer one", c.Place("OPENVIDU_SECRET"), hidden, shortSecret))
		} else {
			warnings = append(warnings, c.Place("OPENVIDU_SECRET")+": OPENVIDU_SECRET is short enough to be guessed: 16 characters or more are better, and STRICT=true insists on them")
		}
	}
	return warnings, errs
}

// inside takes a relative path for one in the data folder.
func (c *Config) inside(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(c.Data, path)
}

// takeLogin moves credentials from the URLs to the fields, unless those are set.
func (e *Elastic) takeLogin() {
	for _, field := range []*string{&e.URL, &e.Kibana} {
		u, err := url.Parse(*field)
		if err != nil || u.User == nil {
			continue
		}
		if password, _ := u.User.Password(); field == &e.URL && e.Username == "" {
			e.Username, e.Password = u.User.Username(), password
		}
		u.User = nil
		*field = u.String()
	}
}
