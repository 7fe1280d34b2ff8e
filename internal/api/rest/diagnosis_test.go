package rest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tertulia/internal/diagnosis"
)

// journal is a Diagnosis that remembers one session that has ended, and notes what it is asked.
type journal struct {
	lines []string // of clients
	stats []string
	after int64
	limit int
}

func (j *journal) Timeline(session string, after int64, limit int) ([]diagnosis.Entry, bool) {
	j.after, j.limit = after, limit
	return []diagnosis.Entry{
		{At: 1700000000000, Source: diagnosis.FromServer, Connection: "con_1", Kind: "connection.joined", Fields: map[string]any{"platform": "Chrome"}},
		{At: 1700000000500, Source: diagnosis.FromDiagnosis, Connection: "con_1", Kind: "diagnosis", Record: &diagnosis.Record{Code: "NET_UNREACHABLE"}},
	}, session == "Ended"
}

func (j *journal) Diagnosis(session, connection string) ([]diagnosis.Record, bool) {
	return []diagnosis.Record{{
		At: 1700000000500, Code: "NET_UNREACHABLE", Severity: diagnosis.Error, Side: diagnosis.Network, Session: session,
		Connection: connection, Title: "title", Evidence: []string{"one", "two"}, Fix: "open the port",
	}}, session == "Ended" && connection == "con_1"
}

func (j *journal) ClientLines(session, connection string, lines []diagnosis.ClientLine, received int64) {
	for _, l := range lines {
		j.lines = append(j.lines, fmt.Sprint(session, " ", connection, " ", l.At, " ", l.Level, " ", l.Text, " ", received > l.At))
	}
}

func (j *journal) ClientStats(session, connection string, stats map[string]any) {
	j.stats = append(j.stats, fmt.Sprint(session, " ", connection, " ", stats))
}

func TestTimelineAndDiagnosis(t *testing.T) {
	remembered := &journal{}
	h, _ := server(t, func(c *Config) { c.Diagnosis = remembered })
	nothing, _ := server(t, nil)
	const empty = `{"numberOfElements":0,"content":[]}`
	for _, c := range []struct {
		h      http.Handler
		path   string
		status int
		body   string
	}{
		{h, "Ended/timeline", 200, `{"numberOfElements":2,"content":[{"timestamp":1700000000000,"source":"server","connectionId":"con_1","kind":"connection.joined","fields":{"platform":"Chrome"}}`},
		{h, "Ended/timeline?after=7&limit=2", 200, `{"numberOfElements":2`},
		{h, "Ended/timeline?limit=1001", 400, `limit is \"1001\": give a whole number from 0 to 1000`},
		{h, "Ended/timeline?after=-1", 400, "after"},
		{h, "Ended/timeline?after=now", 400, "after"},
		{h, "Call/timeline", 200, empty},
		{h, "Gone/timeline", 404, ""},
		{h, "Ended/connection/con_1/diagnosis", 200, `{"numberOfElements":1,"content":[{"timestamp":1700000000500,"code":"NET_UNREACHABLE","severity":"error","side":"network",` +
			`"sessionId":"Ended","connectionId":"con_1","title":"title","evidence":["one","two"],"fix":"open the port"}]}`},
		{h, "Call/connection/con_Pub/diagnosis", 200, empty},
		{h, "Call/connection/con_None/diagnosis", 404, ""},
		{h, "Gone/connection/con_Pub/diagnosis", 404, ""},
		{nothing, "Call/timeline", 200, empty},
		{nothing, "Ended/timeline", 404, ""},
		{nothing, "Call/connection/con_Pub/diagnosis", 200, empty},
	} {
		w := do(c.h, "GET /openvidu/api/sessions/"+c.path, "")
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) || c.body == "" && w.Body.Len() > 0 {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
	do(h, "GET /openvidu/api/sessions/Ended/timeline?after=7&limit=2", "")
	if remembered.after != 7 || remembered.limit != 2 {
		t.Errorf("asked for %d after %d", remembered.limit, remembered.after)
	}
	do(h, "GET /openvidu/api/sessions/Ended/timeline", "")
	if remembered.after != 0 || remembered.limit != 1000 {
		t.Errorf("by default asked for %d after %d", remembered.limit, remembered.after)
	}
	if w := send(h, newRequest("GET /openvidu/api/sessions/Ended/timeline", "")); w.Code != http.StatusUnauthorized {
		t.Errorf("without credentials: %d", w.Code)
	}
}
