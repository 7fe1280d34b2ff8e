package doctor

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"tertulia/internal/config"
)

const (
	maxBundle = 5_000_000 // bytes of the archive
	maxPage   = 1 << 20   // bytes of one file in it
	// tarFrame is what a file adds beside its text, packed or not: header, padding, and the archive's end.
	tarFrame = 4096
)

// bundle is an archive that grows as long as it stays small, and never holds what redactor takes out.
type bundle struct {
	redact  *redactor
	packed  bytes.Buffer
	gzip    *gzip.Writer
	tar     *tar.Writer
	leftOut []string
	at      time.Time
}

// Bundle writes a .tar.gz of 5 MB at most with what somebody who helps wants to see: versions, settings, the doctor's
// report, the machine, and of a running server health, timelines, log, goroutines and metrics. No secret, token or
// credential is in it; with strict no full address and no host name either.
func Bundle(ctx context.Context, o Options, strict bool, w io.Writer) error {
	h := &host{Options: o, root: os.DirFS("/")}
	h.server = holder(h.root, o.Config.Data)
	b := &bundle{redact: newRedactor(o.Config.Secrets(), hostNames(o.Config), strict), at: time.Now()}
	b.gzip = gzip.NewWriter(&b.packed)
	b.tar = tar.NewWriter(b.gzip)

	var report bytes.Buffer
	if err := newReport(o.Version, h.examine(ctx, nil)).JSON(&report); err != nil {
		return err
	}
	b.add("doctor.json", report.Bytes(), nil)
	b.add("version.txt", []byte(o.Version+"\n"), nil)
	b.add("settings.txt", settingsText(o.Config), nil)
	h.collectMachine(b)
	h.collectServer(ctx, b)
	b.add("left-out.txt", []byte(strings.Join(b.leftOut, "\n")+"\n"), nil)
	if err := b.tar.Close(); err != nil {
		return err
	}
	if err := b.gzip.Close(); err != nil {
		return err
	}
	_, err := w.Write(b.packed.Bytes())
	return err
}

// add packs one file, unless err says why there is none or the archive would grow too large.
func (b *bundle) add(name string, text []byte, err error) {
	if err != nil {
		b.leftOut = append(b.leftOut, string(b.redact.clean([]byte(name+": "+err.Error()))))
		return
	}
	if len(text) > maxPage {
		text = append(text[:maxPage:maxPage], "\n(cut)\n"...)
	}
	text = b.redact.clean(text)
	var probe bytes.Buffer
	measure := gzip.NewWriter(&probe)
	_, _ = measure.Write(text) // into memory
	_ = measure.Close()
	if b.packed.Len()+probe.Len()+tarFrame > maxBundle {
		b.leftOut = append(b.leftOut, name+": the archive would be larger than 5 MB")
		return
	}
	header := &tar.Header{Name: "tertulia/" + name, Mode: 0o600, Size: int64(len(text)), ModTime: b.at}
	if err := b.tar.WriteHeader(header); err == nil {
		_, _ = b.tar.Write(text) // a failure is sticky and Close tells it
	}
	_ = b.gzip.Flush() // so that Len is true
}

// settingsText is every setting with its value and its place, secrets hidden.
func settingsText(c config.Config) []byte {
	var b strings.Builder
	for _, s := range config.Settings() {
		place := c.Place(s.Name)
		if place == "" {
			place = "default"
		}
		fmt.Fprintf(&b, "%s=%s\t(%s)\n", s.Name, c.Value(s), place)
	}
	for _, w := range c.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return []byte(b.String())
}

// hostNames are the machines' names that --redact takes out.
func hostNames(c config.Config) []string {
	list := []string{c.Domain, c.TURNHost}
	if name, err := os.Hostname(); err == nil {
		list = append(list, name)
	}
	for _, s := range append(append([]string{}, c.STUNServers...), c.NTPServers...) {
		if name, _, err := net.SplitHostPort(s); err == nil {
			list = append(list, name)
		}
	}
	for _, s := range c.ICEServers {
		if _, rest, ok := strings.Cut(s.URL, ":"); ok {
			name, _, _ := strings.Cut(strings.TrimLeft(rest, "/"), ":")
			list = append(list, strings.TrimSuffix(name, "?transport=tcp"))
		}
	}
	var named []string
	for _, name := range list {
		if name != "" && name != "localhost" {
			named = append(named, name)
		}
	}
	return named
}
