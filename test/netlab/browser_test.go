package netlab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"
)

const (
	newestSDK  = "2.32.2"
	oldSDK     = "2.20.0"
	answerIn   = 90 * time.Second // the longest that one question to a browser may take
	seeIn      = 20 * time.Second // the longest that a picture may take to come
	closeIn    = 15 * time.Second
	driverPath = "../lib/drive.js"
)

// browserOptions are those of startChromium in test/lib/browser.js. The zero value has camera, microphone and their
// permission.
type browserOptions struct {
	Kind    string            `json:"-"`       // "chromium" (also ""), "firefox"
	Hidden  bool              `json:"-"`       // without devices, so addresses are hidden behind mDNS names
	Devices bool              `json:"devices"` // set from Hidden
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
}

// browser is one browser in a node, with its driver.
type browser struct {
	t       testing.TB
	node    *node
	process *exec.Cmd
	input   io.WriteCloser
	opened  chan error    // the answer to its opening
	ended   chan struct{} // no more answers
	stderr  words

	mu      sync.Mutex
	waiting map[int]chan reply
	next    int
}

type reply struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// browser starts one in the node and waits until it is open; it ends with the test.
func (n *node) browser(o browserOptions) *browser {
	n.lab.t.Helper()
	b := n.launch(o)
	b.open()
	return b
}

// open waits for a browser that was launched.
func (b *browser) open() {
	b.t.Helper()
	if err := <-b.opened; err != nil {
		b.t.Fatalf("%s: %v", b.node.name, err)
	}
}

// launch starts a browser; open says when it is there.
func (n *node) launch(o browserOptions) *browser {
	t := n.lab.t
	t.Helper()
	o.Devices = !o.Hidden
	b := &browser{t: t, node: n, opened: make(chan error, 1), ended: make(chan struct{}), waiting: map[int]chan reply{}}
	b.process = exec.Command("ip", "netns", "exec", n.netns, "node", "--no-warnings", driverPath)
	b.process.Stderr = &b.stderr
	output, err := b.process.StdoutPipe()
	if err == nil {
		b.input, err = b.process.StdinPipe()
	}
	if err == nil {
		err = b.process.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go b.read(output)
	t.Cleanup(b.close)
	kind := o.Kind
	if kind == "" {
		kind = "chromium"
	}
	go func() { b.opened <- b.ask(nil, map[string]any{"verb": "open", "kind": kind, "options": o}) }()
	return b
}

func (b *browser) read(output io.Reader) {
	defer close(b.ended)
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r reply
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			continue // the driver's own words
		}
		b.mu.Lock()
		waiting := b.waiting[r.ID]
		delete(b.waiting, r.ID)
		b.mu.Unlock()
		if waiting != nil {
			waiting <- r
		}
	}
}

func (b *browser) close() {
	_ = b.input.Close()
	late := time.AfterFunc(closeIn, func() { _ = b.process.Process.Kill() })
	defer late.Stop()
	<-b.ended
	_ = b.process.Wait()
}

// ask puts a question to the driver and decodes the answer into out, unless that is nil.
func (b *browser) ask(out any, question map[string]any) error {
	answer := make(chan reply, 1)
	b.mu.Lock()
	b.next++
	question["id"] = b.next
	b.waiting[b.next] = answer
	line, err := json.Marshal(question)
	if err == nil {
		_, err = b.input.Write(append(line, '\n'))
	}
	b.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, b.stderr.String())
	}
	select {
	case r := <-answer:
		if r.Error != "" {
			return errors.New(r.Error)
		}
		if out == nil || len(r.Result) == 0 {
			return nil
		}
		return json.Unmarshal(r.Result, out)
	case <-b.ended:
		return fmt.Errorf("the browser's driver in %s has ended: %s", b.node.name, b.stderr.String())
	case <-time.After(answerIn):
		return fmt.Errorf("no answer in %v to %s", answerIn, line)
	}
}

func (b *browser) must(out any, question map[string]any) {
	b.t.Helper()
	if err := b.ask(out, question); err != nil {
		b.t.Fatalf("%s: %v", b.node.name, err)
	}
}

// participant is a page with the unmodified SDK; test/lib/participant.js and test/lib/page/tester.js have what it can do.
type participant struct {
	Name   string `json:"name"`
	Number int    `json:"number"` // whose colour and tone it shows, 0 to 5
	Stream string `json:"stream"` // that it publishes
	// Connection is its id in the session.
	Connection string `json:"-"`

	browser *browser
	page    int
}

// participant opens a page with a release of the SDK; it has not joined.
func (b *browser) participant(number int, sdk string) *participant {
	b.t.Helper()
	p := &participant{Name: b.node.name, Number: number, browser: b}
	b.must(&p.page, map[string]any{"verb": "page", "number": number, "name": p.Name, "sdk": sdk})
	b.t.Cleanup(func() {
		if !b.t.Failed() {
			return
		}
		report := ""
		if err := p.try(&report, "report"); err != nil {
			report = err.Error()
		}
		keep(b.t, p.Name+".log", report)
	})
	return p
}

// try calls a method of the driver's Participant.
func (p *participant) try(out any, method string, args ...any) error {
	if args == nil {
		args = []any{}
	}
	return p.browser.ask(out, map[string]any{"verb": "ask", "page": p.page, "method": method, "args": args})
}

// do is try that must succeed.
func (p *participant) do(out any, method string, args ...any) {
	p.browser.t.Helper()
	if err := p.try(out, method, args...); err != nil {
		p.browser.t.Fatalf("%s: %s: %v", p.Name, method, err)
	}
}

// script runs JavaScript in the page and decodes its value.
func (p *participant) script(out any, source string) {
	p.browser.t.Helper()
	p.browser.must(out, map[string]any{"verb": "script", "page": p.page, "source": source})
}

// join joins the session of a token.
func (p *participant) join(token string) {
	p.browser.t.Helper()
	p.do(&p.Connection, "join", token)
}

// publish publishes the pattern and the tone, 320x240 at 15 frames/s unless options (of participant.js) say more.
func (p *participant) publish(options map[string]any) {
	p.browser.t.Helper()
	p.do(&p.Stream, "publish", options)
}

// sees waits until the other's picture is shown and moves; seesAndHears until its tone is heard as well.
func (p *participant) sees(other *participant) {
	p.browser.t.Helper()
	p.do(nil, "sees", other, within(seeIn))
}

func (p *participant) seesAndHears(other *participant) {
	p.browser.t.Helper()
	p.do(nil, "seesAndHears", other, within(seeIn))
}

func within(d time.Duration) map[string]int64 { return map[string]int64{"within": d.Milliseconds()} }

// stats is a peer connection, as test/lib/page/stats.js tells it.
type stats struct {
	State         string
	Local, Remote candidate // the selected pair
	RTT           float64   // seconds
	Inbound       struct{ Audio, Video *flow }
	Outbound      struct{ Audio, Video *flow }
}

type candidate struct {
	Type          string // host, srflx, prflx, relay
	Protocol      string // udp, tcp: to the relay's peer if it is a relay
	RelayProtocol string // udp, tcp, tls: to the relay
	Address       string
	Port          int
	URL           string
}

// path is how packets travel: "udp", "tcp", or "relay/" and how the relay is reached.
func (c candidate) path() string {
	if c.Type == "relay" {
		return "relay/" + c.RelayProtocol
	}
	return c.Protocol
}

type flow struct {
	Packets, Frames, NACKs, Retransmitted, Freezes int
	Lost                                           int
}

// receiving are the statistics of a subscription, sending those of the publisher.
func (p *participant) receiving(other *participant) (s stats) {
	p.browser.t.Helper()
	p.do(&s, "stats", other)
	return s
}

func (p *participant) sending() (s stats) {
	p.browser.t.Helper()
	p.do(&s, "call", "published")
	return s
}

// events are the SDK's of one type, in their order.
func (p *participant) events(kind string) (all []struct{ Type, Reason, Name string }) {
	p.browser.t.Helper()
	p.do(&all, "events", kind)
	return all
}

// guest is who comes to a call.
type guest struct {
	at      *node
	browser browserOptions
	sdk     string // "" is the newest
	// before is JavaScript that runs before joining; through replaces the host and port of the token's URL.
	before, through string
	// publishes are options of its publisher; see participant.publish.
	publishes map[string]any
}

var tokenHost = regexp.MustCompile(`^wss://[^/?]+`)

// open opens the guest's browser and a page.
func (g guest) open(number int) *participant {
	g.at.lab.t.Helper()
	return g.page(g.at.browser(g.browser), number)
}

// page opens the guest's page.
func (g guest) page(b *browser, number int) *participant {
	g.at.lab.t.Helper()
	p := b.participant(number, g.sdk0())
	if g.before != "" {
		p.script(nil, g.before)
	}
	return p
}

// enter joins and publishes.
func (g guest) enter(p *participant, token string) {
	g.at.lab.t.Helper()
	if g.through != "" {
		token = tokenHost.ReplaceAllString(token, "wss://"+g.through)
	}
	p.join(token)
	if g.publishes == nil {
		g.publishes = map[string]any{}
	}
	p.publish(g.publishes)
}

// meet brings guests into a new session, each in a browser of its own, and waits until all see and hear each other.
func (s *server) meet(guests ...guest) []*participant {
	s.lab.t.Helper()
	session := s.session()
	var browsers []*browser
	for _, g := range guests { // they take longest, and need nothing of each other
		browsers = append(browsers, g.at.launch(g.browser))
	}
	var people []*participant
	for i, g := range guests {
		browsers[i].open()
		people = append(people, g.page(browsers[i], i))
	}
	for i, g := range guests {
		g.enter(people[i], s.token(session, nil))
	}
	allSeeAndHear(people)
	return people
}

func allSeeAndHear(people []*participant) {
	for _, p := range people {
		p.browser.t.Helper()
		for _, other := range people {
			if other != p && other.Stream != "" {
				p.seesAndHears(other)
			}
		}
	}
}
