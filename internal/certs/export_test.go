package certs

import "crypto/tls"

// What door_test.go, which is outside this package, needs of the tests inside.
var (
	NewPebble = newPebble
	NewZone   = newZone
	FreePorts = freePorts
	Await     = await
)

// Directory is the authority's URL, Roots the file its HTTPS is trusted by.
func (p *pebble) Directory() string { return p.directory }
func (p *pebble) RootsFile() string { return p.roots }

// Client is the TLS settings of a browser that trusts the authority.
func (p *pebble) Client(name string) *tls.Config {
	return &tls.Config{RootCAs: p.issuer, ServerName: name}
}
