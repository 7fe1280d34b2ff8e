package certs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	lookEvery     = 10 * time.Second
	alertEvery    = 24 * time.Hour
	completeAgain = 10 * time.Minute // after an intermediate could not be fetched
)

// watch takes over what the owner puts into the folder. A change counts when the next look finds the same: a key that
// is copied after its certificate does not match until then.
func (s *Store) watch(ctx context.Context) error {
	look := time.NewTicker(cmp.Or(s.config.every, lookEvery))
	defer look.Stop()
	taken := s.looks()
	seen, alerted, tried := taken, time.Now(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		now := s.looks()
		settled := now == seen
		seen = now
		s.mu.Lock()
		lacking := !s.server.complete && time.Since(tried) > completeAgain
		s.mu.Unlock()
		if settled && (now != taken || lacking) {
			tried = time.Now()
			s.takeOver(ctx, now != taken)
			taken = now
		}
		if time.Since(alerted) > alertEvery {
			alerted = time.Now()
			s.alert()
		}
	}
}

// takeOver reads the folder again; what cannot be used leaves the old certificate in its place. Connections that stand
// are not touched: a certificate is of a handshake.
func (s *Store) takeOver(ctx context.Context, aloud bool) {
	read, err := loadOwn(ctx, s.config)
	var problem Problem
	if err != nil && !errors.As(err, &problem) {
		problem = Problem{Unreadable, err.Error(), "correct it"}
	}
	s.mu.Lock()
	s.reload = nil
	if err == nil {
		s.server = read
	} else {
		s.reload = &problem
	}
	s.mu.Unlock()
	switch {
	case err != nil && aloud:
		s.config.Log.Error("the new certificate cannot be used, the old one stays: "+problem.Text, "remedy", problem.Fix)
	case err == nil && aloud:
		s.config.Log.Info("the new certificate is in use", "names", read.Leaf.DNSNames, "ends", read.Leaf.NotAfter)
		s.alert()
	}
}

// looks is what the folder looks like: the names, sizes and times of what would be read.
func (s *Store) looks() string {
	folder := ownFolder(s.config)
	names, err := candidates(folder)
	if err != nil {
		return err.Error()
	}
	var all strings.Builder
	for _, name := range append(names, passwordFile) {
		if about, err := os.Stat(filepath.Join(folder, name)); err == nil {
			fmt.Fprintf(&all, "%q %d %d\n", name, about.Size(), about.ModTime().UnixNano())
		}
	}
	return all.String()
}
