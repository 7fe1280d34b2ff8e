package diagnosis

// Severity says what a fault means for people.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // somebody cannot see or hear somebody
	Warning Severity = "warning" // it will come to that, or it is bad
	Notice  Severity = "notice"  // mended or made up for: nobody notices
)

// Side is who must act.
type Side string

// The sides.
const (
	Server      Side = "server"      // this server, its machine, firewall or configuration
	Client      Side = "client"      // the participant's browser or device
	Network     Side = "network"     // what lies between the participant and us
	Publisher   Side = "publisher"   // another participant, who is to be seen
	TURN        Side = "turn"        // a TURN server of its own
	Proxy       Side = "proxy"       // a proxy or balancer in front of us
	Application Side = "application" // the application that uses the SDK
)

// Record is one finding: what is wrong, who must act, how we know, what to do.
type Record struct {
	At         int64    `json:"timestamp"` // Unix milliseconds
	Code       Code     `json:"code"`
	Severity   Severity `json:"severity"`
	Side       Side     `json:"side"`
	Session    string   `json:"sessionId,omitempty"`
	Connection string   `json:"connectionId,omitempty"`
	Stream     string   `json:"streamId,omitempty"`
	Title      string   `json:"title"`
	Evidence   []string `json:"evidence"` // sentences with what was measured
	Fix        string   `json:"fix"`
	// Ended is when it was over, Unix milliseconds; 0 while it lasts.
	Ended int64 `json:"ended,omitempty"`
}

// Entry is one line of a session's timeline.
type Entry struct {
	At         int64          `json:"timestamp"` // Unix milliseconds, of the server's clock
	Source     Source         `json:"source"`
	Connection string         `json:"connectionId,omitempty"`
	Kind       string         `json:"kind"`             // an event's kind, "log", "stats", "diagnosis"
	Text       string         `json:"text,omitempty"`   // for people
	Fields     map[string]any `json:"fields,omitempty"` // what happened, as data
	Record     *Record        `json:"diagnosis,omitempty"`
}

// Source says who noticed.
type Source string

// The sources of entries.
const (
	FromServer    Source = "server"
	FromClient    Source = "client"
	FromDiagnosis Source = "diagnosis"
)

// ClientLine is one line that a client's SDK has logged.
type ClientLine struct {
	At    int64  // Unix milliseconds of the client's clock
	Level string // "DEBUG", "INFO", "WARN", "ERROR"
	Text  string
}
