package openvidu

// Version is the release of the original whose protocol is spoken.
const Version = "2.32.1"

// Method is one request a client may send.
type Method struct {
	Name   string
	Since  string // first client release that sends it
	Doc    string
	Params func() any // a pointer to an empty parameter struct; nil for none
	Result any        // a zero value of what answers it
	// Unjoined: it may come before joinRoom; all others are error 803 then.
	Unjoined bool
}

// Methods is every request, in the order of the reference page.
var Methods = []Method{
	{Name: "ping", Since: "1.0", Doc: "Keeps the socket alive; answered at once, whatever else is going on.",
		Params: params[Ping], Result: Value{}, Unjoined: true},
	{Name: "connect", Since: "2.8", Doc: "Takes up an RPC session again on a new socket, within the grace time.",
		Params: params[Connect], Result: Value{}, Unjoined: true},
	{Name: "closeSession", Since: "2.5", Doc: "Ends the RPC session; a joined client leaves.",
		Result: Value{}, Unjoined: true},
	{Name: "sessionStatus", Since: "2.20", Doc: "Asks, after `connect` has failed, whether the server still is the one that was joined: `life` is then what `joinRoom` answered.",
		Params: params[SessionStatus], Result: Life{}, Unjoined: true},
	{Name: "joinRoom", Since: "1.0", Doc: "Enters a session with a token, or with the server's secret.",
		Params: params[JoinRoom], Result: Joining{}, Unjoined: true},
	{Name: "leaveRoom", Since: "1.0", Doc: "Leaves the session; the others are told first.", Result: Done{}},
	{Name: "publishVideo", Since: "1.0", Doc: "Publishes a stream: the client offers, the server answers.",
		Params: params[PublishVideo], Result: Publishing{}},
	{Name: "unpublishVideo", Since: "1.0", Doc: "Ends the own stream.", Result: Done{}},
	{Name: "receiveVideoFrom", Since: "1.0", Doc: "Subscribes to a stream with an offer, or completes prepareReceiveVideoFrom with an answer.",
		Params: params[ReceiveVideoFrom], Result: Receiving{}},
	{Name: "prepareReceiveVideoFrom", Since: "2.18", Doc: "Subscribes to a stream; the server offers.",
		Params: params[PrepareReceiveVideoFrom], Result: Preparing{}},
	{Name: "unsubscribeFromVideo", Since: "1.0", Doc: "Ends a subscription.", Params: params[UnsubscribeFromVideo], Result: Done{}},
	{Name: "onIceCandidate", Since: "1.0", Doc: "Hands over an ICE candidate of the client; never an error once joined.",
		Params: params[OnICECandidate], Result: Done{}},
	{Name: "sendMessage", Since: "1.0", Doc: "Sends a signal to some or all connections of the session.",
		Params: params[SendMessage], Result: Done{}},
	{Name: "streamPropertyChanged", Since: "2.3", Doc: "Tells the others that the own stream was muted, turned or replaced.",
		Params: params[StreamPropertyChange], Result: Done{}},
	{Name: "reconnectStream", Since: "2.12", Doc: "Replaces the transport of a stream published or subscribed to.",
		Params: params[ReconnectStream], Result: Publishing{}},
	{Name: "forceDisconnect", Since: "2.3", Doc: "Evicts a participant; moderators only.", Params: params[ForceDisconnect], Result: Done{}},
	{Name: "forceUnpublish", Since: "2.3", Doc: "Ends another's stream; moderators only.", Params: params[ForceUnpublish], Result: Done{}},
	{Name: "videoData", Since: "2.16", Doc: "Reports size and state of the video sent; informational.", Params: params[VideoReport], Result: Done{}},
	{Name: "echo", Since: "2.18", Doc: "Asks whether the server still answers, before a stream is reconnected.", Result: Done{}},
	{Name: "applyFilter", Since: "2.5", Doc: "Applies a filter to a stream: error 406 where there are none.", Params: params[ApplyFilter], Result: Done{}},
	{Name: "removeFilter", Since: "2.5", Doc: "Removes a stream's filter: error 406.", Params: params[FilterTarget], Result: Done{}},
	{Name: "execFilterMethod", Since: "2.5", Doc: "Calls a method of a stream's filter: error 406.", Params: params[ExecFilterMethod], Result: Done{}},
	{Name: "addFilterEventListener", Since: "2.5", Doc: "Listens to a stream's filter: error 406.", Params: params[FilterListener], Result: Done{}},
	{Name: "removeFilterEventListener", Since: "2.5", Doc: "Stops listening to a stream's filter: error 406.", Params: params[FilterListener], Result: Done{}},
	{Name: "subscribeToSpeechToText", Since: "2.24", Doc: "Asks for subtitles: error 997 where there are none.", Params: params[SpeechToText], Result: Done{}},
	{Name: "unsubscribeFromSpeechToText", Since: "2.24", Doc: "Ends subtitles: error 997.", Params: params[SpeechToText], Result: Done{}},
}

func params[T any]() any { return new(T) }

// FindMethod returns the row of a method.
func FindMethod(name string) (Method, bool) {
	m, ok := methodsByName[name]
	return m, ok
}

var methodsByName = func() map[string]Method {
	byName := make(map[string]Method, len(Methods))
	for _, m := range Methods {
		byName[m.Name] = m
	}
	return byName
}()

// Done is the result of a request that is only acknowledged. SessionID is the RPC session id, in every result.
type Done struct {
	SessionID string `json:"sessionId,omitempty"`
}

// Value is the result of the requests below the protocol proper: "pong", "OK", "reconnection successful", "bye".
type Value struct {
	Value     string `json:"value"`
	SessionID string `json:"sessionId,omitempty"`
}

// Life is the result of sessionStatus.
type Life struct {
	Life      int64  `json:"life"` // of the server's memory; clients compare it with joinRoom's
	SessionID string `json:"sessionId,omitempty"`
}
