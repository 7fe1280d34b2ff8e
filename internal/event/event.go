package event

// Event is one thing that happened.
type Event struct {
	At         int64  // Unix milliseconds
	Session    string // session id
	Began      int64  // Unix milliseconds: when the session was created; ids are used again, the two together are not
	Connection string // connection id; "" for what concerns the session alone
	// Hidden marks what RECORDER and SPEECH_TO_TEXT do: applications are told nothing of it.
	Hidden bool
	Body   Body
}

// Body says what happened; it is one of the types below.
type Body interface {
	// Kind is the word for it on a timeline: "connection.joined".
	Kind() string
}

type (
	// SessionCreated is a new session, by REST or by a join with the server's secret.
	SessionCreated struct{ CustomSessionID, MediaMode, RecordingMode string }
	// SessionEnded is its end; Reason as clients are told (lastParticipantLeft, sessionClosedByServer …), "" for one that
	// nobody ever joined and that was collected.
	SessionEnded struct{ Reason string }

	// Joined is a participant that has entered.
	Joined struct {
		Platform    string // as the client says: "Chrome 156.0.0.0 on Linux 64-bit"
		SDKVersion  string // "" below 2.21
		Address     string // of its websocket
		Host        string // "name:port" by which it reached us
		Location    string // "City, Country", or "unknown"
		ClientData  string // of joinRoom
		ServerData  string // of its token
		FinalUserID string // the same for the connections of one browser
	}
	// Left is its end: disconnect, forceDisconnectByServer, networkDisconnect …
	Left struct {
		Reason string
		Joined Joined // as it was told
		Since  int64  // Unix milliseconds: when that was
	}

	// SocketLost is a websocket that ended while its participant stays for the grace time.
	SocketLost struct {
		Age    int64  // milliseconds it was open
		Silent int64  // milliseconds since the client's latest message
		Code   int    // of the close frame; 0: none came, 1006 in a browser
		Reason string // ours or the client's
	}
	// SocketBack is the same participant on another websocket.
	SocketBack struct{ After int64 } // milliseconds without one; 0 also if the old one had not ended yet

	// Media is what a stream was announced with, as streamPropertyChanged has left it.
	Media struct {
		HasAudio, HasVideo bool
		TypeOfVideo        string // CAMERA, SCREEN, CUSTOM; "" without video
		FrameRate          int    // measured, or as announced; -1: unknown
		Dimensions         string // JSON text {"width":n,"height":n}, "" if unknown
	}
	// Published is a stream that has been announced, or has a new transport (reconnectStream).
	Published struct {
		Stream       string
		Endpoint     string // of the media node
		Audio, Video string // codecs, "" where the kind does not flow
		HasVideo     bool   // the client offered video
		Again        bool   // a new transport of a stream that was told before
		Media        Media
	}
	// Unpublished is its end.
	Unpublished struct {
		Stream string
		Reason string
		Media  Media
		Since  int64 // Unix milliseconds: when it was told as published
	}
	// Subscribed is a participant that receives a stream: descriptions are exchanged. It is told again for each new
	// transport of the same subscription.
	Subscribed struct {
		Stream    string
		Publisher string // connection id
		Endpoint  string
		Again     bool // a new transport of a subscription that was told before
		Media     Media
	}
	// Unsubscribed is its end; Reason is unsubscribe, or that of the end of the stream or of a participant.
	Unsubscribed struct {
		Stream, Endpoint string
		Publisher        string // connection id
		Reason           string
		Media            Media
		Since            int64 // Unix milliseconds: when it was told as subscribed
	}
	// SignalSent is a signal that was delivered; its Connection is the sender's, "" by REST.
	SignalSent struct {
		To         []string // connection ids, all of them if it was sent to everybody
		Type, Data *string  // nil: absent
	}
	// QualityChanged is another quality of a publisher's uplink, 0 (broken) to 5 (excellent).
	QualityChanged struct{ Old, New int }
	// Refused is a request that could not be carried out; a refused joinRoom has no connection.
	Refused struct {
		Method string // "publishVideo"
		Stream string
		Code   string // fault kind
		Text   string // what the client was told
	}

	// Transport is what the media node says of an endpoint by itself.
	Transport struct {
		Endpoint string
		State    string // "connected", "failed"
		Reason   string
	}

	// Diagnosed is a fault that was found or, with Ended, is over; its words are those of the diagnosis' catalogue. It is
	// for sinks that are not the diagnosis: the timeline has the record itself. What concerns a whole network, or
	// everybody, has no session.
	Diagnosed struct {
		Code     string // "NET_UNREACHABLE"
		Severity string // "error", "warning", "notice"
		Side     string // who must act: "server", "client", "network" …
		Stream   string // "": of the connection, whatever it publishes or receives
		Ended    bool
	}
)

// Kind implements Body.
func (SessionCreated) Kind() string { return "session.created" }
func (SessionEnded) Kind() string   { return "session.ended" }
func (Joined) Kind() string         { return "connection.joined" }
func (Left) Kind() string           { return "connection.left" }
func (SocketLost) Kind() string     { return "socket.lost" }
func (SocketBack) Kind() string     { return "socket.back" }
func (Published) Kind() string      { return "stream.published" }
func (Unpublished) Kind() string    { return "stream.unpublished" }
func (Subscribed) Kind() string     { return "stream.subscribed" }
func (Unsubscribed) Kind() string   { return "stream.unsubscribed" }
func (SignalSent) Kind() string     { return "signal.sent" }
func (QualityChanged) Kind() string { return "quality.changed" }
func (Refused) Kind() string        { return "request.refused" }
func (Transport) Kind() string      { return "transport" }
func (Diagnosed) Kind() string      { return "diagnosis" }
