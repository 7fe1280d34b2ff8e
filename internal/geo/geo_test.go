package geo

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"tertulia/internal/fault"
)

// lines are those of a log; the database writes them while the test reads.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// database writes a file in which networks are in places, "City, Country".
func database(t *testing.T, file, kind string, places map[string][2]string) {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IncludeReservedNetworks: true, RecordSize: 24})
	if err != nil {
		t.Fatal(err)
	}
	for network, at := range places {
		_, parsed, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		record := mmdbtype.Map{}
		for i, key := range []mmdbtype.String{"city", "country"} {
			if at[i] != "" {
				record[key] = mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(at[i]), "es": mmdbtype.String("otro")}}
			}
		}
		if err := tree.Insert(parsed, record); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

const city = "GeoLite2-City"

func TestLOSS_21__PlacesOfAddresses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "geo.mmdb")
	database(t, file, city, map[string][2]string{
		"198.51.100.0/24": {"Madrid", "Spain"}, "203.0.113.0/24": {"", "Peru"}, "2001:db8::/32": {"Quito", "Ecuador"},
		"10.0.0.0/8": {"Nowhere", "Private"}, "192.0.2.0/24": {strings.Repeat("é", 100), "Long"},
	})
	d, err := Open(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"198.51.100.7": "Madrid, Spain", "::ffff:198.51.100.7": "Madrid, Spain", "203.0.113.1": "Peru", "2001:db8::1": "Quito, Ecuador",
		"8.8.8.8": "", "10.1.2.3": "", "127.0.0.1": "", "fe80::1%eth0": "", "::": "", "192.0.2.1": strings.Repeat("é", 50) + ", Long",
	} {
		if got := d.Locate(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is in %q, want %q", address, got, want)
		}
	}
	if (*Database)(nil).Locate(netip.MustParseAddr("8.8.8.8")) != "" || d.Locate(netip.Addr{}) != "" {
		t.Error("there is a place without a database, or without an address")
	}
}

func TestLOSS_21__ADatabaseThatIsReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "geo.mmdb")
	at := netip.MustParseAddr("198.51.100.7")
	database(t, file, city, map[string][2]string{"198.51.100.0/24": {"Madrid", "Spain"}})
	synctest.Test(t, func(t *testing.T) {
		var log lines
		d, err := Open(file, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan error)
		go func() { over <- d.Run(ctx) }()
		minute := func() {
			time.Sleep(lookEvery + time.Second)
			synctest.Wait()
		}
		minute()
		if log.String() != "" {
			t.Errorf("a file that stays is read: %s", log.String())
		}
		database(t, file, city, map[string][2]string{"198.51.100.0/24": {"A Coruña", "Spain"}})
		minute()
		if got := d.Locate(at); got != "A Coruña, Spain" {
			t.Errorf("after it was replaced: %q", got)
		}
		if err := os.WriteFile(file, []byte("no database"), 0o600); err != nil {
			t.Fatal(err)
		}
		minute()
		minute()
		if got := d.Locate(at); got != "A Coruña, Spain" || strings.Count(log.String(), "cannot be read") != 1 {
			t.Errorf("after it was spoilt: %q, log %s", got, log.String())
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		minute()
		if got := d.Locate(at); got != "A Coruña, Spain" {
			t.Errorf("after it was removed: %q", got)
		}
		stop()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestWhatIsNoDatabase(t *testing.T) {
	dir := t.TempDir()
	networks := filepath.Join(dir, "asn.mmdb")
	database(t, networks, "GeoLite2-ASN", map[string][2]string{"198.51.100.0/24": {"x", "y"}})
	text := filepath.Join(dir, "text.mmdb")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(dir, "none.mmdb"), dir, networks, text} {
		if _, err := Open(file, slog.New(slog.DiscardHandler)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "GEO_DATABASE") {
			t.Errorf("%s: %v", file, err)
		}
	}
}
