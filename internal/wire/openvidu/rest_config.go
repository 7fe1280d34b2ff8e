package openvidu

// RESTConfig answers GET /config, keys in the original's order.
type RESTConfig struct {
	Version          string `json:"VERSION"`
	Domain           string `json:"DOMAIN_OR_PUBLIC_IP"`
	HTTPSPort        int    `json:"HTTPS_PORT"`
	PublicURL        string `json:"OPENVIDU_PUBLICURL"` // without a slash at its end
	CDR              bool   `json:"OPENVIDU_CDR"`
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
	Webhook          bool   `json:"OPENVIDU_WEBHOOK"`
}

// RESTHealth answers GET /health: OpenVidu Pro's two keys, and ours.
type RESTHealth struct {
	Status                 string      `json:"status"` // UP, UNSTABLE or DOWN
	DisconnectedMediaNodes []string    `json:"disconnectedMediaNodes"`
	Checks                 []RESTCheck `json:"checks"`
}

// RESTCheck is one thing that must be right for the server to be of use.
type RESTCheck struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`             // false makes the health DOWN, or UNSTABLE
	Code string `json:"code,omitempty"` // what is to be known of it, such as MEDIA_UNPROVEN; may stand beside OK
	Text string `json:"text,omitempty"`
	Fix  string `json:"fix,omitempty"` // what to do about it
	// Bearable says that calls go on although it is not OK: the health is UNSTABLE then, and the server stays ready.
	Bearable bool `json:"-"`
}
