package bench

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"
)

func TestCommandRefusesAndTeaches(t *testing.T) {
	for _, test := range []struct {
		args  []string
		errs  string
		fails string
	}{
		{nil, "Usage: tertulia bench SCENARIO", flag.ErrHelp.Error()},
		{[]string{"--help"}, "promises", flag.ErrHelp.Error()},
		{[]string{"fly"}, "forward", `unknown scenario "fly"`},
		{[]string{"forward", "--help"}, "-find-capacity", flag.ErrHelp.Error()},
		{[]string{"rooms", "--help"}, "(default \"tiles\")", flag.ErrHelp.Error()},
		{[]string{"forward", "200"}, "", `bench forward: "200" is no flag`},
		{[]string{"forward", "--rooms=2"}, "Usage", "not defined: -rooms"},
		{[]string{"join", "--endpoints=3"}, "", "bench join: --endpoints=3: want 4 to 5000"},
		{[]string{"floor", "--server=janus"}, "Usage", "not defined: -server"},
	} {
		var out, errs bytes.Buffer
		err := Command(t.Context(), "tertulia", test.args, &out, &errs)
		if err == nil || !strings.Contains(err.Error(), test.fails) || !strings.Contains(errs.String(), test.errs) || out.Len() > 0 {
			t.Errorf("%q ended with %v, printed %q and %q", test.args, err, out.String(), errs.String())
		}
	}
}

func TestEveryFlagOfAVerbIsKnown(t *testing.T) {
	for _, v := range verbs() {
		o := defaults()
		if v.tune != nil {
			v.tune(&o)
		}
		for _, name := range v.flags {
			f := flag.NewFlagSet(v.name, flag.ContinueOnError)
			if o.register(f, []string{name}); f.Lookup(name) == nil {
				t.Errorf("bench %s: nobody registers --%s", v.name, name)
			}
		}
		if err := o.check(); err != nil {
			t.Errorf("bench %s: its defaults are refused: %v", v.name, err)
		}
		if v.summary == "" || v.teach == "" {
			t.Errorf("bench %s does not say what it is for", v.name)
		}
	}
}

func TestTell(t *testing.T) {
	traffic := Traffic{Server: ours, Delivered: 3, CPUs: []int{0}}
	var text, asJSON bytes.Buffer
	if err := errors.Join(tell(&text, traffic, false), tell(&asJSON, traffic, true)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "delivered") || !strings.Contains(asJSON.String(), `"delivered": 3`) {
		t.Errorf("%s\n%s", text.String(), asJSON.String())
	}
	full := errors.New("disk full")
	if err := tell(failing{full}, traffic, false); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}
