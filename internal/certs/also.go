package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
)

// SetAlso takes another second name, as Config.Also; a running Store gets a certificate for it, or lets go of the one it
// has. Errors are of kind Invalid and leave everything as it was.
func (s *Store) SetAlso(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.also
	if name == before {
		return nil
	}
	second, err := s.secondFor(name)
	if err != nil {
		return err
	}
	s.also = name
	if s.config.Kind != OwnCert {
		made, err := keep(s.path("selfsigned.pem"), s.identity(), serverLife)
		if err != nil {
			s.also = before
			return err
		}
		s.server.Certificate = made
	}
	s.second = second
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// secondFor is who asks for the certificate of a second name: one of its own, so that a record that is missing for one name
// keeps nothing from the other. nil if nobody asks.
func (s *Store) secondFor(name string) (*authority, error) {
	if s.config.Kind != LetsEncrypt || name == "" {
		return nil, nil
	}
	config := s.config
	config.Domain = name
	second, err := newAuthority(config)
	return second, asInvalid(err)
}

// runSecond has the certificate of the second name kept new, whichever that is, until ctx ends.
func (s *Store) runSecond(ctx context.Context, port int) {
	for ctx.Err() == nil {
		s.mu.Lock()
		second, changed := s.second, s.changed
		s.mu.Unlock()
		wanted, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		if second != nil {
			running.Go(func() { second.run(wanted, port) })
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
		stop()
		running.Wait()
	}
}

// authorities are those who are asked now: first the domain's.
func (s *Store) authorities() []*authority {
	if s.authority == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.second == nil {
		return []*authority{s.authority}
	}
	return []*authority{s.authority, s.second}
}

// issued is the certificate an authority has given for a name, else the one for the domain, else nil.
func (s *Store) issued(name string) (found *tls.Certificate) {
	for i, a := range s.authorities() {
		if i > 0 && !strings.EqualFold(name, a.config.Domain) {
			continue
		}
		if given := a.certificate(); given != nil {
			found = given
		}
	}
	return found
}

// answer shows the authority that we are one of our names.
func (s *Store) answer(hello *tls.ClientHelloInfo) (certificate *tls.Certificate, err error) {
	for _, a := range s.authorities() {
		if certificate, err = a.answer(hello); err == nil {
			break
		}
	}
	return certificate, err
}

// lacks says that the owner's certificate is not for the second name.
func lacks(s server, name string) []Problem {
	if name == "" || s.Leaf.VerifyHostname(name) == nil {
		return nil
	}
	return []Problem{{NameMismatch, fmt.Sprintf("the certificate for %s is not for %s, which browsers are sent on from: they warn first", subject(s.Leaf), name),
		"get one for both names, or set REDIRECT_WWW=false"}}
}
