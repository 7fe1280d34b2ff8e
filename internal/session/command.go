package session

import (
	"time"

	"tertulia/internal/event"
	"tertulia/internal/wire/mediactl"
)

// Command is one thing asked of a session, by a client, by REST, by a timer or by an effect that has come back.
// Commands that answer say so: the answer is a Reply effect with the result type named here, or a fault.Error.
type Command interface{ command() }

// Origin says who is to be answered. Exactly one of Connection and Call is set for commands that answer.
type Origin struct {
	Connection string // the answer goes into this connection's outbox …
	Request    string // … for this JSON-RPC id (raw JSON, echoed)
	RPC        string // … if it still is of this RPC session: RECORDER and custom ids are used again
	Call       uint64 // the answer goes to the goroutine waiting in Registry.Do
}

// From REST and other callers of Registry.Do.
type (
	// CreateConnection makes a pending connection. Answer: *Connection (a copy).
	CreateConnection struct {
		Role       Role
		Record     bool
		ServerData string
		Kurento    *KurentoOptions
		ICEServers []ICEServer
	}
	// UpdateConnection changes role and record where not nil. Answer: *Connection (a copy).
	UpdateConnection struct {
		Connection string
		Role       *Role
		Record     *bool
	}
	// DeleteConnection drops a pending connection or evicts an active one (forceDisconnectByServer). Answer: nil.
	DeleteConnection struct{ Connection string }
	// DeleteStream unpublishes by force (forceUnpublishByServer). Answer: nil.
	DeleteStream struct{ Stream string }
	// SendSignal delivers a signal without sender; fault.SessionInactive, fault.SignalTarget. Answer: nil.
	SendSignal struct {
		To         []string
		Type, Data *string // nil: absent
	}
	// SetQuality says how good a publisher's uplink is, 0 to 5; everybody is told if that is news. Answer: nil.
	SetQuality struct {
		Connection string
		Level      int
	}
	// Close ends the session with a reason of spec §1.4; every participant is evicted. Answer: nil.
	Close struct{ Reason string }
)

// From a client's socket.
type (
	// Join spends a token, or makes an insecure connection. Answer: JoinResult, as the first message of the new
	// connection's outbox; a refusal goes to the caller (Registry.Join).
	Join struct {
		Token        string // the tok_ id; "" with Insecure
		Insecure     bool
		Recorder     bool
		SpeechToText bool
		RPC          string // the RPC session id made for this client
		ClientData   string
		Platform     string
		SDKVersion   string
		Address      string
		Location     string // "City, Country"; "" if unknown
		Host         string // "name:port" the client reached us by
		FinalUserID  string
		Loopback     bool
		CommonMsid   bool
		SignalForm   SignalForm
		ServerOffers bool
		LegacyRole   bool // a 1.x–2.15 insecure client: role PUBLISHER
	}
	// Leave is leaveRoom. Answer: nil.
	Leave struct{ Connection string }
	// Publish is publishVideo. Answer: PublishResult.
	Publish struct {
		Connection string
		Offer      string
		Loopback   bool
		Filter     string // the type of the filter asked for: fault.NoFilter
		Media      StreamMedia
	}
	// Unpublish is unpublishVideo. Answer: nil.
	Unpublish struct{ Connection string }
	// Subscribe is receiveVideoFrom with an offer, and prepareReceiveVideoFrom without (the node offers).
	// Sender is a stream id or a connection id. Answer: SubscribeResult.
	Subscribe struct {
		Connection string
		Sender     string
		Offer      string
	}
	// AnswerSubscription is receiveVideoFrom with an answer. Answer: nil.
	AnswerSubscription struct {
		Connection string
		Sender     string
		SDP        string
	}
	// Unsubscribe is unsubscribeFromVideo; Sender is a connection id (a stream id is accepted). Answer: nil.
	Unsubscribe struct {
		Connection string
		Sender     string
	}
	// Reconnect is reconnectStream. Stream is the caller's own: SDP is an offer, answer PublishResult with the same
	// id and createdAt. Another's: with IsAnswer the SDP completes our offer (answer nil), else it is an offer
	// (SubscribeResult).
	Reconnect struct {
		Connection string
		Stream     string
		SDP        string
		IsAnswer   bool
	}
	// Candidate is onIceCandidate; Endpoint is a connection id, "" for the own publisher. Answer: nil, always.
	Candidate struct {
		Connection string
		Endpoint   string
		Candidate  mediactl.Candidate
	}
	// ClientSignal is sendMessage; Form is what is known of the sender now. Answer: nil.
	ClientSignal struct {
		Connection string
		To         []string
		Type, Data *string
		Form       SignalForm
	}
	// ChangeStream is streamPropertyChanged: NewValue is the JSON text of the value received. Answer: nil.
	ChangeStream struct {
		Connection string
		Property   string
		NewValue   string
		Reason     string
	}
	// Filter is applyFilter and the other methods of filters: there are none here, so that who might use one is refused
	// with fault.NoFilter. Type is applyFilter's. Answer: always a fault.
	Filter struct{ Connection, Method, Stream, Type string }
	// ForceDisconnect asks to evict Target (forceDisconnectByUser). Answer: nil.
	ForceDisconnect struct{ Connection, Target string }
	// ForceUnpublish asks to end a stream (forceUnpublishByUser). Answer: nil.
	ForceUnpublish struct{ Connection, Stream string }
	// Drop says the connection's socket is gone; the grace time of 10 s begins. Lost is for observers. No answer.
	Drop struct {
		Connection string
		Lost       event.SocketLost
	}
	// Resume says it is back on a new socket, opened so long after this process began. No answer (connect is answered by the
	// signalling edge).
	Resume struct {
		Connection string
		Opened     time.Duration
	}
)

// JoinResult is the domain half of the joinRoom answer; api/signal adds what depends on the client's release.
type JoinResult struct {
	Session    string
	Self       *Connection   // a copy
	Others     []*Connection // copies, in order of creation; published streams only
	ICEServers []ICEServer
}

// PublishResult answers Publish and a publisher's Reconnect.
type PublishResult struct {
	Answer    string
	Stream    string
	CreatedAt int64
}

// SubscribeResult answers Subscribe: an SDP answer if the client offered, else our offer.
type SubscribeResult struct{ SDP string }

func (CreateConnection) command()   {}
func (UpdateConnection) command()   {}
func (DeleteConnection) command()   {}
func (DeleteStream) command()       {}
func (SendSignal) command()         {}
func (SetQuality) command()         {}
func (Close) command()              {}
func (Join) command()               {}
func (Leave) command()              {}
func (Publish) command()            {}
func (Unpublish) command()          {}
func (Subscribe) command()          {}
func (AnswerSubscription) command() {}
func (Unsubscribe) command()        {}
func (Reconnect) command()          {}
func (Candidate) command()          {}
func (ClientSignal) command()       {}
func (ChangeStream) command()       {}
func (Filter) command()             {}
func (ForceDisconnect) command()    {}
func (ForceUnpublish) command()     {}
func (Drop) command()               {}
func (Resume) command()             {}
