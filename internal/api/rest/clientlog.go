package rest

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

// Where a client's half of the story comes in. The first is OpenVidu Pro's (rest §12.4); openvidu-browser posts its log
// there if its token says so. The second takes what it measures, where the application names it, with the token as a
// parameter, in the item webrtc-stats-config of localStorage (WebRtcStats.ts).
const (
	logPath   = "/openvidu/elk/openvidu-browser-logs"
	statsPath = "/openvidu/elk/openvidu-browser-stats"
)

// LogParams is what follows in a token's URL to have openvidu-browser 2.18 to 2.32 send its log: what it takes for
// OpenVidu Pro, and how much. All that "edition" adds is that a virtual background is tried, which we do not serve. logs
// is OPENVIDU_BROWSER_LOGS, interval OPENVIDU_PRO_STATS_WEBRTC_INTERVAL in seconds, of which 2.18 to 2.21 want to see any.
func LogParams(logs string, interval int) string {
	if logs == "" || logs == "disabled" {
		return ""
	}
	return "&edition=pro&webrtcStatsInterval=" + strconv.Itoa(interval) + "&sendBrowserLogs=" + logs
}

const (
	postsPerSecond = 2 // of one client; the SDK posts every 5 s, and every 100 lines
	postsAtOnce    = 20
	maxReporters   = 20_000
	reporterStays  = time.Minute // after it last proved who it is: the last lines come when the client has left
)

// reporters are the clients that have proved who they are lately, by token. The zero value is ready.
type reporters struct {
	mu  sync.Mutex
	who map[string]*reporter
}

type reporter struct {
	session, connection, user string
	rate                      *rate.Limiter
	proved                    time.Time // when the session last knew it
}

// takesReports answers the two paths, and reports whether it did. 401 makes the SDK stop.
func (a *api) takesReports(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != logPath && r.URL.Path != statsPath {
		return false
	}
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
	} else if err := a.report(w, r); err != nil {
		a.refuse(w, r, r.URL.Path, nil, err)
	}
	return true
}

func (a *api) report(w http.ResponseWriter, r *http.Request) error {
	who, err := a.reporter(r)
	if err != nil {
		return err
	}
	if !who.rate.Allow() {
		w.Header().Set("Retry-After", "5")
		return fault.New(fault.RateLimited, "connection %s reports too often: at most %d times a second", who.connection, postsPerSecond)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, openvidu.MaxLogBody))
	if err != nil {
		return bodyFault(err)
	}
	if a.Diagnosis == nil {
		return nil
	}
	if r.URL.Path == statsPath {
		var stats map[string]any
		if err := json.Unmarshal(body, &stats); err != nil {
			return fault.Wrap(fault.Invalid, err, "the body is no JSON object")
		}
		a.Diagnosis.ClientStats(who.session, who.connection, stats)
		return nil
	}
	batch, err := openvidu.ParseLog(body)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "bad log")
	}
	lines := make([]diagnosis.ClientLine, len(batch))
	for i, l := range batch {
		lines[i] = diagnosis.ClientLine(l)
	}
	a.Diagnosis.ClientLines(who.session, who.connection, lines, time.Now().UnixMilli())
	return nil
}

// reporter finds whom a request's token belongs to; fault.Unauthorized, or fault.RateLimited for who guesses.
func (a *api) reporter(r *http.Request) (*reporter, error) {
	var user, session string
	token := openvidu.TokenRef{Token: r.URL.Query().Get("token")}
	if r.URL.Path == logPath {
		name, password, _ := r.BasicAuth()
		user, session, _ = strings.Cut(name, "%/%")
		token = openvidu.ParseToken(password)
	} else if strings.Contains(token.Token, "?") {
		token = openvidu.ParseToken(token.Token)
	}
	stats := r.URL.Path == statsPath
	known, fresh := a.reporters.find(token.Token)
	if known != nil && !stats && (known.user != user || known.session != session) {
		known, fresh = nil, true // somebody else's token
	}
	if !fresh && (known != nil || a.failures.left(r.RemoteAddr)) { // a guess must not cost more than it tells
		if found := a.search(session, token, user, stats); found != nil {
			known = a.reporters.add(token.Token, found)
		}
	}
	switch {
	case known != nil:
		return known, nil
	case !a.failures.allow(r.RemoteAddr):
		return nil, fault.New(fault.RateLimited, "too many reports with unknown tokens from this address")
	}
	return nil, fault.New(fault.Unauthorized, "no client of this session has that token")
}

// search looks the token up in its session.
func (a *api) search(session string, token openvidu.TokenRef, user string, anybody bool) *reporter {
	if session == "" {
		session = token.Session
	}
	if token.Token == "" || !a.ready() {
		return nil
	}
	state, err := a.Registry.State(session)
	if err != nil {
		return nil
	}
	for _, c := range state.Connections {
		same := subtle.ConstantTimeCompare([]byte(c.Token), []byte(token.Token)) == 1
		if same && c.ActiveAt != 0 && (anybody || c.FinalUserID == user) {
			return &reporter{session: session, connection: c.ID, user: c.FinalUserID}
		}
	}
	return nil
}

// find returns who has proved to have a token within the last minute, and whether that was so lately that it need not be
// proved again.
func (r *reporters) find(token string) (known *reporter, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known = r.who[token]
	if known == nil || time.Since(known.proved) > reporterStays {
		return nil, false
	}
	return known, time.Since(known.proved) < reporterStays/2
}

// add remembers a client, who keeps the rate it had. When there are too many, those that are silent are forgotten, or else
// any: they prove themselves anew.
func (r *reporters) add(token string, found *reporter) *reporter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.who[token]; known != nil && known.connection == found.connection && known.session == found.session {
		known.proved = time.Now()
		return known
	}
	if r.who == nil {
		r.who = map[string]*reporter{}
	}
	for other, known := range r.who {
		if len(r.who) < maxReporters {
			break
		}
		if time.Since(known.proved) > reporterStays {
			delete(r.who, other)
		}
	}
	for other := range r.who {
		if len(r.who) < maxReporters {
			break
		}
		delete(r.who, other)
	}
	found.rate, found.proved = rate.NewLimiter(postsPerSecond, postsAtOnce), time.Now()
	r.who[token] = found
	return found
}
