package load_test

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What the data folder may have: the store writes records in blocks of 4 MiB and makes those anew of which little is left,
// keeps 1 MiB of events, and for a minute a note of each session that has ended. 10,000 sessions write 25 MiB.
const (
	blocks = 3 * 4 << 20
	note   = 200              // bytes, at most
	noted  = 70 * time.Second // the minute, and what the store takes to look
)

// TestTheStoreDoesNotGrow: sessions come and go, each with a connection, every tenth with somebody in it, and the data
// folder stays below a bound in which only those of the last minute count. LOAD_CHURNED says how many.
func TestTheStoreDoesNotGrow(t *testing.T) {
	sessions := count(t, "LOAD_CHURNED", 10_000)
	data := memory(t)
	s := start(t, data, "--events-max=1000")
	ctx, cancel := context.WithTimeout(t.Context(), 2*enough)
	defer cancel()
	report := fmt.Sprintf("fresh %d KiB\n", weight(t, data)>>10)
	var ends []time.Time // of each tenth
	for done := 0; done < sessions; done += sessions / 10 {
		if err := sideBySide(sessions/10, func(i int) error { return s.brief(ctx, i%10 == 0) }); err != nil {
			t.Fatal(err)
		}
		ends = slices.DeleteFunc(append(ends, time.Now()), func(at time.Time) bool { return time.Since(at) > noted })
		bound := int64(blocks + note*len(ends)*sessions/10)
		now := weight(t, data)
		report += fmt.Sprintf("after %6d sessions %5d KiB of %d\n", done+sessions/10, now>>10, bound>>10)
		if now > bound {
			t.Errorf("after %d sessions the data folder has %d bytes, want at most %d", done+sessions/10, now, bound)
		}
	}
	s.write(t, "growth.txt", report)
	t.Log(report)
	if figures := s.figures(); figures["tertulia_sessions"] != 0 {
		t.Errorf("%.0f sessions are left", figures["tertulia_sessions"])
	}
}

// brief is a session that does not last.
func (s *server) brief(ctx context.Context, visited bool) error {
	var made struct{ ID string }
	if _, err := s.api(ctx, "POST", "/sessions", "{}", &made); err != nil {
		return err
	}
	if !visited {
		if _, err := s.token(ctx, made.ID); err != nil {
			return err
		}
		_, err := s.api(ctx, "DELETE", "/sessions/"+made.ID, "", nil)
		return err
	}
	p, err := s.admit(ctx, made.ID)
	if err != nil {
		return err
	}
	return p.leave(ctx)
}

// weight is the size of all files of a folder, which may go while they are counted.
func weight(t *testing.T, folder string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // it has gone
		}
		if info, err := entry.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
