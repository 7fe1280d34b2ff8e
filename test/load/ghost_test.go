package load_test

import (
	"strings"
	"testing"
)

// TestGhostsAreSeen: each way in which the pictures can differ is told, by what it is about.
func TestGhostsAreSeen(t *testing.T) {
	full := func() picture {
		return picture{set{"room1": true}, set{"room1 con_A": true}, set{"con_A str_1": true}, set{"con_B str_1": true}}
	}
	figures := func() map[string]float64 {
		return map[string]float64{"tertulia_sessions": 1, "tertulia_connections": 1, "tertulia_streams": 1, "tertulia_subscriptions": 1}
	}
	if difference := differs(full(), full(), set{"room1 con_A": true}, figures()); difference != "" {
		t.Errorf("alike, and yet: %s", difference)
	}
	if difference := differs(full(), full(), set{}, figures()); !strings.Contains(difference, "con_A") {
		t.Errorf("nobody sits there: %q", difference)
	}
	for name, of := range map[string]func(picture) set{
		"sessions": func(p picture) set { return p.sessions }, "connections": func(p picture) set { return p.joined },
		"streams": func(p picture) set { return p.streams }, "subscriptions": func(p picture) set { return p.subscriptions },
	} {
		told, shown, counted := full(), full(), figures()
		of(told)["ghost"] = true
		of(shown)["phantom"] = true
		counted["tertulia_"+name] = 7
		for _, difference := range []string{
			differs(told, full(), nil, figures()), differs(full(), shown, nil, figures()), differs(full(), full(), nil, counted),
		} {
			if !strings.Contains(difference, name) {
				t.Errorf("%s are said to differ so: %q", name, difference)
			}
		}
	}
	seen := set{}
	if seen.change("con_A", true) != nil || seen.change("con_A", true) == nil || seen.change("con_A", false) != nil || seen.change("con_A", false) == nil {
		t.Error("news told twice is taken, or news is not")
	}
}
