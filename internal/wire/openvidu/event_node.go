package openvidu

// Events that belong to no session: what OpenVidu Pro and Enterprise tell of their nodes.
type (
	// EventNode says which node.
	EventNode struct {
		ID            string  `json:"id"`
		EnvironmentID *string `json:"environmentId"`
		IP            string  `json:"ip"`
		URI           string  `json:"uri"`
	}
	// EventMediaNode is mediaNodeStatusChanged.
	EventMediaNode struct {
		Timestamp int64 `json:"timestamp"`
		EventNode
		ClusterID string  `json:"clusterId"`
		OldStatus *string `json:"oldStatus"` // null where a node begins
		NewStatus string  `json:"newStatus"`
	}
	// EventNodeLost is nodeCrashed.
	EventNodeLost struct {
		Timestamp int64 `json:"timestamp"`
		EventNode
		NodeRole            string   `json:"nodeRole"` // medianode, masternode
		SessionIDs          []string `json:"sessionIds"`
		RecordingIDs        []string `json:"recordingIds"`
		Broadcasts          []string `json:"broadcasts"`
		ClusterID           string   `json:"clusterId"`
		TimeOfDisconnection int64    `json:"timeOfDisconnection"` // Unix milliseconds
	}
	// EventNodeBack is nodeRecovered.
	EventNodeBack struct {
		Timestamp int64 `json:"timestamp"`
		EventNode
		NodeRole  string `json:"nodeRole"`
		ClusterID string `json:"clusterId"`
	}
	// EventHANode is HANodeRegistered and HANodeDeregistered; only the second has a reason.
	EventHANode struct {
		Timestamp int64  `json:"timestamp"`
		NodeID    string `json:"nodeId"`
		IP        string `json:"ip"`
		Reason    string `json:"reason,omitempty"`
	}
	// EventAutoscale is autoscaling. Loads are per cent.
	EventAutoscale struct {
		Timestamp  int64             `json:"timestamp"`
		ClusterID  string            `json:"clusterId"`
		Reason     string            `json:"reason"` // a sentence
		MediaNodes EventNodesChanged `json:"mediaNodes"`
		System     EventSystem       `json:"system"`
	}
	// EventNodesChanged is what is about to begin and to end.
	EventNodesChanged struct {
		Launch    EventLaunch    `json:"launch"`
		Terminate EventTerminate `json:"terminate"`
	}
	// EventLaunch counts new nodes and names those that stay after all.
	EventLaunch struct {
		Total                       int               `json:"total"`
		NewNodes                    int               `json:"newNodes"`
		WaitingIdleToTerminateNodes []EventNodeLoaded `json:"waitingIdleToTerminateNodes"`
		CanceledNodes               []EventNodeLoaded `json:"canceledNodes"`
	}
	// EventTerminate names the nodes that are to go.
	EventTerminate struct {
		Total          int               `json:"total"`
		RunningNodes   []EventNodeLoaded `json:"runningNodes"`
		LaunchingNodes []EventNodeLoaded `json:"launchingNodes"`
	}
	// EventNodeLoaded is a node and what it carries; nulls while it is launching.
	EventNodeLoaded struct {
		ID            string   `json:"id"`
		EnvironmentID *string  `json:"environmentId"`
		IP            *string  `json:"ip"`
		Load          *float64 `json:"load"`
		Status        string   `json:"status"`
	}
	// EventSystem is why.
	EventSystem struct {
		Config EventLimits  `json:"config"`
		Status EventCluster `json:"status"`
	}
	// EventLimits are the limits of the settings.
	EventLimits struct {
		MaxNodes   int     `json:"maxNodes"`
		MinNodes   int     `json:"minNodes"`
		MaxAvgLoad float64 `json:"maxAvgLoad"`
		MinAvgLoad float64 `json:"minAvgLoad"`
	}
	// EventCluster is the cluster when it was decided.
	EventCluster struct {
		NumNodes                    int               `json:"numNodes"`
		TotalLoad                   float64           `json:"totalLoad"`
		AvgLoad                     float64           `json:"avgLoad"`
		RunningNodes                []EventNodeLoaded `json:"runningNodes"`
		LaunchingNodes              []EventNodeLoaded `json:"launchingNodes"`
		WaitingIdleToTerminateNodes []EventNodeLoaded `json:"waitingIdleToTerminateNodes"`
		CanceledNodes               []EventNodeLoaded `json:"canceledNodes"`
	}
)
