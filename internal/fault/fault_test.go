package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestKinds(t *testing.T) {
	inner := New(TokenInvalid, "token %q is spent", "tok_1")
	for name, c := range map[string]struct {
		err  error
		kind Kind
		text string
	}{
		"new":                {inner, TokenInvalid, `token "tok_1" is spent`},
		"wrapped":            {Wrap(Invalid, io.EOF, "field %s", "x"), Invalid, "field x: EOF"},
		"wrapped again":      {Wrap(RoleDenied, inner, "join"), RoleDenied, `join: token "tok_1" is spent`},
		"inside fmt":         {fmt.Errorf("join: %w", inner), TokenInvalid, `join: token "tok_1" is spent`},
		"joined":             {errors.Join(io.EOF, inner), TokenInvalid, "EOF\n" + `token "tok_1" is spent`},
		"deadline":           {fmt.Errorf("store: %w", context.DeadlineExceeded), Timeout, "store: context deadline exceeded"},
		"cancelled":          {context.Canceled, Internal, "context canceled"},
		"foreign":            {io.ErrUnexpectedEOF, Internal, "unexpected EOF"},
		"of kind, not cause": {Wrap(NoCapacity, context.DeadlineExceeded, "place"), NoCapacity, "place: context deadline exceeded"},
	} {
		if got := Of(c.err); got != c.kind || !Is(c.err, c.kind) {
			t.Errorf("%s: kind %s, want %s", name, got, c.kind)
		}
		if c.err.Error() != c.text {
			t.Errorf("%s: %q, want %q", name, c.err.Error(), c.text)
		}
	}
}

// TestNothingIsNoKind: nil is no error of any kind, not even internal.
func TestNothingIsNoKind(t *testing.T) {
	for _, kind := range []Kind{Internal, Invalid, Timeout} {
		if Is(nil, kind) {
			t.Errorf("nil is %s", kind)
		}
	}
	if Is(New(Invalid, "x"), Internal) {
		t.Error("an invalid is internal")
	}
}

func TestCauseIsReachable(t *testing.T) {
	err := Wrap(Internal, fmt.Errorf("disk: %w", io.ErrShortWrite), "keep the record")
	if !errors.Is(err, io.ErrShortWrite) {
		t.Error("the cause is lost")
	}
	var e *Error
	if !errors.As(error(err), &e) || e.Text != "keep the record" {
		t.Errorf("%+v", e)
	}
	if New(Invalid, "x").Unwrap() != nil {
		t.Error("a new error has a cause")
	}
}

// TestTextIsNotAFormat: values from outside may hold verbs.
func TestTextIsNotAFormat(t *testing.T) {
	if got := New(Invalid, "name %q", "%d%s").Error(); got != `name "%d%s"` {
		t.Errorf("%s", got)
	}
}

// TestWhatAndRemedy: the cause belongs to what is wrong, whichever way the text is written.
func TestWhatAndRemedy(t *testing.T) {
	for _, c := range []struct {
		err                error
		text, what, remedy string
	}{
		{Wrap(Invalid, io.EOF, "a.pem: cannot be read → make it readable; or remove it"), "a.pem: cannot be read: EOF → make it readable; or remove it", "a.pem: cannot be read: EOF", "make it readable; or remove it"},
		{Wrap(Invalid, io.EOF, "a; b; make it readable"), "a; b; make it readable: EOF", "a; b: EOF", "make it readable"},
		{New(Invalid, "a; do b"), "a; do b", "a", "do b"},
		{New(Invalid, "nothing can be done"), "nothing can be done", "nothing can be done", ""},
		{io.EOF, "EOF", "EOF", ""},
	} {
		if c.err.Error() != c.text {
			t.Errorf("%q, want %q", c.err, c.text)
		}
		if what, remedy := Split(c.err); what != c.what || remedy != c.remedy {
			t.Errorf("%q and %q, want %q and %q", what, remedy, c.what, c.remedy)
		}
	}
}

func TestAll(t *testing.T) {
	a, b, c := errors.New("a"), New(Invalid, "b"), errors.New("c")
	if got := All(errors.Join(a, errors.Join(b, c))); len(got) != 3 || !errors.Is(got[0], a) || !errors.Is(got[1], b) || !errors.Is(got[2], c) {
		t.Errorf("%v", got)
	}
	if got := All(fmt.Errorf("x: %w", a)); len(got) != 1 || All(nil) != nil {
		t.Errorf("%v", got)
	}
}
