package sdp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/media/sdp"
)

// ice draws a credential of n characters, of which one at least is '+'.
func ice(r *rand.Rand, n int) string {
	const legal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b := make([]byte, n)
	for i := range b {
		b[i] = legal[r.IntN(len(legal))]
	}
	for range 1 + r.IntN(3) {
		b[r.IntN(n)] = '+'
	}
	return string(b)
}

// mangled is what form decoding makes of a text that was never encoded.
func mangled(text string) string { return strings.ReplaceAll(text, "+", " ") }

// TestKMS_18b__PlusBecameSpace: the credentials of every one of 1,000 offers are those the browser wrote, wherever a '+'
// was in them, and the offer is otherwise what it would have been.
func TestKMS_18b__PlusBecameSpace(t *testing.T) {
	r := rand.New(rand.NewPCG(18, 2))
	for run := range 1000 {
		browser := []string{"chromium-publish", "firefox-publish", "chromium-subscribe", "firefox-subscribe"}[run%4]
		// libwebrtc writes 4 and 24 characters, libnice 4 and 22; up to 256 are legal.
		ufrag, pwd := ice(r, []int{4, 4, 8, 4 + r.IntN(60)}[run/4%4]), ice(r, []int{24, 22, 32, 22 + r.IntN(60)}[run/4%4])
		text := offered(t, browser)
		old := parse(t, text)
		text = strings.NewReplacer("a=ice-ufrag:"+old.Transport.Ufrag, "a=ice-ufrag:"+ufrag, "a=ice-pwd:"+old.Transport.Pwd, "a=ice-pwd:"+pwd,
			"a=rtcp-mux\r\n", "a=rtcp-mux\r\na=candidate:"+ice(r, 1+r.IntN(12))+" 1 udp 2122260223 192.0.2.7 50000 typ host generation 0\r\n").Replace(text)
		want, got := parse(t, text), parse(t, mangled(text))
		if got.Transport.Ufrag != ufrag || got.Transport.Pwd != pwd {
			t.Fatalf("run %d: credentials %q %q, want %q %q", run, got.Transport.Ufrag, got.Transport.Pwd, ufrag, pwd)
		}
		if !slices.Equal(got.Transport.Candidates, want.Transport.Candidates) || len(got.Transport.Candidates) != 2 {
			t.Fatalf("run %d: candidates %q, want %q", run, got.Transport.Candidates, want.Transport.Candidates)
		}
		lines := strings.Split(text, "\r\n")
		for _, repair := range got.Repairs {
			line := lines[repair.Line-1]
			if repair.What != sdp.Plus || !strings.Contains(line, "+") || !strings.HasPrefix(line, "a=ice-") && !strings.HasPrefix(line, "a=candidate:") {
				t.Fatalf("run %d: repair %+v of %q", run, repair, line)
			}
		}
		if sections := strings.Count(text, "a=ice-ufrag:"); len(got.Repairs) != 2*sections+2 || len(want.Repairs) != 0 {
			t.Fatalf("run %d: %d repairs in %d sections, %d of what was sound", run, len(got.Repairs), sections, len(want.Repairs))
		}
	}
}

// TestKMS_18b__OtherMangling is mended, by name; the result is what the sound offer says.
func TestKMS_18b__OtherMangling(t *testing.T) {
	quoted := func(text string) string { b, _ := json.Marshal(text); return string(b) }
	runTogether := func(with string) func(string) string {
		return func(text string) string { return strings.ReplaceAll(text, "\r\n", with) }
	}
	for name, c := range map[string]struct {
		mangle func(string) string
		what   []string
	}{
		"LF":                      {runTogether("\n"), nil},
		"CR":                      {runTogether("\r"), []string{sdp.Lines}},
		"no line ends":            {runTogether(""), []string{sdp.Lines}},
		"line ends became spaces": {runTogether(" "), []string{sdp.Lines}},
		"two spaces":              {runTogether("  "), []string{sdp.Lines}},
		"some line ends lost":     {func(s string) string { return strings.Replace(s, "\r\nc=IN IP4 0.0.0.0\r\na=", "a=", 1) }, []string{sdp.Lines}},
		"empty lines":             {runTogether("\r\n\r\n"), nil},
		"CR CR LF":                {runTogether("\r\r\n"), nil},
		"padded":                  {runTogether("  \r\n"), nil},
		"literal escapes":         {runTogether(`\r\n`), []string{sdp.Escapes}},
		"literal LF":              {func(s string) string { return runTogether(`\n`)(s) + "\n" }, []string{sdp.Escapes}},
		"JSON in JSON":            {quoted, []string{sdp.Wrapping, sdp.Escapes}},
		"PHP's JSON": {func(s string) string { return strings.ReplaceAll(quoted(s), "/", `\/`) },
			[]string{sdp.Wrapping, sdp.Escapes}},
		"quotes around":   {func(s string) string { return `'` + s + `'` }, []string{sdp.Wrapping}},
		"typographic":     {func(s string) string { return "“" + s + "”" }, []string{sdp.Wrapping}},
		"BOM and space":   {func(s string) string { return "\ufeff\r\n  " + s + "  " }, []string{sdp.Wrapping}},
		"indented":        {func(s string) string { return strings.ReplaceAll(s, "\r\na=", "\r\n    a=") }, []string{sdp.Indent}},
		"dashes":          {func(s string) string { return strings.ReplaceAll(s, "a=ice-", "a=ice–") }, []string{sdp.Quotes}},
		"hard spaces":     {func(s string) string { return strings.ReplaceAll(s, "m=video 9 ", "m=video\u00a09\u00a0") }, []string{sdp.Quotes}},
		"soft hyphens":    {func(s string) string { return strings.ReplaceAll(s, "a=finger", "a=fin\u00adger") }, []string{sdp.Quotes}},
		"URL encoding":    {url.PathEscape, []string{sdp.Percent}},
		"form encoding":   {url.QueryEscape, []string{sdp.Percent}},
		"encoded plus":    {func(s string) string { return strings.ReplaceAll(s, "+", "%2B") }, []string{sdp.Percent}},
		"run together, +": {func(s string) string { return mangled(runTogether("")(s)) }, []string{sdp.Lines, sdp.Plus}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, browser := range []string{"chromium-publish", "firefox-publish", "chromium-duplicates", "firefox-subscribe"} {
				text := offered(t, browser)
				old := parse(t, text)
				// With '+' in the middle and at an end: what is mended must not be at its expense.
				text = strings.NewReplacer("a=ice-ufrag:"+old.Transport.Ufrag, "a=ice-ufrag:a+c+", "a=ice-pwd:"+old.Transport.Pwd, "a=ice-pwd:+bcdefghijklmnopqrstuv+").Replace(text)
				want := parse(t, text)
				got, err := sdp.Parse(c.mangle(text))
				if err != nil {
					t.Fatalf("%s: %v", browser, err)
				}
				var what []string
				for _, r := range got.Repairs {
					if !slices.Contains(what, r.What) {
						what = append(what, r.What)
					}
				}
				slices.Sort(what)
				slices.Sort(c.what)
				if !slices.Equal(what, c.what) {
					t.Errorf("%s: mended %v, want %v", browser, what, c.what)
				}
				if got.Repairs = nil; !reflect.DeepEqual(got, want) {
					t.Errorf("%s: read\n%+v\nwant\n%+v", browser, got, want)
				}
			}
		})
	}
}

// TestKMS_18b__CandidatesCutShort are dropped, wherever they were cut: they are hints. What is whole stays.
func TestKMS_18b__CandidatesCutShort(t *testing.T) {
	const whole = "candidate:4233069003 1 udp 2122260223 192.0.2.7 50000 typ srflx raddr 10.0.0.1 rport 9 generation 0"
	const least = len("candidate:4233069003 1 udp 2122260223 192.0.2.7 50000 typ s")
	for n := range len(whole) + 1 {
		d := parse(t, head+transport+"m=audio 9 UDP/TLS/RTP/SAVPF 0\na="+whole[:n]+"\na="+whole+"\n")
		kept := 1
		if n >= least {
			kept = 2
		}
		dropped := []sdp.Repair{{Line: 10, What: sdp.Candidate}}
		if n >= least || n < len("candidate") {
			dropped = nil
		}
		if len(d.Transport.Candidates) != kept || d.Transport.Candidates[kept-1] != whole || !slices.Equal(d.Repairs, dropped) {
			t.Errorf("cut to %q: %d kept, mended %v", whole[:n], len(d.Transport.Candidates), d.Repairs)
		}
	}
}

// TestKMS_18b__RefusedByName: what cannot be mended is refused, and the error names the line and what is wrong there.
// It never quotes a password.
func TestKMS_18b__RefusedByName(t *testing.T) {
	section := "m=audio 9 UDP/TLS/RTP/SAVPF 0\n"
	for name, c := range map[string]struct{ text, want string }{
		"HTML":           {head + strings.ReplaceAll(transport, "abcd\n", "abcd<br>\n") + section, `line 5: a=ice-ufrag has the character '<'`},
		"lost encoding":  {head + strings.ReplaceAll(transport, "abcd\n", "ab\ufffdcd\n") + section, `line 5: a=ice-ufrag has the character '�'`},
		"no fragment":    {head + strings.ReplaceAll(transport, "a=ice-ufrag:", "a=ice-ufrog:") + section, "line 9, m=audio 9 UDP/TLS/RTP/SAVPF 0: neither the section nor the session has a=ice-ufrag"},
		"no password":    {head + strings.ReplaceAll(transport, "a=ice-pwd:", "a=ice:") + section, "line 9, m=audio 9 UDP/TLS/RTP/SAVPF 0: neither the section nor the session has a=ice-pwd"},
		"no fingerprint": {head + strings.ReplaceAll(transport, "a=fingerprint:", "a=x:") + section, "line 9, m=audio 9 UDP/TLS/RTP/SAVPF 0: neither the section nor the session has a=fingerprint"},
		"fingerprint":    {head + strings.ReplaceAll(transport, "aa:bb", "aa bb") + section, "line 8: a=fingerprint:SHA-256 aa bb is not"},
		"m-line":         {head + transport + "m=audio 9\n", "line 9, m=audio 9: kind, port and protocol are needed"},
		"cut off":        {head + transport, "no m-line in 8 lines"},
		"another thing":  {"<html>", `must begin with "v="`},
	} {
		_, err := sdp.Parse(c.text)
		if !errors.Is(err, sdp.ErrInvalid) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if strings.Contains(fmt.Sprint(err), "abcdefghij") {
			t.Errorf("%s: the password is in %v", name, err)
		}
	}
}

// TestSoundOffersAreNotMended: neither what browsers write, nor what looks like a repair and is none.
func TestSoundOffersAreNotMended(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.sdp")
	answers, _ := filepath.Glob("testdata/*.answer")
	for _, file := range append(files, answers...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := parse(t, string(text)); len(d.Repairs) != 0 {
			t.Errorf("%s: %v", file, d.Repairs)
		}
	}
	d := parse(t, strings.Replace(head, "s=-", "s=Café – “live”", 1)+transport+"m=video 9 UDP/TLS/RTP/SAVPF 96 97\nc=IN IP4 0.0.0.0\n"+
		"a=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\na=fmtp:97 apt=96;x-a=b;x=AS:3\na=ssrc:1 cname:a b c\na=ssrc:1 msid:s t=0\n"+
		"a=mid:v \na=rtcp-mux \n")
	s := &d.Sections[0]
	if len(d.Repairs) != 0 || s.Codecs[0].RTX != 97 || s.MID != "v" || !s.Mux || s.TrackID != "t=0" || s.Kbps != 0 {
		t.Errorf("mended %v: %+v", d.Repairs, s)
	}
}

// TestRepairsAreBounded, and told in order.
func TestRepairsAreBounded(t *testing.T) {
	d := parse(t, head+transport+"m=audio 9 UDP/TLS/RTP/SAVPF 0\n"+strings.Repeat("a=candidate:1 1\n", 1000))
	if len(d.Repairs) != 32 || d.Repairs[0].Line != 10 || d.Repairs[31].Line != 41 {
		t.Errorf("%d repairs: %v", len(d.Repairs), d.Repairs)
	}
	long := head + transport + "m=audio 9 UDP/TLS/RTP/SAVPF 0\n" + strings.Repeat("a=mid:", 40_000)
	if _, err := sdp.Parse(long); !errors.Is(err, sdp.ErrInvalid) {
		t.Errorf("40,000 lines in one: %v", err)
	}
}

// FuzzRepair mangles offers in the ways that are mended, one upon another: whatever is read is legal, and reading what we
// write of it mends nothing.
func FuzzRepair(f *testing.F) {
	for _, how := range []string{"", "+", "\r", "q+", "-n", "% ", "tbq", "n+q-"} {
		f.Add("ab+d", "a=mid:0", how)
	}
	f.Fuzz(func(t *testing.T, ufrag, extra, how string) {
		text := head + "a=ice-ufrag:" + ufrag + "\na=ice-pwd:abcdefghijklmnopqrstuvwx\na=fingerprint:sha-256 AA:BB\nm=audio 9 UDP/TLS/RTP/SAVPF 0\n" + extra + "\n"
		for _, c := range how[:min(len(how), 8)] {
			switch c {
			case '+':
				text = mangled(text)
			case '\r':
				text = strings.ReplaceAll(text, "\n", "\r")
			case ' ':
				text = strings.ReplaceAll(text, "\n", " ")
			case 'n':
				text = strings.ReplaceAll(text, "\n", `\n`)
			case 'q':
				text = `"` + text + `"`
			case '-':
				text = strings.ReplaceAll(text, "-", "–")
			case '%':
				text = url.QueryEscape(text)
			case 't':
				text = strings.TrimSpace(text)
			case 'b':
				text = "\ufeff" + text
			}
		}
		d, err := sdp.Parse(text)
		if err != nil {
			if !errors.Is(err, sdp.ErrInvalid) || strings.Contains(err.Error(), "abcdefghij") {
				t.Fatal(err)
			}
			return
		}
		if strings.ContainsAny(d.Transport.Ufrag, " \r\n<>\"%") || len(d.Repairs) > 32 {
			t.Fatalf("fragment %q, %d repairs", d.Transport.Ufrag, len(d.Repairs))
		}
		for _, r := range d.Repairs {
			if r.Line < 1 || r.What == "" {
				t.Fatalf("repair %+v", r)
			}
		}
		answer := answerAll(&d)
		if again, err := sdp.Parse(answer.Text()); err != nil || len(again.Repairs) != 0 {
			t.Fatalf("our own answer: %v, mended %v\n%s", err, again.Repairs, answer.Text())
		}
	})
}

// BenchmarkParse is what reading a browser's offer takes, which is next to never mangled.
func BenchmarkParse(b *testing.B) {
	text, err := os.ReadFile("testdata/chromium-publish.sdp")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sdp.Parse(string(text)); err != nil {
			b.Fatal(err)
		}
	}
}
