package openvidu

// Event is one kind of event that applications and operators are told by webhook, CDR file and GET /events: all three
// carry the same object (openvidu-server 2.32.1, CDREvent*.java; docs/openvidu-server-webhook).
type Event struct {
	Name    string
	Edition string // that of OpenVidu which sends it: CE, PRO, ENTERPRISE; EditionOurs if none does
	Default bool   // OPENVIDU_WEBHOOK_EVENTS names it unless it is set
	Doc     string
	Shape   any // a zero value of its object, without the key "event"
}

// EditionOurs marks what OpenVidu does not have: it is sent to who asks for it by name, and never written to CDR files.
const EditionOurs = "ours"

// Events is everything there is to be told.
var Events = []Event{
	{EventSessionCreated, "CE", true, "A session was made.", EventSession{}},
	{EventSessionDestroyed, "CE", true, "A session was closed; one that was collected because nobody came is not told.", EventSession{}},
	{EventParticipantJoined, "CE", true, "A participant has entered.", EventParticipant{}},
	{EventParticipantLeft, "CE", true, "A participant has left.", EventParticipant{}},
	{EventWebRTCCreated, "CE", true, "A stream is published (`OUTBOUND`), or somebody receives it (`INBOUND`).", EventWebRTC{}},
	{EventWebRTCDestroyed, "CE", true, "Its end.", EventWebRTC{}},
	{EventRecordingStatus, "CE", true, "A recording has started, stopped, is ready or has failed.", EventRecording{}},
	{EventFilterDispatched, "CE", true, "A filter has told something that somebody listens to.", EventFilter{}},
	{EventSignalSent, "CE", true, "A signal was delivered.", EventSignal{}},
	{EventMediaNodeStatus, "PRO", true, "A media node is in another state.", EventMediaNode{}},
	{EventAutoscaling, "PRO", true, "The number of media nodes is about to change.", EventAutoscale{}},
	{EventNodeCrashed, "PRO", true, "A node was lost.", EventNodeLost{}},
	{EventNodeRecovered, "PRO", true, "It is back.", EventNodeBack{}},
	{EventBroadcastStarted, "PRO", true, "A broadcast has started.", EventSession{}},
	{EventBroadcastStopped, "PRO", true, "A broadcast has stopped.", EventSession{}},
	{EventHANodeRegistered, "ENTERPRISE", false, "A master node has come.", EventHANode{}},
	{EventHANodeDeregistered, "ENTERPRISE", false, "A master node has gone.", EventHANode{}},
	{EventDiagnosis, EditionOurs, false, "The diagnosis has found a fault, or it is over; docs/reference/diagnosis.md has the codes.", EventDiagnosed{}},
}

// The names of the events.
const (
	EventSessionCreated     = "sessionCreated"
	EventSessionDestroyed   = "sessionDestroyed"
	EventParticipantJoined  = "participantJoined"
	EventParticipantLeft    = "participantLeft"
	EventWebRTCCreated      = "webrtcConnectionCreated"
	EventWebRTCDestroyed    = "webrtcConnectionDestroyed"
	EventRecordingStatus    = "recordingStatusChanged"
	EventFilterDispatched   = "filterEventDispatched"
	EventSignalSent         = "signalSent"
	EventMediaNodeStatus    = "mediaNodeStatusChanged"
	EventAutoscaling        = "autoscaling"
	EventNodeCrashed        = "nodeCrashed"
	EventNodeRecovered      = "nodeRecovered"
	EventBroadcastStarted   = "broadcastStarted"
	EventBroadcastStopped   = "broadcastStopped"
	EventHANodeRegistered   = "HANodeRegistered"
	EventHANodeDeregistered = "HANodeDeregistered"
	EventDiagnosis          = "diagnosis"
)

// EventNamed finds a row of [Events].
func EventNamed(name string) (Event, bool) {
	for _, e := range Events {
		if e.Name == name {
			return e, true
		}
	}
	return Event{}, false
}

// Values of fields.
const (
	EventInbound  = "INBOUND"  // the participant receives
	EventOutbound = "OUTBOUND" // the participant publishes

	EventLastLeft = "lastParticipantLeft"
)

type (
	// EventHead is what all events of sessions begin with.
	EventHead struct {
		SessionID       string `json:"sessionId"`
		UniqueSessionID string `json:"uniqueSessionId"` // session id, "_", Unix milliseconds of its creation
		Timestamp       int64  `json:"timestamp"`       // Unix milliseconds
	}
	// EventEnd follows in what tells an end; it is absent where something begins.
	EventEnd struct {
		StartTime int64  `json:"startTime"` // Unix milliseconds
		Duration  int64  `json:"duration"`  // whole seconds
		Reason    string `json:"reason,omitempty"`
	}
	// EventSession is sessionCreated, sessionDestroyed, and the two of broadcasts, whose shape nobody documents.
	EventSession struct {
		EventHead
		*EventEnd
	}
	// EventParticipant is participantJoined and participantLeft.
	EventParticipant struct {
		EventHead
		*EventEnd
		ParticipantID string  `json:"participantId"` // the same as the next, for old applications
		ConnectionID  string  `json:"connectionId"`
		Location      string  `json:"location"` // "City, Country", or "unknown"
		IP            string  `json:"ip"`
		Platform      string  `json:"platform"`
		ClientData    *string `json:"clientData"` // null for an IP camera
		ServerData    string  `json:"serverData"`
	}
	// EventWebRTC is webrtcConnectionCreated and webrtcConnectionDestroyed.
	EventWebRTC struct {
		EventHead
		*EventEnd
		StreamID      string `json:"streamId"`
		ParticipantID string `json:"participantId"`
		ConnectionID  string `json:"connectionId"`
		Connection    string `json:"connection"`
		ReceivingFrom string `json:"receivingFrom,omitempty"` // the publisher's connection id
		*EventCamera
		*EventVideo
		AudioEnabled bool `json:"audioEnabled"` // of the stream, whatever of it is received
		VideoEnabled bool `json:"videoEnabled"`
	}
	// EventCamera is what is told of an IP camera that publishes.
	EventCamera struct {
		RTSPURI                 string `json:"rtspUri"`
		AdaptativeBitrate       bool   `json:"adaptativeBitrate"`
		NetworkCache            int    `json:"networkCache"` // milliseconds
		OnlyPlayWithSubscribers bool   `json:"onlyPlayWithSubscribers"`
	}
	// EventVideo is what is told of a stream that has video.
	EventVideo struct {
		VideoSource     *string `json:"videoSource"`
		VideoFramerate  *int    `json:"videoFramerate"`
		VideoDimensions *string `json:"videoDimensions"` // JSON text {"width":n,"height":n}
	}
	// EventRecording is recordingStatusChanged.
	EventRecording struct {
		EventHead
		StartTime  int64   `json:"startTime"` // Unix milliseconds: when the recording was made
		Duration   float64 `json:"duration"`  // seconds
		Reason     string  `json:"reason,omitempty"`
		ID         string  `json:"id"`
		Name       string  `json:"name"`
		OutputMode string  `json:"outputMode"`
		*EventComposed
		HasAudio bool   `json:"hasAudio"`
		HasVideo bool   `json:"hasVideo"`
		Size     int64  `json:"size"` // bytes
		Status   string `json:"status"`
	}
	// EventComposed is what is told of a recording that is one picture.
	EventComposed struct {
		Resolution      string `json:"resolution"`
		FrameRate       int    `json:"frameRate"`
		RecordingLayout string `json:"recordingLayout"`
		CustomLayout    string `json:"customLayout,omitempty"`
		MediaNodeID     string `json:"media_node_id,omitempty"`
	}
	// EventFilter is filterEventDispatched.
	EventFilter struct {
		EventHead
		ParticipantID string `json:"participantId"`
		ConnectionID  string `json:"connectionId"`
		StreamID      string `json:"streamId"`
		FilterType    string `json:"filterType"`
		EventType     string `json:"eventType"`
		Data          string `json:"data"`
	}
	// EventSignal is signalSent.
	EventSignal struct {
		EventHead
		From *string  `json:"from"` // connection id; null: by REST
		To   []string `json:"to"`   // connection ids
		Type *string  `json:"type"`
		Data *string  `json:"data"`
	}
	// EventDiagnosed is ours. What concerns a whole network has no session.
	EventDiagnosed struct {
		SessionID       string `json:"sessionId,omitempty"`
		UniqueSessionID string `json:"uniqueSessionId,omitempty"`
		Timestamp       int64  `json:"timestamp"`
		ConnectionID    string `json:"connectionId,omitempty"`
		StreamID        string `json:"streamId,omitempty"`
		Code            string `json:"code"`
		Severity        string `json:"severity"`
		Side            string `json:"side"` // who must act
		Ended           bool   `json:"ended"`
	}
)
