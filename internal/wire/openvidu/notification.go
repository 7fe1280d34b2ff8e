package openvidu

// Notification is one message the server sends by itself.
type Notification struct {
	Name  string
	Since string // first client release that understands it; older ones only log it
	Doc   string
	Shape any // a zero value of its parameters
}

// Notifications is everything the server sends by itself. There is none for the end of a session: its participants
// are evicted one by one.
var Notifications = []Notification{
	{NameJoined, "1.0", "Somebody has joined.", ParticipantJoined{}},
	{NamePublished, "1.0", "Somebody publishes a stream.", ParticipantPublished{}},
	{NameUnpublished, "1.0", "A stream has ended; to its owner too if that was not its own doing.", ParticipantGone{}},
	{NameLeft, "1.0", "Somebody has left; its stream ends too.", ParticipantGone{}},
	{NameEvicted, "2.3", "The receiver itself has been put out of the session.", ParticipantEvicted{}},
	{NameCandidate, "1.0", "An ICE candidate of the server.", ICECandidate{}},
	{NameSignal, "1.0", "A signal of an application.", SignalMessage{}},
	{NameStreamProperty, "2.3", "A stream was muted, turned or replaced.", StreamProperty{}},
	{NameConnectionProperty, "2.16", "The receiver's own role or record flag was changed.", ConnectionProperty{}},
	{NameQuality, "2.16", "The uplink of a publisher has become better or worse.", NetworkQuality{}},
	{NameForcedOffer, "2.19", "The server has to negotiate a subscription anew; answered by reconnectStream.", ForcedOffer{}},
}

// The names of the notifications.
const (
	NameJoined             = "participantJoined"
	NamePublished          = "participantPublished"
	NameUnpublished        = "participantUnpublished"
	NameLeft               = "participantLeft"
	NameEvicted            = "participantEvicted"
	NameCandidate          = "iceCandidate"
	NameSignal             = "sendMessage"
	NameStreamProperty     = "streamPropertyChanged"
	NameConnectionProperty = "connectionPropertyChanged"
	NameQuality            = "networkQualityLevelChanged"
	NameForcedOffer        = "forciblyReconnectSubscriber"
)

// Pull is the one request the server may send: every release answers it with "push", once it has handled all that
// came before (configuration.rpc.pull in openvidu-browser's jsonrpcclient.js).
const Pull = "pull"

type (
	// ParticipantJoined precedes everything else about a connection.
	ParticipantJoined struct {
		ID        string `json:"id"`
		CreatedAt int64  `json:"createdAt"`
		Metadata  string `json:"metadata"`
	}
	// NetworkQuality has levels from 0 (broken) to 5 (excellent).
	NetworkQuality struct {
		ConnectionID string `json:"connectionId"`
		NewValue     int    `json:"newValue"`
		OldValue     int    `json:"oldValue"`
	}
	// ParticipantPublished announces a stream.
	ParticipantPublished struct {
		ID      string   `json:"id"` // connection id
		Streams []Stream `json:"streams"`
	}
	// ParticipantGone is participantUnpublished and participantLeft. Name repeats the id for clients up to 2.2.
	ParticipantGone struct {
		ConnectionID string `json:"connectionId"`
		Name         string `json:"name"`
		Reason       string `json:"reason"`
	}
	// ParticipantEvicted goes to the evicted one only.
	ParticipantEvicted struct {
		ConnectionID string `json:"connectionId"`
		Reason       string `json:"reason"`
	}
	// ICECandidate: both names are the connection id that selects the peer connection; clients up to 2.8 read the
	// second.
	ICECandidate struct {
		SenderConnectionID string `json:"senderConnectionId"`
		EndpointName       string `json:"endpointName"`
		SDPMLineIndex      int    `json:"sdpMLineIndex"`
		SDPMid             string `json:"sdpMid"`
		Candidate          string `json:"candidate"`
	}
	// SignalMessage has no from if it came by REST.
	SignalMessage struct {
		Type *string `json:"type,omitempty"`
		Data *string `json:"data,omitempty"`
		From string  `json:"from,omitempty"`
	}
	// StreamProperty: NewValue is the JSON text of the value, as a string.
	StreamProperty struct {
		ConnectionID string `json:"connectionId"`
		StreamID     string `json:"streamId"`
		Property     string `json:"property"`
		NewValue     string `json:"newValue"`
		Reason       string `json:"reason"`
	}
	// ConnectionProperty: Property is role or record; NewValue a role, "true" or "false".
	ConnectionProperty struct {
		Property string `json:"property"`
		NewValue string `json:"newValue"`
	}
	// ForcedOffer has the connection id of the publisher and our new offer.
	ForcedOffer struct {
		ConnectionID string `json:"connectionId"`
		StreamID     string `json:"streamId"`
		SDPOffer     string `json:"sdpOffer"`
	}
)
