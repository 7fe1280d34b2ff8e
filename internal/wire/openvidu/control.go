package openvidu

// ForceDisconnect evicts a participant.
type ForceDisconnect struct {
	ConnectionID string `json:"connectionId" must:"yes" doc:"of the participant to evict"`
}

// ForceUnpublish ends another's stream.
type ForceUnpublish struct {
	StreamID string `json:"streamId" must:"yes" doc:"the stream to end"`
}

// FilterTarget names the stream whose filter is meant.
type FilterTarget struct {
	StreamID string `json:"streamId" must:"yes" doc:"the filtered stream"`
}

// ApplyFilter asks for a filter.
type ApplyFilter struct {
	StreamID string `json:"streamId" must:"yes" doc:"the stream to filter"`
	Type     string `json:"type" must:"yes" doc:"GStreamerFilter, FaceOverlayFilter, ChromaFilter, …"`
	Options  string `json:"options" doc:"JSON text of an object"`
}

// ExecFilterMethod calls a method of a filter.
type ExecFilterMethod struct {
	StreamID string `json:"streamId" must:"yes" doc:"the filtered stream"`
	Method   string `json:"method" must:"yes" doc:"name of the method"`
	Params   string `json:"params" doc:"JSON text of an object"`
}

// FilterListener names an event of a filter.
type FilterListener struct {
	StreamID  string `json:"streamId" must:"yes" doc:"the filtered stream"`
	EventType string `json:"eventType" must:"yes" doc:"the event to listen to"`
}

// SpeechToText asks for subtitles of a connection's audio.
type SpeechToText struct {
	ConnectionID string `json:"connectionId" must:"yes" doc:"whose speech"`
	Lang         string `json:"lang" doc:"language and country, as en-US"`
}
