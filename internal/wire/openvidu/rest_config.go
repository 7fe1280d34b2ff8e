package openvidu

// RESTConfig answers GET /config, keys in the original's order. What is embedded is there only if it is on.
type RESTConfig struct {
	Version          string `json:"VERSION"`
	Domain           string `json:"DOMAIN_OR_PUBLIC_IP"`
	HTTPSPort        int    `json:"HTTPS_PORT"`
	PublicURL        string `json:"OPENVIDU_PUBLICURL"` // without a slash at its end
	CDR              bool   `json:"OPENVIDU_CDR"`
	CDRPath          string `json:"OPENVIDU_CDR_PATH,omitempty"`               // with CDR; ends in a slash
	MaxRecvBandwidth int    `json:"OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH"` // kbit/s, as the next three
	MinRecvBandwidth int    `json:"OPENVIDU_STREAMS_VIDEO_MIN_RECV_BANDWIDTH"`
	MaxSendBandwidth int    `json:"OPENVIDU_STREAMS_VIDEO_MAX_SEND_BANDWIDTH"`
	MinSendBandwidth int    `json:"OPENVIDU_STREAMS_VIDEO_MIN_SEND_BANDWIDTH"`
	ForcedVideoCodec string `json:"OPENVIDU_STREAMS_FORCED_VIDEO_CODEC"`
	AllowTranscoding bool   `json:"OPENVIDU_STREAMS_ALLOW_TRANSCODING"`
	Simulcast        bool   `json:"OPENVIDU_WEBRTC_SIMULCAST"`
	GarbageInterval  int    `json:"OPENVIDU_SESSIONS_GARBAGE_INTERVAL"` // seconds, as the next
	GarbageThreshold int    `json:"OPENVIDU_SESSIONS_GARBAGE_THRESHOLD"`
	Recording        bool   `json:"OPENVIDU_RECORDING"`
	*RESTRecordingConfig
	Webhook bool `json:"OPENVIDU_WEBHOOK"`
	*RESTWebhookConfig
	*RESTProConfig
}

// RESTRecordingConfig is there with OPENVIDU_RECORDING.
type RESTRecordingConfig struct {
	Version      string `json:"OPENVIDU_RECORDING_VERSION"`
	Path         string `json:"OPENVIDU_RECORDING_PATH"` // ends in a slash
	PublicAccess bool   `json:"OPENVIDU_RECORDING_PUBLIC_ACCESS"`
	Notification string `json:"OPENVIDU_RECORDING_NOTIFICATION"`
	CustomLayout string `json:"OPENVIDU_RECORDING_CUSTOM_LAYOUT"`    // a path, ends in a slash
	Autostop     int    `json:"OPENVIDU_RECORDING_AUTOSTOP_TIMEOUT"` // seconds
	ComposedURL  string `json:"OPENVIDU_RECORDING_COMPOSED_URL,omitempty"`
}

// RESTWebhookConfig is there with OPENVIDU_WEBHOOK.
type RESTWebhookConfig struct {
	Endpoint string   `json:"OPENVIDU_WEBHOOK_ENDPOINT"`
	Headers  []string `json:"OPENVIDU_WEBHOOK_HEADERS"` // "Name: value"
	Events   []string `json:"OPENVIDU_WEBHOOK_EVENTS"`
}

// RESTProConfig is what OpenVidu Pro adds (rest §11.5), as far as it says something of this server. Intervals are seconds.
type RESTProConfig struct {
	Edition                string `json:"OPENVIDU_EDITION"`
	ClusterID              string `json:"OPENVIDU_PRO_CLUSTER_ID,omitempty"`
	SessionInterval        int    `json:"OPENVIDU_PRO_STATS_SESSION_INTERVAL"`
	ServerInterval         int    `json:"OPENVIDU_PRO_STATS_SERVER_INTERVAL"`
	WebRTCInterval         int    `json:"OPENVIDU_PRO_STATS_WEBRTC_INTERVAL"`
	Elasticsearch          bool   `json:"OPENVIDU_PRO_ELASTICSEARCH"`
	ElasticsearchHost      string `json:"OPENVIDU_PRO_ELASTICSEARCH_HOST,omitempty"` // a URL without credentials, as the next
	Kibana                 bool   `json:"OPENVIDU_PRO_KIBANA"`
	KibanaHost             string `json:"OPENVIDU_PRO_KIBANA_HOST,omitempty"`
	NetworkQuality         bool   `json:"OPENVIDU_PRO_NETWORK_QUALITY"`
	NetworkQualityInterval int    `json:"OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL,omitempty"`
	SpeechToText           string `json:"OPENVIDU_PRO_SPEECH_TO_TEXT"`
	MediaServer            string `json:"OPENVIDU_ENTERPRISE_MEDIA_SERVER,omitempty"`
}

// RESTStatus answers GET /status; times are Unix milliseconds.
type RESTStatus struct {
	StartTime       int64 `json:"startTime"`
	RestartCounter  int   `json:"restartCounter"`  // how often settings were changed by POST /restart
	LastRestartTime int64 `json:"lastRestartTime"` // startTime if they never were
}

// ParseRESTSettings reads the body of POST /restart: settings by name. Numbers are json.Number; what is null is left out.
// The error is a *RESTFieldError.
func ParseRESTSettings(body []byte) (map[string]any, error) {
	o, _ := parseRESTBody(body)
	changes := map[string]any{}
	for name := range o.fields {
		if value := restField[restAny](o, name, "a value"); value != nil {
			changes[name] = value.value
		}
	}
	return changes, o.err()
}
