package session

import "tertulia/internal/wire/mediactl"

// Notice is something a client is told without having asked; api/signal turns it into the notification of its release
// (spec §5). Notices hold copies, never parts of the state.
type Notice interface{ notice() }

type (
	// Joined: participantJoined.
	Joined struct {
		Connection string
		CreatedAt  int64 // of joining
		Metadata   string
	}
	// StreamPublished: participantPublished.
	StreamPublished struct {
		Connection string
		Stream     Stream
	}
	// StreamUnpublished: participantUnpublished.
	StreamUnpublished struct{ Connection, Reason string }
	// Left: participantLeft.
	Left struct{ Connection, Reason string }
	// Evicted: participantEvicted, to the evicted one only (spec §12.4). The edge closes the socket 10 s later, and
	// at once for clients that do not understand it.
	Evicted struct{ Connection, Reason string }
	// RemoteCandidate: iceCandidate; Endpoint is the connection id that selects the peer connection (spec §5.6).
	RemoteCandidate struct {
		Endpoint  string
		Candidate mediactl.Candidate
	}
	// Signal: sendMessage; From is "" for a signal by REST. Raw says that who is not known to want otherwise is taken for a
	// client up to 2.8.
	Signal struct {
		From       string
		Type, Data *string
		Raw        bool
	}
	// StreamChanged: streamPropertyChanged. NewValue is JSON text and travels as a string.
	StreamChanged struct{ Connection, Stream, Property, NewValue, Reason string }
	// ConnectionChanged: connectionPropertyChanged ("role" or "record").
	ConnectionChanged struct{ Property, NewValue string }
	// QualityChanged: networkQualityLevelChanged; 0 (broken) to 5 (excellent), of a publisher's uplink.
	QualityChanged struct {
		Connection string
		Old, New   int
	}
	// ForcedOffer: forciblyReconnectSubscriber (spec §5.15); the client answers by Reconnect with IsAnswer. Only sent
	// to clients from 2.21 on.
	ForcedOffer struct{ Publisher, Stream, SDP string }
)

func (Joined) notice()            {}
func (StreamPublished) notice()   {}
func (StreamUnpublished) notice() {}
func (Left) notice()              {}
func (Evicted) notice()           {}
func (RemoteCandidate) notice()   {}
func (Signal) notice()            {}
func (StreamChanged) notice()     {}
func (ConnectionChanged) notice() {}
func (ForcedOffer) notice()       {}
func (QualityChanged) notice()    {}

// Message is one entry of a connection's outbox: either an answer or a notice.
type Message struct {
	Seq    uint64 // of a notice: its number on this socket, one above the last one's; answers have none
	Reply  *Answered
	Notice Notice
}

// Answered is the answer to one request of the client.
type Answered struct {
	Request string // the JSON-RPC id, raw
	Result  any    // JoinResult, PublishResult, SubscribeResult or nil
	Err     error  // a fault.Error; Result is nil then
}
