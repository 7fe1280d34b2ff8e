package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"tertulia/internal/fault"
	"tertulia/internal/session"
)

// Run checks what session relies on. Open makes an empty store that t cleans up.
func Run(t *testing.T, open func(t *testing.T) session.Store) {
	for name, check := range map[string]func(*testing.T, session.Store){
		"a taken id":           taken,
		"latest wins":          latest,
		"delete":               deleted,
		"names":                names,
		"large records":        large,
		"a visit that fails":   failing,
		"many at once":         many,
		"a context that ended": cancelled,
	} {
		t.Run(name, func(t *testing.T) { check(t, open(t)) })
	}
}

// all loads every record.
func all(t *testing.T, s session.Store) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := s.Load(t.Context(), func(id string, record []byte) error {
		got[id] = string(record)
		return nil
	})
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return got
}

func want(t *testing.T, s session.Store, records map[string]string) {
	t.Helper()
	if got := all(t, s); !maps.Equal(got, records) {
		t.Fatalf("the store holds %q, want %q", got, records)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func taken(t *testing.T, s session.Store) {
	want(t, s, map[string]string{})
	must(t, s.Create(t.Context(), "ses_A", []byte("first")))
	if err := s.Create(t.Context(), "ses_A", []byte("second")); !fault.Is(err, fault.SessionExists) {
		t.Fatalf("creating a taken id: %v, want %s", err, fault.SessionExists)
	}
	want(t, s, map[string]string{"ses_A": "first"})
}

func latest(t *testing.T, s session.Store) {
	must(t, s.Create(t.Context(), "ses_A", []byte("0")))
	must(t, s.Create(t.Context(), "ses_B", []byte("other")))
	for n := 1; n <= 20; n++ {
		must(t, s.Put(t.Context(), "ses_A", fmt.Append(nil, n)))
	}
	want(t, s, map[string]string{"ses_A": "20", "ses_B": "other"})
}

func deleted(t *testing.T, s session.Store) {
	must(t, s.Delete(t.Context(), "ses_never"))
	must(t, s.Create(t.Context(), "ses_A", []byte("first")))
	must(t, s.Create(t.Context(), "ses_AB", []byte("neighbour")))
	must(t, s.Delete(t.Context(), "ses_A"))
	must(t, s.Delete(t.Context(), "ses_A"))
	want(t, s, map[string]string{"ses_AB": "neighbour"})
	must(t, s.Create(t.Context(), "ses_A", []byte("again")))
	want(t, s, map[string]string{"ses_A": "again", "ses_AB": "neighbour"})
}

// names are those a customSessionId may have.
func names(t *testing.T, s session.Store) {
	records := map[string]string{}
	for _, id := range []string{"a", "A", "-", "_", "--x__", "0123456789", string(make256())} {
		must(t, s.Create(t.Context(), id, []byte("of "+id)))
		records[id] = "of " + id
	}
	want(t, s, records)
}

func make256() []byte {
	id := make([]byte, 256)
	for i := range id {
		id[i] = "abcXYZ-_9"[i%9]
	}
	return id
}

// large is a session of a thousand connections, and its bytes are nobody's business.
func large(t *testing.T, s session.Store) {
	record := make([]byte, 900_000)
	for i := range record {
		record[i] = byte(i)
	}
	must(t, s.Create(t.Context(), "ses_A", []byte("{}")))
	must(t, s.Put(t.Context(), "ses_A", record))
	want(t, s, map[string]string{"ses_A": string(record)})
}

func failing(t *testing.T, s session.Store) {
	must(t, s.Create(t.Context(), "ses_A", []byte("1")))
	must(t, s.Create(t.Context(), "ses_B", []byte("2")))
	enough, visits := errors.New("enough"), 0
	err := s.Load(t.Context(), func(string, []byte) error {
		visits++
		return enough
	})
	if !errors.Is(err, enough) || visits != 1 {
		t.Fatalf("after %d visits: %v, want the visitor's error after one", visits, err)
	}
}

func many(t *testing.T, s session.Store) {
	var wg sync.WaitGroup
	for n := range 10 {
		wg.Go(func() {
			id := fmt.Sprintf("ses_%d", n)
			if err := s.Create(t.Context(), id, []byte("0")); err != nil {
				t.Error(err)
			}
			for m := range 5 {
				if err := s.Put(t.Context(), id, fmt.Append(nil, m)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for id, record := range all(t, s) {
		if record != "4" {
			t.Errorf("%s holds %q, want the last put", id, record)
		}
	}
	if n := len(all(t, s)); n != 10 {
		t.Errorf("%d records, want 10", n)
	}
}

// cancelled: a call whose context has ended fails and changes nothing.
func cancelled(t *testing.T, s session.Store) {
	must(t, s.Create(t.Context(), "ses_A", []byte("1")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range map[string]error{
		"create": s.Create(ctx, "ses_B", []byte("2")),
		"put":    s.Put(ctx, "ses_A", []byte("2")),
		"delete": s.Delete(ctx, "ses_A"),
	} {
		if err == nil {
			t.Errorf("%s succeeded with a context that had ended", name)
		}
	}
	want(t, s, map[string]string{"ses_A": "1"})
}
