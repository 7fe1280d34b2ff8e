package openvidu

// Names of indices in Elasticsearch (OpenVidu Pro 2.32, docs/openvidu-pro/monitoring-elastic-stack). The last four go on
// with the day, "session-metrics-2026.11.21".
const (
	ElasticEvents      = "openvidu"
	ElasticSessions    = "session-metrics-"
	ElasticServers     = "server-metrics-"
	ElasticLogs        = "openvidu-logs-"
	ElasticBrowserLogs = "openvidu-browser-logs-"
)

// ElasticDated are the indices of which there is one for each day.
var ElasticDated = []string{ElasticSessions, ElasticServers, ElasticLogs, ElasticBrowserLogs}

// Values of elastic_type, for documents in the index openvidu.
const (
	ElasticCDR               = "cdr" // an event as webhooks have it
	ElasticKMS               = "kms"
	ElasticWebRTCStats       = "webrtcStats"
	ElasticNetworkQuality    = "networkQualityStats"
	ElasticSessionSummary    = "sessionSummary"
	ElasticUserSummary       = "userSummary"
	ElasticConnectionSummary = "connectionSummary"
	ElasticPublisherSummary  = "publisherSummary"
	ElasticSubscriberSummary = "subscriberSummary"
)

type (
	// ElasticHead is what documents of the index openvidu begin with; those of type cdr have their own timestamp.
	ElasticHead struct {
		Type         string `json:"elastic_type"`
		Timestamp    int64  `json:"timestamp,omitempty"` // Unix milliseconds
		ClusterID    string `json:"cluster_id"`
		MasterNodeID string `json:"master_node_id"`
		MediaNodeID  string `json:"media_node_id,omitempty"`
	}
	// ElasticBeat is what metrics and log lines begin with.
	ElasticBeat struct {
		Timestamp    string `json:"@timestamp"` // RFC 3339 with milliseconds, UTC
		ClusterID    string `json:"cluster_id"`
		NodeRole     string `json:"node_role"` // "masternode"
		NodeID       string `json:"node_id"`
		MasterNodeID string `json:"master_node_id"`
	}
	// ElasticList is a list inside a summary.
	ElasticList[T any] struct {
		NumberOfElements int `json:"numberOfElements"`
		Content          []T `json:"content"`
	}

	// ElasticTransport is of type kms: a media transport is in another state.
	ElasticTransport struct {
		ElasticHead
		SessionID       string `json:"sessionId"`
		UniqueSessionID string `json:"uniqueSessionId"`
		User            string `json:"user,omitempty"`
		ConnectionID    string `json:"connectionId,omitempty"`
		Endpoint        string `json:"endpoint"`
		Kind            string `json:"type"` // "ConnectionStateChanged"
		State           string `json:"state"`
		Reason          string `json:"reason,omitempty"`
	}
	// ElasticQuality is of type networkQualityStats; values are 0 to 5.
	ElasticQuality struct {
		ElasticHead
		SessionID       string `json:"sessionId"`
		UniqueSessionID string `json:"uniqueSessionId"`
		ConnectionID    string `json:"connectionId"`
		NewValue        int    `json:"newValue"`
		OldValue        int    `json:"oldValue"`
	}
	// ElasticStats is of type webrtcStats: a track of an endpoint since it began. Bytes are of RTP payload.
	ElasticStats struct {
		ElasticHead
		SessionID       string  `json:"sessionId"`
		UniqueSessionID string  `json:"uniqueSessionId"`
		User            string  `json:"user,omitempty"`
		ConnectionID    string  `json:"connectionId"`
		Endpoint        string  `json:"endpoint"`
		MediaType       string  `json:"mediaType"` // "AUDIO", "VIDEO"
		Jitter          float64 `json:"jitter"`    // seconds
		BytesReceived   uint64  `json:"bytesReceived"`
		BytesSent       uint64  `json:"bytesSent"`
		PacketsReceived uint64  `json:"packetsReceived"`
		PacketsSent     uint64  `json:"packetsSent"`
		PacketsLost     int64   `json:"packetsLost"`
		FractionLost    float64 `json:"fractionLost"` // 0 to 1, of the latest report
		RTT             float64 `json:"rtt"`          // seconds; 0 unknown
		PLICount        uint64  `json:"pliCount"`
		NACKCount       uint64  `json:"nackCount"`
	}

	// ElasticSession is a sessionSummary.
	ElasticSession struct {
		CreatedAt       int64                       `json:"createdAt"`
		DestroyedAt     int64                       `json:"destroyedAt"`
		SessionID       string                      `json:"sessionId"`
		UniqueSessionID string                      `json:"uniqueSessionId"`
		CustomSessionID string                      `json:"customSessionId"`
		MediaMode       string                      `json:"mediaMode"`
		RecordingMode   string                      `json:"recordingMode"`
		Duration        int64                       `json:"duration"` // seconds
		Reason          string                      `json:"reason"`
		Users           ElasticList[ElasticUser]    `json:"users"`
		Recordings      ElasticList[map[string]any] `json:"recordings"`
	}
	// ElasticUser is a userSummary: the connections of one browser.
	ElasticUser struct {
		ID          string                         `json:"id"`
		Location    string                         `json:"location"`
		IP          string                         `json:"ip"`
		Platform    string                         `json:"platform"`
		Connections ElasticList[ElasticConnection] `json:"connections"`
	}
	// ElasticConnection is a connectionSummary.
	ElasticConnection struct {
		User         string                     `json:"user"`
		ConnectionID string                     `json:"connectionId"`
		CreatedAt    int64                      `json:"createdAt"`
		DestroyedAt  int64                      `json:"destroyedAt"`
		Duration     int64                      `json:"duration"`
		ClientData   string                     `json:"clientData"`
		ServerData   string                     `json:"serverData"`
		Reason       string                     `json:"reason"`
		Publishers   ElasticList[ElasticStream] `json:"publishers"`
		Subscribers  ElasticList[ElasticStream] `json:"subscribers"`
	}
	// ElasticStream is a publisherSummary or subscriberSummary.
	ElasticStream struct {
		EventHead
		*EventEnd
		StreamID      string `json:"streamId"`
		ReceivingFrom string `json:"receivingFrom,omitempty"`
		*EventVideo
		AudioEnabled bool `json:"audioEnabled"`
		VideoEnabled bool `json:"videoEnabled"`
	}
	// ElasticOwned names whose connection or stream a summary is that stands alone.
	ElasticOwned struct {
		User         string `json:"user"`
		ConnectionID string `json:"connectionId"`
	}

	// ElasticSessionMetrics is a document of session-metrics: a session as it is now.
	ElasticSessionMetrics struct {
		ElasticBeat
		SessionID       string `json:"sessionId"`
		UniqueSessionID string `json:"uniqueSessionId"`
		Duration        int64  `json:"duration"` // seconds so far
		Connections     int    `json:"connections"`
		Publishers      int    `json:"publishers"`
		Subscribers     int    `json:"subscribers"`
	}
	// ElasticServerMetrics is a document of server-metrics: this process, and the memory of its machine.
	ElasticServerMetrics struct {
		ElasticBeat
		CPU         float64 `json:"cpu"`         // percent of all processors, by this process
		Memory      uint64  `json:"memory"`      // bytes of this process
		MemoryTotal uint64  `json:"memoryTotal"` // of the machine; 0 unknown
		MemoryFree  uint64  `json:"memoryFree"`
		NetworkIn   uint64  `json:"networkIn"` // bytes of media since the start
		NetworkOut  uint64  `json:"networkOut"`
		Sessions    int     `json:"sessions"`
		Connections int     `json:"connections"`
		Publishers  int     `json:"publishers"`
		Subscribers int     `json:"subscribers"`
	}
	// ElasticLog is a line of the server's log, or of a client's, which has a session.
	ElasticLog struct {
		ElasticBeat
		Level     string            `json:"level"`
		Message   string            `json:"message"`
		Fields    map[string]string `json:"fields,omitempty"`
		SessionID string            `json:"sessionId,omitempty"`
		Client    string            `json:"connectionId,omitempty"`
	}
)
