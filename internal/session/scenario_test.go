package session

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

var update = flag.Bool("update", false, "rewrite the expected effects of test/scenario")

// script is a file of test/scenario, read: commands, each with the lines below it.
type script struct {
	path  string
	steps []step
}

type step struct {
	comment []string // lines before it
	command string
	effects []string
}

func readScript(t testing.TB, path string) script {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := script{path: path}
	var comment []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "  "):
			last := &s.steps[len(s.steps)-1]
			last.effects = append(last.effects, strings.TrimSpace(line))
		case line == "" || strings.HasPrefix(line, "#"):
			comment = append(comment, line)
		default:
			s.steps = append(s.steps, step{comment: comment, command: line})
			comment = nil
		}
	}
	return s
}

func (s script) write(t testing.TB) {
	var b strings.Builder
	for _, step := range s.steps {
		for _, line := range step.comment {
			fmt.Fprintln(&b, line)
		}
		fmt.Fprintln(&b, step.command)
		for _, line := range step.effects {
			fmt.Fprintln(&b, "  "+line)
		}
	}
	if err := os.WriteFile(s.path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func scripts(t testing.TB) []script {
	paths, err := filepath.Glob("../../test/scenario/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var all []script
	for _, path := range paths {
		all = append(all, readScript(t, path))
	}
	return all
}

func TestScenarios(t *testing.T) {
	for _, s := range scripts(t) {
		t.Run(filepath.Base(s.path), func(t *testing.T) {
			p := newPlay(t, s)
			for i, step := range s.steps {
				got := show(p.step(step.command))
				if *update {
					s.steps[i].effects = got
				} else if want := step.effects; strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Fatalf("%s\n\tgot:\n\t%s\n\twant:\n\t%s", step.command, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
				}
			}
			if *update {
				s.write(t)
			}
		})
	}
}

// play carries a script's commands out on a world.
type play struct {
	*world
	requests int
	clients  int
}

// newPlay makes the world; a first line "session key=value …" says its properties.
func newPlay(t testing.TB, s script) *play {
	p := Properties{ForcedVideoCodec: "MEDIA_SERVER_PREFERRED"}
	if first := strings.Fields(s.steps[0].command); first[0] == "session" {
		fill(t, &p, first[1:])
	}
	return &play{world: newWorld(t, p)}
}

// step carries out one line: who, what, and key=value.
func (p *play) step(line string) []Effect {
	words := strings.Fields(line)
	who, what, rest := words[0], "", []string(nil)
	if len(words) > 1 {
		what, rest = words[1], words[2:]
	}
	switch who {
	case "session":
		return nil
	case "restart":
		return p.restart()
	case "wait":
		d, err := time.ParseDuration(what)
		if err != nil {
			p.t.Fatal(err)
		}
		return p.wait(d)
	case "media":
		return p.settle(what, mediaOutcome(rest))
	case "node":
		return p.do(Origin{}, p.command(what, rest))
	case "rest":
		return p.rest(p.command(what, rest))
	case "join":
		p.clients++
		j := Join{RPC: fmt.Sprintf("rpc%d", p.clients)}
		fill(p.t, &j, words[1:])
		return p.rest(j)
	}
	switch what {
	case "drop":
		return p.do(Origin{}, Drop{Connection: who})
	case "resume":
		return p.rest(Resume{Connection: who})
	}
	p.requests++
	return p.client(who, fmt.Sprint(p.requests), p.command(what, rest))
}

func mediaOutcome(words []string) error {
	if words[0] == "ok" {
		return nil
	}
	return fault.New(fault.Kind(words[0]), "the node says no")
}

// commands are the scripts' words for what REST and clients ask.
var commands = map[string]Command{
	"create": CreateConnection{Role: Publisher, Record: true}, "update": UpdateConnection{}, "delete": DeleteConnection{},
	"deleteStream": DeleteStream{}, "sendSignal": SendSignal{}, "close": Close{Reason: "sessionClosedByServer"},
	"collect": unused{OlderThan: 3600_000}, "quality": SetQuality{}, "gone": mediaGone{}, "measured": measured{}, "suspended": suspended{}, "overflowed": overflowed{},
	"leave": Leave{}, "publish": Publish{Media: camera}, "unpublish": Unpublish{}, "subscribe": Subscribe{},
	"answer": AnswerSubscription{}, "unsubscribe": Unsubscribe{}, "reconnect": Reconnect{}, "candidate": Candidate{},
	"signal": ClientSignal{}, "change": ChangeStream{}, "forceDisconnect": ForceDisconnect{}, "forceUnpublish": ForceUnpublish{}, "filter": Filter{},
}

var camera = StreamMedia{HasAudio: true, HasVideo: true, AudioActive: true, VideoActive: true, TypeOfVideo: "CAMERA", FrameRate: 30}

func (p *play) command(what string, words []string) Command {
	c, ok := commands[what]
	if !ok {
		p.t.Fatalf("no command %q", what)
	}
	filled := reflect.New(reflect.TypeOf(c))
	filled.Elem().Set(reflect.ValueOf(c))
	fill(p.t, filled.Interface(), words)
	return filled.Elem().Interface().(Command)
}

// fill sets fields by name; a dot goes into a struct, a comma makes a list.
func fill(t testing.TB, into any, words []string) {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		v := reflect.ValueOf(into).Elem()
		for name := range strings.SplitSeq(key, ".") {
			if v.Kind() == reflect.Pointer {
				v.Set(reflect.New(v.Type().Elem()))
				v = v.Elem()
			}
			v = v.FieldByName(name)
			if !v.IsValid() {
				t.Fatalf("%T has no field %s", into, key)
			}
		}
		set(t, v, value)
	}
}

func set(t testing.TB, v reflect.Value, value string) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(value != "false")
	case reflect.Int:
		var n int64
		if _, err := fmt.Sscan(value, &n); err != nil {
			t.Fatalf("%q is no number", value)
		}
		v.SetInt(n)
	case reflect.Slice:
		v.Set(reflect.ValueOf(strings.Split(value, ",")))
	case reflect.Struct: // a candidate
		v.Set(reflect.ValueOf(mediactl.Candidate{Candidate: value}))
	default:
		v.SetString(value)
	}
}
