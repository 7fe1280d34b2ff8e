package diagnosis

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/wire/mediactl"
)

// TestFOR_06__: 1,000 healthy joins with a dead candidate each raise nothing, ten without media one error each.
func TestFOR_06__OneDeadCandidateIsNothing(t *testing.T) {
	within(t, func(w *world) {
		for i := range 1000 {
			session := fmt.Sprint("s", i/4)
			w.join(session, fmt.Sprintf("con_%d", i), address(i))
			w.publish(session, fmt.Sprintf("con_%d", i), flowing)
			if i%4 > 0 {
				source := fmt.Sprintf("con_%d", i/4*4)
				name := fmt.Sprintf("con_%d_str_%s", i, source)
				w.add(session, name, func(age int64) mediactl.Facts {
					f := received(age)
					f.Source = source
					return f
				})
				w.tell(session, fmt.Sprintf("con_%d", i), event.Subscribed{Stream: "str_" + source, Publisher: source, Endpoint: name})
			}
			time.Sleep(40 * time.Millisecond)
		}
		w.rest(time.Minute)
		if len(w.told()) > 0 {
			t.Fatalf("%d records of healthy calls, the first %+v", len(w.told()), w.told()[0])
		}
		if w.log.Len() > 0 {
			t.Errorf("the log tells of healthy calls: %s", w.log.String())
		}
	})
}

func TestFOR_06__JoinsWithoutMedia(t *testing.T) {
	within(t, func(w *world) {
		for i := range 10 {
			w.join("s", fmt.Sprintf("con_%d", i), address(i))
			w.publish("s", fmt.Sprintf("con_%d", i), deaf)
		}
		w.rest(10 * time.Second)
		named := map[string]bool{}
		for _, r := range w.told() {
			if r.Severity != Error || r.Session != "s" || r.Code != NetUnreachable {
				t.Errorf("record %+v", r)
			}
			named[r.Connection] = true
		}
		if len(w.told()) != 10 || len(named) != 10 {
			t.Errorf("%d records of %d participants, want one of each of 10", len(w.told()), len(named))
		}
		if n := strings.Count(w.log.String(), "level=ERROR msg=\"media does not flow\""); n != 10 {
			t.Errorf("%d errors in the log:\n%s", n, w.log.String())
		}
		w.rest(20 * time.Second)
		if len(w.told()) != 10 {
			t.Errorf("%d reports: a record is told again", len(w.told()))
		}
	})
}

// A fault that begins in a call is named within 10 s, whenever it does, and ends with its cause.
func TestAFaultBeginsAndEnds(t *testing.T) {
	for _, after := range []time.Duration{33 * time.Second, 35100 * time.Millisecond, 47400 * time.Millisecond} {
		within(t, func(w *world) {
			cut, back := after.Milliseconds(), after.Milliseconds()+30_000
			w.join("s", "con_ann", address(1))
			w.publish("s", "con_ann", func(age int64) mediactl.Facts {
				f := flowing(age)
				if age > cut && age < back {
					f.Consent, f.Heard = f.Consent+age-cut, age-cut
					for i := range f.Tracks {
						f.Tracks[i].Latest = age - cut
					}
				}
				return f
			})
			w.rest(after)
			if got := w.open("s", "con_ann"); got != "" {
				t.Fatalf("before: %s", got)
			}
			w.rest(10 * time.Second)
			if got := w.open("s", "con_ann"); got != string(NetUnreachable) {
				t.Errorf("cut after %s: open after 10 s: %q", after, got)
			}
			w.rest(25 * time.Second)
			records, _ := w.journal.Diagnosis("s", "con_ann")
			if len(records) != 1 || records[0].Ended == 0 {
				t.Errorf("records %+v", records)
			}
			if len(w.told()) != 2 || w.told()[1].Ended == 0 {
				t.Errorf("reports %+v", w.told())
			}
			if !strings.Contains(w.log.String(), "msg=over") {
				t.Errorf("log %s", w.log.String())
			}
		})
	}
}

// Viewers of a publisher who was cut off are told so, and are not told that their own network is bad.
func TestViewersOfASilentPublisher(t *testing.T) {
	within(t, func(w *world) {
		const cut = 40_000
		w.join("s", "con_ann", address(1))
		w.publish("s", "con_ann", func(age int64) mediactl.Facts {
			f := flowing(min(age, cut))
			f.Age = age
			if age > cut {
				f.Consent, f.Heard = age-cut, age-cut
				for i := range f.Tracks {
					f.Tracks[i].Latest = age - cut
				}
			}
			return f
		})
		for i := range 3 {
			id := fmt.Sprintf("con_%d", i)
			w.join("s", id, address(i+2))
			name := id + "_str_con_ann"
			w.add("s", name, func(age int64) mediactl.Facts {
				f := received(min(age, cut))
				f.Age, f.Source = age, "con_ann"
				return f
			})
			w.tell("s", id, event.Subscribed{Stream: "str_con_ann", Publisher: "con_ann", Endpoint: name})
		}
		w.rest(50 * time.Second)
		if got := w.open("s", "con_ann"); got != string(NetUnreachable) {
			t.Errorf("ann: %q", got)
		}
		for i := range 3 {
			if got := w.open("s", fmt.Sprintf("con_%d", i)); got != string(SourceSilent) {
				t.Errorf("viewer %d: %q", i, got)
			}
		}
	})
}

// Who turns a camera on again is not said to send nothing before it can have sent anything; later, it is.
func TestATrackThatIsTurnedOnHasTime(t *testing.T) {
	for _, away := range []time.Duration{20 * time.Second, 21500 * time.Millisecond, 23300 * time.Millisecond} {
		within(t, func(w *world) {
			const off = 40_000
			back := off + away.Milliseconds() + 2000 // the camera takes two seconds
			var broken atomic.Bool
			w.join("s", "con_ann", address(1))
			w.publish("s", "con_ann", func(age int64) mediactl.Facts {
				f := flowing(age)
				if video := &f.Tracks[1]; age > off && (age < back || broken.Load()) {
					video.Latest = age - off
					video.Packets, video.Octets = off/10, off*100
				}
				return f
			})
			w.rest(off * time.Millisecond)
			w.announce("con_ann", Announced{Known: true, Audio: true})
			w.rest(away)
			w.announce("con_ann", Announced{Known: true, Audio: true, Video: true})
			w.rest(15 * time.Second)
			if len(w.told()) > 0 {
				t.Errorf("away for %s: %+v", away, w.told())
			}
			w.announce("con_ann", Announced{Known: true, Audio: true})
			broken.Store(true)
			w.rest(20 * time.Second)
			w.announce("con_ann", Announced{Known: true, Audio: true, Video: true})
			w.rest(12 * time.Second)
			if got := w.open("s", "con_ann"); got != string(NoMediaSent) {
				t.Errorf("a camera that does not come back: %q", got)
			}
		})
	}
}

// A camera that was busy once is not so again because its picture ends.
func TestACameraThatWasFreeAgain(t *testing.T) {
	within(t, func(w *world) {
		w.join("s", "con_ann", address(1))
		now := time.Now().UnixMilli()
		w.journal.ClientLines("s", "con_ann", []ClientLine{{At: now, Level: "ERROR", Text: "NotReadableError: Could not start video source"}}, now)
		w.rest(3 * time.Second)
		if got := w.open("s", "con_ann"); got != string(CameraBusy) {
			t.Fatalf("while it is busy: %q", got)
		}
		w.publish("s", "con_ann", flowing)
		w.rest(10 * time.Second)
		if got := w.open("s", "con_ann"); got != "" {
			t.Errorf("with a picture: %q", got)
		}
		w.tell("s", "con_ann", event.Unpublished{Stream: "str_con_ann"})
		w.remove("s", "con_ann")
		w.rest(10 * time.Second)
		if got := w.open("s", "con_ann"); got != "" {
			t.Errorf("after the picture ended: %q", got)
		}
	})
}

// A client on the server's own machine comes by UDP whatever the firewall does: it does not acquit the server.
func TestTheOwnMachineProvesNothing(t *testing.T) {
	within(t, func(w *world) {
		from := func(protocol, remote string) func(age int64) mediactl.Facts {
			return func(age int64) mediactl.Facts {
				f := flowing(age)
				f.Paths = f.Paths[:1]
				f.Paths[0].Protocol, f.Paths[0].Remote = protocol, remote
				return f
			}
		}
		w.join("s", "con_own", "203.0.113.5:40000")
		w.publish("s", "con_own", from("udp", "203.0.113.5:40000"))
		w.rest(20 * time.Second)
		w.join("s", "con_ann", "198.51.100.7:50000")
		w.publish("s", "con_ann", from("tcp", "198.51.100.7:50000"))
		w.rest(20 * time.Second)
		if got := w.open("s", "con_ann"); got != string(ServerUDPBlocked) {
			t.Errorf("open: %q", got)
		}
	})
}

// People who wait for hours without media are remembered; a session that has ended unheard is not.
func TestASessionWithoutMediaIsRemembered(t *testing.T) {
	p := &prepared{facts: map[string][]mediactl.Facts{"s": {}}}
	w := New(Config{Calls: p, Journal: NewJournal(), Host: func() Host { return *host() }, Log: slog.New(slog.DiscardHandler)})
	w.take(event.Event{At: start, Session: "s", Connection: "con_ann", Body: event.Joined{Host: "203.0.113.5:4443"}})
	c := w.calls["s"]
	hours := func() {
		for range 3 * barrenFor {
			c.whole = 0
			w.examine(t.Context(), c)
		}
	}
	if hours(); w.calls["s"] == nil || w.calls["s"].people["con_ann"].reached == "" {
		t.Error("forgotten while it lasts")
	}
	delete(p.facts, "s")
	if hours(); w.calls["s"] != nil {
		t.Error("not forgotten after its end")
	}
}

func TestALostNetworkIsTold(t *testing.T) {
	within(t, func(w *world) {
		w.join("s", "con_ann", address(1))
		w.publish("s", "con_ann", func(age int64) mediactl.Facts {
			f := flowing(min(age, 9000))
			f.Age = age
			if age > 9000 {
				f.Consent, f.Heard = age-9000, age-9000
			}
			return f
		})
		w.rest(9 * time.Second)
		w.quiet("con_ann", 7*time.Second)
		w.rest(9 * time.Second)
		if got := w.open("s", "con_ann"); got != string(ClientNetworkLost) {
			t.Errorf("open: %q", got)
		}
		w.tell("s", "con_ann", event.SocketLost{Age: 30_000, Silent: 15_000, Code: 1000})
		w.rest(3 * time.Second)
		if got := w.open("s", "con_ann"); got != string(ClientNetworkLost) {
			t.Errorf("after the socket was ended: %q", got)
		}
		w.tell("s", "con_ann", event.Left{Reason: "networkDisconnect"})
		w.rest(6 * time.Second)
		if got := w.open("s", "con_ann"); got != "" {
			t.Errorf("after it left, and its endpoint is still there: %q", got)
		}
	})
}

// TestKMS_15__: the proxy is named on the connection at its second cut, and media flows on.
func TestKMS_15__TheTimelineNamesTheProxy(t *testing.T) {
	within(t, func(w *world) {
		w.join("s", "con_ann", address(1))
		w.publish("s", "con_ann", flowing)
		for i := range 2 {
			w.rest(time.Minute)
			w.tell("s", "con_ann", event.SocketLost{Age: 60_010, Silent: 60_003})
			w.rest(time.Second)
			w.tell("s", "con_ann", event.SocketBack{After: 1000})
			w.rest(3 * time.Second)
			if got, want := w.open("s", "con_ann"), []string{"", string(ProxyIdleTimeout)}[i]; got != want {
				t.Errorf("after %d: %q, want %q", i+1, got, want)
			}
		}
		records, _ := w.journal.Diagnosis("s", "con_ann")
		if len(records) != 1 || !strings.Contains(records[0].Title, "60 s") || !strings.Contains(strings.Join(records[0].Evidence, " "), "Media flows on") {
			t.Errorf("records %+v", records)
		}
		w.rest(11 * time.Minute)
		if got := w.open("s", "con_ann"); got != "" {
			t.Errorf("ten minutes later: %q", got)
		}
	})
}

// TestKMS_18c__: a NAT that forgets is named at its second silence.
func TestKMS_18c__TheNATIsNamed(t *testing.T) {
	within(t, func(w *world) {
		w.join("s", "con_ann", address(1))
		w.publish("s", "con_ann", func(age int64) mediactl.Facts {
			f := flowing(age)
			for i, at := range []int64{40_000, 90_000} {
				if age > at {
					f.Moves = append(f.Moves, mediactl.Move{
						At: age - at, Silence: 31_000 + int64(i)*3000, From: fmt.Sprint("udp 198.51.100.7:", 50_000+i), To: fmt.Sprint("udp 198.51.100.7:", 50_001+i),
					})
				}
			}
			return f
		})
		w.rest(80 * time.Second)
		if got := w.open("s", "con_ann"); got != "" {
			t.Errorf("after one: %q", got)
		}
		w.rest(20 * time.Second)
		if got := w.open("s", "con_ann"); got != string(NATIdleTimeout) {
			t.Errorf("after two: %q", got)
		}
	})
}

// TestKMS_16__: a mismatch of codecs names both sides, whether the request was refused or video left out.
func TestKMS_16__CodecsAreNamed(t *testing.T) {
	within(t, func(w *world) {
		w.join("s", "con_ann", address(1))
		w.add("s", "con_ann", func(age int64) mediactl.Facts {
			f := flowing(age)
			f.Tracks = f.Tracks[:1]
			return f
		})
		w.tell("s", "con_ann", event.Published{Stream: "str_con_ann", Endpoint: "con_ann", Audio: "opus", HasVideo: true})
		w.join("s", "con_ben", address(2))
		w.tell("s", "con_ben", event.Refused{Method: "publishVideo", Code: "codec_mismatch", Text: "no section can be received: video H264; allowed video: [VP8]"})
		w.rest(3 * time.Second)
		for _, id := range []string{"con_ann", "con_ben"} {
			records, _ := w.journal.Diagnosis("s", id)
			if len(records) != 1 || records[0].Code != CodecMismatch || records[0].Evidence[0] != "offered=[H264] allowed=[VP8]" {
				t.Errorf("%s: %+v", id, records)
			}
		}
		w.publish("s", "con_ben", flowing)
		w.rest(5 * time.Second)
		if got := w.open("s", "con_ben"); got != "" {
			t.Errorf("published after all: %q", got)
		}
	})
}

// TestKMS_18b__: a '+' that became a space is told with its line, as a notice, once.
func TestKMS_18b__PlusIsTold(t *testing.T) {
	within(t, func(w *world) {
		w.join("s", "con_ann", address(1))
		w.publish("s", "con_ann", func(age int64) mediactl.Facts {
			f := flowing(age)
			f.Repairs = []mediactl.Repair{{Line: 5, What: "plus"}, {Line: 6, What: "plus"}}
			return f
		})
		w.rest(20 * time.Second)
		if len(w.told()) != 1 || w.told()[0].Code != SDPPlusMangled || w.told()[0].Severity != Notice || !strings.Contains(w.told()[0].Evidence[0], "Line 5") {
			t.Errorf("reports %+v", w.told())
		}
		if !strings.Contains(w.log.String(), "level=INFO") {
			t.Errorf("log %s", w.log.String())
		}
	})
}

// TestKMS_19b__: those who change their way in a call are counted, and the alarm is of no connection.
func TestKMS_19b__AFirewallRuleInACall(t *testing.T) {
	within(t, func(w *world) {
		const rule = 100_000
		for i := range 20 {
			session, id := fmt.Sprint("s", i/5), fmt.Sprintf("con_%d", i)
			blocked := i < 6
			w.join(session, id, fmt.Sprintf("198.51.%d.%d:50000", map[bool]int{true: 7, false: 100 + i}[blocked], i+1))
			w.publish(session, id, func(age int64) mediactl.Facts {
				f := flowing(age)
				if blocked && age > rule {
					f.Paths = []mediactl.Path{{Protocol: "relay", Remote: "198.51.7.9:41000", Checks: 9, Nominated: true, Selected: true}}
				}
				return f
			})
		}
		w.rest(rule * time.Millisecond)
		if len(w.told()) != 0 {
			t.Fatalf("before: %+v", w.told())
		}
		w.rest(time.Minute)
		records, _ := w.journal.Diagnosis("", "")
		if len(records) != 1 || records[0].Code != ClientUDPBlocked || !strings.Contains(strings.Join(records[0].Evidence, " "), "198.51.7.0/24") {
			t.Errorf("alarms %+v", records)
		}
		for i := range 20 {
			want := ""
			if i < 6 {
				want = string(ClientUDPBlocked)
			}
			if got := w.open(fmt.Sprint("s", i/5), fmt.Sprintf("con_%d", i)); got != want {
				t.Errorf("con_%d: %q, want %q", i, got, want)
			}
		}
	})
}

// Endpoints that no event has told of, after a restart or of a queue that was full, are found.
func TestUnknownEndpointsAreFound(t *testing.T) {
	within(t, func(w *world) {
		w.tell("s", "con_ben", event.SocketBack{})
		w.add("s", "con_ann", deaf)
		w.add("s", "con_ben_str_con_ann", func(age int64) mediactl.Facts {
			f := deaf(age)
			f.Source = "con_ann"
			return f
		})
		w.rest(15 * time.Second)
		for _, id := range []string{"con_ann", "con_ben"} {
			if got := w.open("s", id); got != string(NetUnreachable) {
				t.Errorf("%s: %q", id, got)
			}
		}
		w.remove("s", "con_ann")
		w.rest(10 * time.Second)
		if got := w.open("s", "con_ann"); got != "" {
			t.Errorf("its endpoint is gone: %q", got)
		}
	})
}

func TestANewTransportBeginsAnew(t *testing.T) {
	within(t, func(w *world) {
		w.join("s", "con_ann", address(1))
		w.publish("s", "con_ann", deaf)
		w.rest(10 * time.Second)
		if got := w.open("s", "con_ann"); got != string(NetUnreachable) {
			t.Fatalf("first: %q", got)
		}
		w.publish("s", "con_ann", flowing)
		w.rest(6 * time.Second)
		if got := w.open("s", "con_ann"); got != "" {
			t.Errorf("reconnected: %q", got)
		}
		w.publish("s", "con_ann", deaf)
		w.rest(10 * time.Second)
		records, _ := w.journal.Diagnosis("s", "con_ann")
		if len(records) != 1 || records[0].Ended != 0 {
			t.Errorf("back within 30 s, it is the same record: %+v", records)
		}
		w.tell("s", "con_ann", event.Unpublished{Stream: "str_con_ann"})
		w.remove("s", "con_ann")
		w.rest(5 * time.Second)
		if got := w.open("s", "con_ann"); got != "" {
			t.Errorf("unpublished: %q", got)
		}
	})
}

func TestMutedTracksAreNoFault(t *testing.T) {
	within(t, func(w *world) {
		w.join("s", "con_ann", address(1))
		w.publish("s", "con_ann", func(age int64) mediactl.Facts {
			f := flowing(age)
			f.Tracks[1].Latest = max(f.Tracks[1].Latest, age-20_000)
			return f
		})
		w.rest(20 * time.Second)
		w.announce("con_ann", Announced{Known: true, Audio: true})
		w.rest(40 * time.Second)
		if len(w.told()) != 0 {
			t.Errorf("reports %+v", w.told())
		}
		w.announce("con_ann", Announced{Known: true, Audio: true, Video: true})
		w.rest(10 * time.Second)
		if got := w.open("s", "con_ann"); got != string(NoMediaSent) {
			t.Errorf("unmuted, and nothing comes: %q", got)
		}
	})
}

// The media node may be away; nothing is concluded from that.
func TestNoFactsNoFaults(t *testing.T) {
	within(t, func(w *world) {
		w.join("s", "con_ann", address(1))
		w.publish("s", "con_ann", flowing)
		w.rest(5 * time.Second)
		w.mu.Lock()
		w.failing = true
		w.mu.Unlock()
		w.rest(time.Minute)
		w.mu.Lock()
		w.failing = false
		w.mu.Unlock()
		w.rest(10 * time.Second)
		if len(w.told()) != 0 {
			t.Errorf("reports %+v", w.told())
		}
	})
}

// Healthy endpoints are read every 3 s once they are no longer young; in large calls only those that are unwell more often.
func TestHealthyEndpointsAreReadRarely(t *testing.T) {
	within(t, func(w *world) {
		const people = 100
		for i := range people {
			w.join("s", fmt.Sprintf("con_%d", i), address(i))
			w.publish("s", fmt.Sprintf("con_%d", i), flowing)
		}
		w.rest(time.Minute)
		w.mu.Lock()
		w.asked = 0
		w.mu.Unlock()
		w.rest(100 * time.Second)
		if per := float64(w.asked) / people / 100; per > 0.35 || per < 0.3 {
			t.Errorf("%.2f readings per endpoint-second, want one in 3 s", per)
		}
		w.mu.Lock()
		w.asked = 0
		w.mu.Unlock()
		w.join("s", "con_x", address(200))
		w.publish("s", "con_x", deaf)
		w.rest(100 * time.Second)
		if per := float64(w.asked) / people / 100; per > 0.37 {
			t.Errorf("%.2f readings per endpoint-second beside one that is unwell", per)
		}
		if got := w.open("s", "con_x"); got != string(NetUnreachable) {
			t.Errorf("open: %q", got)
		}
	})
}

func TestTheEndOfASessionIsTheEndOfItAll(t *testing.T) {
	within(t, func(w *world) {
		w.join("s", "con_ann", address(1))
		w.publish("s", "con_ann", deaf)
		w.rest(10 * time.Second)
		w.tell("s", "", event.SessionEnded{Reason: "sessionClosedByServer"})
		w.rest(time.Second)
		if got := w.open("s", ""); got != "" || len(w.watch.calls) != 0 {
			t.Errorf("open: %q, %d calls", got, len(w.watch.calls))
		}
	})
}

// Telling never waits; what was lost is said.
func TestTellingDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(Config{})
		for range maxQueue + 7 {
			w.Event(event.Event{Session: "s", Body: event.SessionCreated{}})
		}
		if n := w.missed.Load(); n != 7 {
			t.Errorf("%d were counted as lost, want 7", n)
		}
	})
	within(t, func(w *world) {
		w.watch.missed.Store(3)
		w.rest(time.Second)
		if !strings.Contains(w.log.String(), "events=3") {
			t.Errorf("log %q", w.log.String())
		}
	})
}

// What others have found of the server's use is told, once, and is over at once.
func TestFAQ_04__TheUseOfASecretIsARecord(t *testing.T) {
	within(t, func(w *world) {
		w.watch.Tell(SecretInBrowser, map[string]string{"origin": "https://app.example"}, "GET /openvidu/api/sessions from 192.0.2.1")
		w.watch.Tell("NO_SUCH_CODE", nil)
		records, _ := w.journal.Diagnosis("", "")
		if len(records) != 1 || records[0].Code != SecretInBrowser || records[0].Ended == 0 || !strings.Contains(records[0].Title, "https://app.example") {
			t.Errorf("records %+v", records)
		}
		if told := w.told(); len(told) != 2 || told[0].Ended != 0 || told[1].Ended == 0 || told[0].Side != Application {
			t.Errorf("reported %+v", told)
		}
		if log := w.log.String(); strings.Count(log, "SECRET_IN_BROWSER") != 1 || !strings.Contains(log, "level=WARN") || !strings.Contains(log, "192.0.2.1") {
			t.Errorf("log %s", log)
		}
	})
}
