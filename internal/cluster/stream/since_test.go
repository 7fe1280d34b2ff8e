package stream_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"tertulia/internal/cluster/stream"
)

// TestSince reads what was asked for, in order, and not what is older.
func TestSince(t *testing.T) {
	conn, _ := serve(t, t.TempDir())
	s, _ := open(t, conn, stream.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	since := func(after uint64, names ...string) (list []string) {
		t.Helper()
		must(t, s.Since(ctx, after, names, func(e stream.Entry) { list = append(list, fmt.Sprintf("%d %s %s", e.Number, e.Name, e.Text)) }))
		return list
	}
	if got := since(0, "born", "died"); got != nil {
		t.Errorf("an empty stream has %v", got)
	}
	var want []string
	const all = 2400 // of which more are asked for than are read at a time
	for i := range all {
		name := []string{"born", "other", "died"}[i%3]
		s.Append(name, []byte(fmt.Sprint(i)))
		if name != "other" {
			want = append(want, fmt.Sprintf("%d %s %d", i+1, name, i))
		}
	}
	must(t, s.Written(ctx, all))
	if got := since(0, "born", "died"); !slices.Equal(got, want) {
		t.Errorf("%d records, want %d", len(got), len(want))
	}
	if got := since(1, "born", "died"); !slices.Equal(got, want[1:]) {
		t.Errorf("%d records after the first, want %d", len(got), len(want)-1)
	}
	if got := since(300, "born"); len(got) != 700 || got[0] != "301 born 300" {
		t.Errorf("%d records of one name after the 300th", len(got))
	}
	_, err := s.Forget(ctx, 30)
	must(t, err)
	if got := since(5, "born", "died"); !slices.Equal(got, want[len(want)-20:]) {
		t.Errorf("once the oldest are forgotten: %v", got)
	}
	for _, after := range []uint64{all, all + 100} {
		if got := since(after, "born"); got != nil {
			t.Errorf("after %d there is %v", after, got)
		}
	}
	ended, end := context.WithCancel(ctx)
	end()
	if err := s.Since(ended, 0, []string{"born"}, func(stream.Entry) {}); err == nil {
		t.Error("no error once the context has ended")
	}
}
