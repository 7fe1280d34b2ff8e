package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/event"
)

// The call of the causes: con_1 moderates; con_1 and con_2 publish and receive each other, con_3 receives con_2.
var causeCall = []string{
	"rest create Role=MODERATOR", "rest create", "rest create Role=SUBSCRIBER", "rest create",
	"join Token=tok_1", "join Token=tok_2", "join Token=tok_3", "wait 5s",
	"con_1 publish Offer=o", "media con_1 ok", "con_2 publish Offer=o", "media con_2 ok",
	"con_1 subscribe Sender=con_2 Offer=o", "media con_1_str_CAM_2_con_2 ok",
	"con_2 subscribe Sender=con_1 Offer=o", "media con_2_str_CAM_1_con_1 ok",
	"con_3 subscribe Sender=con_2 Offer=o", "media con_3_str_CAM_2_con_2 ok",
}

// What clients are told, and what events say, of each end of something of con_2; R stands for the reason.
var (
	leftTold = []string{"1,3: left 2 R"}
	leftSaid = []string{"2 no longer receives 1: R", "2 no longer publishes: R", "1 no longer receives 2: R", "3 no longer receives 2: R", "2 left: R"}

	evictedTold = append(slices.Clone(leftTold), "2: evicted R")

	streamSaid = []string{"2 no longer publishes: R", "1 no longer receives 2: R", "3 no longer receives 2: R"}

	closedTold = []string{"2,3: left 1 R", "1: evicted R", "3: left 2 R", "2: evicted R", "3: evicted R"}
	closedSaid = []string{
		"1 no longer receives 2: R", "1 no longer publishes: R", "2 no longer receives 1: R", "1 left: R",
		"2 no longer publishes: R", "3 no longer receives 2: R", "2 left: R", "3 left: R", "session ended: R",
	}
)

// causes is events §6, as far as a server without recording knows them, with what each has clients told and events say.
var causes = []struct {
	reason, name string
	steps        []string
	told, said   []string
}{
	{"disconnect", "leaveRoom", []string{"con_2 leave"}, leftTold, leftSaid},
	{"forceDisconnectByUser", "a moderator evicts", []string{"con_1 forceDisconnect Target=con_2"}, evictedTold, leftSaid},
	{"forceDisconnectByServer", "REST evicts", []string{"rest delete Connection=con_2"}, evictedTold, leftSaid},
	{"networkDisconnect", "a socket that does not come back", []string{"con_2 drop", "wait 10s"}, evictedTold, leftSaid},
	{"networkDisconnect", "a tab that is closed after flapping", []string{
		"con_2 drop", "wait 9s", "con_2 resume", "con_2 drop", "wait 9s", "con_2 resume", "con_2 drop", "wait 10s",
	}, evictedTold, leftSaid},
	{"networkDisconnect", "a client that does not read", []string{"node overflowed Connection=con_2 RPC=rpc2"}, evictedTold, leftSaid},
	{"unpublish", "unpublishVideo", []string{"con_2 unpublish"}, []string{"1,3: unpublished 2 R"}, streamSaid},
	{"forceUnpublishByUser", "a moderator ends a stream", []string{"con_1 forceUnpublish Stream=str_CAM_2_con_2"}, []string{"1,2,3: unpublished 2 R"}, streamSaid},
	{"forceUnpublishByServer", "REST ends a stream", []string{"rest deleteStream Stream=str_CAM_2_con_2"}, []string{"1,2,3: unpublished 2 R"}, streamSaid},
	{"unsubscribe", "unsubscribeFromVideo", []string{"con_3 unsubscribe Sender=con_2"}, nil, []string{"3 no longer receives 2: R"}},
	{"sessionClosedByServer", "DELETE session", []string{"rest close"}, closedTold, closedSaid},
	{"openviduServerStopped", "the server ends its calls", []string{"rest close Reason=openviduServerStopped"}, closedTold, closedSaid},
	{"nodeCrashed", "the media node dies", []string{"node gone Reason=nodeCrashed"}, closedTold, closedSaid},
	{"mediaServerDisconnect", "the media node is removed", []string{"node gone Reason=mediaServerDisconnect"}, closedTold, closedSaid},
	{"mediaServerReconnect", "the media node starts again", []string{"node gone Reason=mediaServerReconnect"},
		[]string{"1,2,3: unpublished 1 R", "1,2,3: unpublished 2 R"},
		append([]string{"1 no longer publishes: R", "2 no longer receives 1: R"}, streamSaid...)},
	{"mediaServerReconnect", "the process ends, the call goes on", []string{"node suspended"}, nil,
		[]string{"1 no longer receives 2: R", "2 no longer receives 1: R", "3 no longer receives 2: R"}},
}

// carriedOut returns what clients were told and what events said while the steps of a cause were played.
func carriedOut(t *testing.T, steps []string) (told, said []string) {
	p := &play{world: newWorld(t, Properties{})}
	for _, line := range causeCall {
		p.step(line)
	}
	for _, line := range steps {
		for _, effect := range p.step(line) {
			switch e := effect.(type) {
			case Notify:
				told = append(told, number(strings.Join(e.To, ",")+": ")+toldOf(e.Notice))
			case Happened:
				said = append(said, saidOf(t, e))
			}
		}
	}
	return told, said
}

// number leaves of connection ids their numbers.
func number(ids string) string { return strings.ReplaceAll(ids, "con_", "") }

func toldOf(n Notice) string {
	switch n := n.(type) {
	case Left:
		return number("left " + n.Connection + " " + n.Reason)
	case Evicted:
		return "evicted " + n.Reason
	case StreamUnpublished:
		return number("unpublished " + n.Connection + " " + n.Reason)
	}
	return showNotice(n)
}

// saidOf shows the end of something, after checking what it says of its beginning.
func saidOf(t *testing.T, h Happened) string {
	var since int64
	var line string
	who := number(h.Connection)
	switch b := h.Body.(type) {
	case event.Unsubscribed:
		line, since = fmt.Sprintf("%s no longer receives %s: %s", who, number(b.Publisher), b.Reason), b.Since-5000
		checkMedia(t, line, b.Media)
	case event.Unpublished:
		line, since = fmt.Sprintf("%s no longer publishes: %s", who, b.Reason), b.Since-5000
		checkMedia(t, line, b.Media)
	case event.Left:
		line, since = fmt.Sprintf("%s left: %s", who, b.Reason), b.Since
	case event.SessionEnded:
		return "session ended: " + b.Reason
	default:
		return fmt.Sprintf("%s %s", who, b.Kind())
	}
	if since != 1000 {
		t.Errorf("%s: it began at 1000 in the script, not at %d", line, since)
	}
	return line
}

func checkMedia(t *testing.T, line string, m event.Media) {
	if m != camera.toldMedia() {
		t.Errorf("%s: its media are %+v, announced were %+v", line, m, camera)
	}
}

func with(reason string, lines []string) []string {
	var all []string
	for _, line := range lines {
		all = append(all, strings.ReplaceAll(line, "R", reason))
	}
	return all
}

func wantLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// TestLOSS_11__ReasonsForClients: whatever ends something, each client hears the exact reason, once.
func TestLOSS_11__ReasonsForClients(t *testing.T) {
	for _, c := range causes {
		t.Run(c.name, func(t *testing.T) {
			told, _ := carriedOut(t, c.steps)
			wantLines(t, "clients were told", told, with(c.reason, c.told))
		})
	}
}

// TestLOSS_20__ReasonsInEvents: the same for webhooks and the CDR, each end once, in the order of events §7.
func TestLOSS_20__ReasonsInEvents(t *testing.T) {
	for _, c := range causes {
		t.Run(c.name, func(t *testing.T) {
			_, said := carriedOut(t, c.steps)
			wantLines(t, "events said", said, with(c.reason, c.said))
		})
	}
}

// TestLOSS_20__LastParticipantLeft: the session's own reason is derived, however the last one went.
func TestLOSS_20__LastParticipantLeft(t *testing.T) {
	for _, last := range []string{"con_1 leave", "con_1 forceDisconnect Target=con_1", "rest delete Connection=con_1", "con_1 drop"} {
		_, said := carriedOut(t, []string{"con_2 leave", "con_3 leave", last, "wait 10s"})
		if got := said[len(said)-1]; got != "session ended: lastParticipantLeft" {
			t.Errorf("%s: the last event says %q", last, got)
		}
	}
}
