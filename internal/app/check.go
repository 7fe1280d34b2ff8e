package app

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"

	"tertulia/internal/api/frontdoor"
	"tertulia/internal/api/rest"
	"tertulia/internal/certs"
	"tertulia/internal/config"
	"tertulia/internal/event/elastic"
	"tertulia/internal/event/webhook"
	"tertulia/internal/fault"
	"tertulia/internal/geo"
)

// Check refuses what a start refuses of settings that package config takes, because another package knows better. A start
// begins with it, so that `tertulia config check` and POST /restart say the same. It makes nothing and asks nobody; each
// error is a fault.Invalid. Whether ports are free, and may be opened, is seen by a start alone.
func Check(c config.Config) error {
	var errs []error
	for _, check := range []func(config.Config) error{
		checkData, checkCertificates, checkElastic, checkWebhook, checkPlaces, checkICEServers, checkRoutes, checkTLS, checkMetrics,
	} {
		if err := check(c); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// worse is what Check says of next and does not of now: for what is wrong already, a file that is just being replaced, no
// change has to answer.
func worse(now, next config.Config) error {
	err := Check(next)
	if err == nil {
		return nil
	}
	known := fault.All(Check(now))
	return errors.Join(slices.DeleteFunc(fault.All(err), func(e error) bool {
		return slices.ContainsFunc(known, func(k error) bool { return k.Error() == e.Error() })
	})...)
}

func checkCertificates(c config.Config) error { return certs.Usable(certificateConfig(c)) }

func checkElastic(c config.Config) error {
	return elastic.New(elastic.Options{}).Adopt(elasticConfig(c))
}

func checkWebhook(c config.Config) error {
	return webhook.New(webhook.Options{}).Adopt(webhookConfig(c))
}

func checkPlaces(c config.Config) error {
	if c.GeoDatabase == "" {
		return nil
	}
	_, err := geo.Open(c.GeoDatabase, slog.New(slog.DiscardHandler))
	return err
}

func checkICEServers(c config.Config) error { return rest.CheckICEServers(iceServers(c)) }

func checkRoutes(c config.Config) error {
	site, err := frontdoor.NewSite(frontdoor.SiteConfig{Own: http.NotFoundHandler()}, rules(c))
	if err != nil {
		return err
	}
	return site.Close()
}

func checkTLS(c config.Config) error {
	return frontdoor.SetTLS(&tls.Config{MinVersion: tls.VersionTLS12}, c.Edge.TLSVersions, c.Edge.Ciphers)
}

// checkMetrics tries the address of METRICS_PORT with any port, and compares the port with the others.
func checkMetrics(c config.Config) error {
	if c.MetricsAddress == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(c.MetricsAddress)
	if err != nil {
		return noMetrics(c.MetricsAddress, err) // config has parsed it
	}
	others := []string{strconv.Itoa(c.HTTPSPort), c.HTTPPort}
	if c.TURNHost == "" {
		others = append(others, c.TURNPort)
	}
	if port != "0" && slices.Contains(others, port) {
		return noMetrics(c.MetricsAddress, errors.New("HTTPS_PORT, HTTP_PORT or COTURN_PORT is the same"))
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return noMetrics(c.MetricsAddress, err)
	}
	return listener.Close()
}

// noMetrics is METRICS_PORT that cannot be.
func noMetrics(address string, cause error) error {
	return fault.Wrap(fault.Invalid, cause, "METRICS_PORT=%s: it cannot be opened → set METRICS_PORT to a free port of this machine", address)
}
