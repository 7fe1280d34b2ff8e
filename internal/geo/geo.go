package geo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"tertulia/internal/fault"
)

const (
	lookEvery = time.Minute // whether the file has changed
	maxFile   = 1 << 30     // bytes; it is kept in memory
	maxName   = 100         // bytes of a name
)

// Database is a file that is open. Make it with Open; Run follows the file.
type Database struct {
	path   string
	log    *slog.Logger
	reader atomic.Pointer[maxminddb.Reader]
	seen   stamp
}

// stamp tells one state of a file from another.
type stamp struct {
	size     int64
	modified time.Time
}

// Open reads a database. Errors are of kind Invalid: the file is not there, or not a database.
func Open(path string, log *slog.Logger) (*Database, error) {
	d := &Database{path: path, log: log}
	if err := d.read(); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "GEO_DATABASE %q cannot be read → name a file in MaxMind's format (.mmdb), or leave it unset", path)
	}
	return d, nil
}

// Run looks each minute whether the file is another, and reads it. One that cannot be read leaves the last that could.
func (d *Database) Run(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			d.follow()
		}
	}
}

func (d *Database) follow() {
	now, err := look(d.path)
	if err == nil && now == d.seen {
		return
	}
	if err == nil {
		err = d.read()
		d.seen = now // a file that is no database is told once
	}
	if err != nil {
		d.log.Warn("the database of places cannot be read: the one before stays", "file", d.path, "error", err)
		return
	}
	d.log.Info("the database of places was read anew", "file", d.path)
}

func look(path string) (stamp, error) {
	f, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stamp{f.Size(), f.ModTime()}, nil
}

// read takes the file into memory: it may be replaced or cut short while it is used.
func (d *Database) read() error {
	now, err := look(d.path)
	if err != nil {
		return err
	}
	if now.size > maxFile {
		return fmt.Errorf("it has %d bytes, more than %d", now.size, maxFile)
	}
	content, err := os.ReadFile(d.path)
	if err != nil {
		return err
	}
	reader, err := maxminddb.OpenBytes(content)
	if err != nil {
		return err
	}
	if !strings.Contains(reader.Metadata.DatabaseType, "City") && !strings.Contains(reader.Metadata.DatabaseType, "Country") {
		return errors.New("it tells no places: its type is " + clip(reader.Metadata.DatabaseType))
	}
	d.reader.Store(reader)
	d.seen = now
	return nil
}

// place is what is read of a record (GeoIP2 City).
type place struct {
	City    named `maxminddb:"city"`
	Country named `maxminddb:"country"`
}

type named struct {
	Names struct {
		English string `maxminddb:"en"`
	} `maxminddb:"names"`
}

// Locate returns "City, Country" in English; the country alone where the city is not known; "" for a private address, one
// that is not in the database, and for a nil Database. It may be called from any goroutine and does not wait.
func (d *Database) Locate(a netip.Addr) string {
	if d == nil || !a.IsValid() {
		return ""
	}
	a = a.Unmap().WithZone("")
	if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() {
		return ""
	}
	var p place
	if err := d.reader.Load().Lookup(a).Decode(&p); err != nil {
		return ""
	}
	city, country := clip(p.City.Names.English), clip(p.Country.Names.English)
	if city == "" || country == "" {
		return country + city
	}
	return city + ", " + country
}

func clip(name string) string {
	if len(name) > maxName {
		name = name[:maxName]
	}
	return strings.ToValidUTF8(name, "")
}
