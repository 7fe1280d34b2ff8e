package session

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"testing"
)

// TestStateSurvivesJSON: at every step of every script, the record read back says what the state says.
func TestStateSurvivesJSON(t *testing.T) {
	for _, s := range scripts(t) {
		t.Run(filepath.Base(s.path), func(t *testing.T) {
			p := newPlay(t, s)
			for _, step := range s.steps {
				p.step(step.command)
				record, err := json.Marshal(p.state)
				if err != nil {
					t.Fatal(err)
				}
				read, err := readRecord(p.state.ID, record)
				if err != nil {
					t.Fatalf("%s: %v", step.command, err)
				}
				stored := p.state.Copy()
				for _, c := range stored.Connections { // these are not (see Connection)
					c.Subscriptions, c.Quality = nil, nil
				}
				for _, c := range read.Connections {
					if c.Subscriptions != nil || c.Quality != nil || c.early != nil {
						t.Fatalf("%s: %s has read what is never stored", step.command, c.ID)
					}
				}
				if again, _ := json.Marshal(read); string(again) != string(record) || !sameRecord(stored, *read) {
					t.Fatalf("%s:\n%s\n%s", step.command, record, again)
				}
			}
		})
	}
}

// sameRecord compares states; a list of none is the same as none.
func sameRecord(a, b State) bool {
	normal := func(s *State) {
		if len(s.Connections) == 0 {
			s.Connections = nil
		}
		for _, c := range s.Connections {
			if len(c.Subscriptions) == 0 {
				c.Subscriptions = nil
			}
			if len(c.ICEServers) == 0 {
				c.ICEServers = nil
			}
		}
	}
	normal(&a)
	normal(&b)
	return reflect.DeepEqual(a, b)
}

// TestRulesArePure: the same command to the same state has the same effects, and what effects hold is no part of the
// state: rules that go on must not change what a client is yet to be sent.
func TestRulesArePure(t *testing.T) {
	for _, s := range scripts(t) {
		t.Run(filepath.Base(s.path), func(t *testing.T) {
			one, other := newPlay(t, s), newPlay(t, s)
			type told struct {
				command string
				effects []Effect
				shown   []string
			}
			var history []told
			for _, step := range s.steps {
				effects := one.step(step.command)
				if again := other.step(step.command); !reflect.DeepEqual(effects, again) {
					t.Fatalf("%s:\n%q\n%q", step.command, show(effects), show(again))
				}
				history = append(history, told{step.command, effects, show(effects)})
			}
			for _, h := range history {
				if now := show(h.effects); !reflect.DeepEqual(now, h.shown) {
					t.Errorf("%s: its effects have changed since:\n%q\n%q", h.command, h.shown, now)
				}
			}
			if a, b := one.state.Copy(), other.state.Copy(); !reflect.DeepEqual(a, b) {
				t.Errorf("two states:\n%+v\n%+v", a, b)
			}
		})
	}
}

// TestEffectsShareNothing: no effect holds a part of the state.
func TestEffectsShareNothing(t *testing.T) {
	for _, s := range scripts(t) {
		p := newPlay(t, s)
		for _, step := range s.steps {
			effects := p.step(step.command)
			parts := map[uintptr]string{}
			for _, c := range p.state.Connections {
				mark(parts, "a connection", c)
				mark(parts, "a stream", c.Stream)
				mark(parts, "kurentoOptions", c.Kurento)
				mark(parts, "customIceServers", c.ICEServers)
				mark(parts, "a quality", c.Quality)
				for _, u := range c.Subscriptions {
					mark(parts, "a subscription", u)
				}
			}
			for _, e := range effects {
				if part := held(parts, reflect.ValueOf(e)); part != "" {
					t.Errorf("%s: %s: %T holds %s of the state", filepath.Base(s.path), step.command, e, part)
				}
			}
		}
	}
}

func mark(parts map[uintptr]string, name string, part any) {
	if v := reflect.ValueOf(part); !v.IsNil() && (v.Kind() != reflect.Slice || v.Len() > 0) {
		parts[v.Pointer()] = name
	}
}

// held walks v for a pointer or slice that is in parts.
func held(parts map[uintptr]string, v reflect.Value) string {
	switch v.Kind() {
	case reflect.Interface:
		return held(parts, v.Elem())
	case reflect.Pointer, reflect.Slice:
		if v.IsNil() {
			return ""
		}
		if name := parts[v.Pointer()]; name != "" {
			return name
		}
		if v.Kind() == reflect.Pointer {
			return held(parts, v.Elem())
		}
		for i := range v.Len() {
			if name := held(parts, v.Index(i)); name != "" {
				return name
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := held(parts, v.Field(i)); name != "" {
				return name
			}
		}
	}
	return ""
}
