package openvidu

// RESTField is one field of a request body, for the reference page and the OpenAPI document. The parsers beside it are the
// law; tests try each field on them.
type RESTField struct {
	Name    string
	Type    string // of JSON Schema: string, boolean, integer, number, object, array; "": of several
	Doc     string
	Default string // in words; "" if it must be there
	Enum    []string
	Fields  []RESTField // of an object, or of each element of an array; nil for an array of strings
}

// RESTBody is a request body.
type RESTBody struct {
	Name   string // of its schema
	Fields []RESTField
	Free   bool // holds any fields
}

// The bodies, one per route that takes one.
var (
	RESTSessionBody = RESTBody{Name: "SessionRequest", Fields: []RESTField{
		{Name: "customSessionId", Type: "string", Doc: "letters, digits, `_` and `-`, up to 256", Default: "an id is made"},
		{Name: "mediaMode", Type: "string", Enum: restMediaModes, Default: "`ROUTED`"},
		{Name: "recordingMode", Type: "string", Enum: restRecordingModes, Default: "`MANUAL`"},
		{Name: "forcedVideoCodec", Type: "string", Enum: restVideoCodecs, Default: "the setting"},
		{Name: "allowTranscoding", Type: "boolean", Default: "the setting"},
		{Name: "mediaNode", Type: "object", Doc: "the media node that shall carry it; kept and shown, there is one", Default: "any", Fields: []RESTField{
			{Name: "id", Type: "string"},
		}},
		{Name: "defaultRecordingProperties", Type: "object", Doc: "how it is recorded; kept and shown", Default: "the defaults of each", Fields: restRecordingFields},
		{Name: "defaultOutputMode", Type: "string", Doc: "up to 2.17, as the next two; read if `defaultRecordingProperties` is absent", Enum: restOutputModes, Default: "`COMPOSED`"},
		{Name: "defaultRecordingLayout", Type: "string", Enum: restLayouts, Default: "`BEST_FIT`"},
		{Name: "defaultCustomLayout", Type: "string", Default: "empty"},
	}}
	RESTConnectionBody = RESTBody{Name: "ConnectionRequest", Fields: append([]RESTField{
		{Name: "type", Type: "string", Doc: "IP cameras are not built yet: 501", Enum: restConnectionTypes, Default: "`WEBRTC`"},
		{Name: "record", Type: "boolean", Default: "true"},
		{Name: "rtspUri", Type: "string", Doc: "of an IP camera, as the next three", Default: "none"},
		{Name: "adaptativeBitrate", Type: "boolean", Default: "true"},
		{Name: "onlyPlayWithSubscribers", Type: "boolean", Default: "true"},
		{Name: "networkCache", Type: "number", Doc: "milliseconds", Default: "2000"},
	}, restClientFields...)}
	RESTTokenBody = RESTBody{Name: "TokenRequest", Fields: append([]RESTField{
		{Name: "session", Type: "string", Doc: "its id, or the URL a back end of 1.x knows it by"},
	}, restClientFields...)}
	RESTConnectionUpdateBody = RESTBody{Name: "ConnectionUpdate", Fields: []RESTField{
		{Name: "role", Type: "string", Enum: restRoles, Default: "unchanged"},
		{Name: "record", Type: "boolean", Default: "unchanged"},
	}}
	RESTSignalBody = RESTBody{Name: "SignalRequest", Fields: []RESTField{
		{Name: "session", Type: "string"},
		{Name: "to", Type: "array", Doc: "connection ids", Default: "everybody"},
		{Name: "type", Type: "string", Default: "none"},
		{Name: "data", Type: "string", Default: "none"},
	}}
	RESTSettingsBody = RESTBody{Name: "SettingsRequest", Free: true}
)

// restClientFields are those of a connection of a client, whoever asks for it.
var restClientFields = []RESTField{
	{Name: "data", Type: "string", Doc: "the server's data about the participant", Default: "empty"},
	{Name: "role", Type: "string", Enum: restRoles, Default: "`PUBLISHER`"},
	{Name: "kurentoOptions", Type: "object", Doc: "limits of video in kbit/s, as seen by the client; 0 is unbounded", Default: "the settings", Fields: []RESTField{
		{Name: "videoMaxRecvBandwidth", Type: "number", Default: "the setting"},
		{Name: "videoMinRecvBandwidth", Type: "number", Default: "the setting"},
		{Name: "videoMaxSendBandwidth", Type: "number", Default: "the setting"},
		{Name: "videoMinSendBandwidth", Type: "number", Default: "the setting"},
		{Name: "allowedFilters", Type: "array", Default: "none"},
	}},
	{Name: "customIceServers", Type: "array", Doc: "STUN and TURN servers", Default: "the setting, else the built-in TURN server", Fields: []RESTField{
		{Name: "url", Type: "string", Doc: "`stun:`, `stuns:`, `turn:` or `turns:`"},
		{Name: "username", Type: "string", Doc: "for TURN, with credential", Default: "none"},
		{Name: "credential", Type: "string", Default: "none"},
		{Name: "staticAuthSecret", Type: "string", Doc: "for TURN, instead of the two: they are made from it", Default: "none"},
	}},
}

var restRecordingFields = []RESTField{
	{Name: "name", Type: "string", Doc: "letters, digits, `_`, `-` and `~`, up to 256", Default: "the recording's id"},
	{Name: "hasAudio", Type: "boolean", Default: "true"},
	{Name: "hasVideo", Type: "boolean", Default: "true"},
	{Name: "outputMode", Type: "string", Enum: restOutputModes, Default: "`COMPOSED`"},
	{Name: "recordingLayout", Type: "string", Doc: "of composed recordings, as the next four", Enum: restLayouts, Default: "`BEST_FIT`"},
	{Name: "customLayout", Type: "string", Doc: "with layout `CUSTOM`", Default: "empty"},
	{Name: "resolution", Type: "string", Doc: "`WIDTHxHEIGHT`, each from 100 to 1999", Default: "`1280x720`"},
	{Name: "frameRate", Type: "number", Doc: "a fraction is dropped; from 1 to 120", Default: "25"},
	{Name: "shmSize", Type: "number", Doc: "bytes, from 128 MiB", Default: "512 MiB"},
	{Name: "ignoreFailedStreams", Type: "boolean", Doc: "of individual recordings", Default: "false"},
	{Name: "mediaNode", Doc: "a media node, as `{id}` or its id alone", Default: "that of the session"},
}
