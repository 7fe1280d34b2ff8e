package kv

import (
	"regexp"
	"strings"
	"testing"

	"tertulia/internal/fault"
)

func TestOrdinaryIDsAreTheirOwnKeys(t *testing.T) {
	for _, id := range []string{"ses_A1b2C3", "my-room", "0"} {
		if got := encode(id); got != id {
			t.Errorf("encode(%q) = %q, want it unchanged", id, got)
		}
	}
}

func TestIDsThatCannotBeKept(t *testing.T) {
	for name, c := range map[string]struct {
		id     string
		record []byte
		want   fault.Kind
	}{
		"empty":      {"", nil, fault.Invalid},
		"long id":    {strings.Repeat("a", maxID+1), nil, fault.Invalid},
		"big record": {"a", make([]byte, MaxRecord+1), fault.TooLarge},
	} {
		if _, err := keyOf(c.id, c.record); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want kind %s", name, err, c.want)
		}
	}
	if _, err := keyOf(strings.Repeat("a", maxID), make([]byte, MaxRecord)); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

func TestForeignKeysAreNotIDs(t *testing.T) {
	for _, key := range []string{"a.b", "=", "=4", "=zz", "=61", "=2E", "a b", "é"} {
		if id, ok := decode(key); ok {
			t.Errorf("decode(%q) = %q, want it refused", key, id)
		}
	}
}

func FuzzKey(f *testing.F) {
	for _, seed := range []string{"ses_1", "a.b.c", "ñ >*", "=2e", "\x00\xff", ""} {
		f.Add(seed)
	}
	valid := regexp.MustCompile(`^[-_=a-zA-Z0-9]*$`)
	f.Fuzz(func(t *testing.T, text string) {
		key := encode(text)
		if !valid.MatchString(key) {
			t.Fatalf("encode(%q) = %q is no key", text, key)
		}
		if id, ok := decode(key); !ok || id != text {
			t.Fatalf("decode(encode(%q)) = %q, %v", text, id, ok)
		}
		if id, ok := decode(text); ok && encode(id) != text {
			t.Fatalf("%q decodes to %q, which has another key", text, id)
		}
	})
}
