package openvidu

// Shapes of the OpenVidu 2 REST API, as openvidu-server 2.32.1 reads and writes them (SessionRestController.java,
// and the Java client's classes, with which the server parses bodies). rest*.go hold nothing else. In requests a null
// is the same as an absent field and unknown fields are ignored; answers carry explicit nulls where a struct says so,
// because the Java client fails on missing keys.

// RESTVersion is the OpenVidu release whose API this is.
const RESTVersion = "2.32.1"

// RESTList is a collection in an answer; Content is never nil.
type RESTList[T any] struct {
	NumberOfElements int `json:"numberOfElements"`
	Content          []T `json:"content"`
}

// NewRESTList wraps the elements, of which there may be none.
func NewRESTList[T any](content []T) RESTList[T] {
	if content == nil {
		content = []T{}
	}
	return RESTList[T]{len(content), content}
}

// RESTError is the body of a refusal that has one.
type RESTError struct {
	Timestamp int64  `json:"timestamp"` // Unix milliseconds
	Status    int    `json:"status"`
	Error     string `json:"error"` // reason phrase of the status
	Message   string `json:"message"`
	Path      string `json:"path"`
}

// Values of enumerations, exact in case.
const (
	RESTWebRTC   = "WEBRTC"
	RESTIPCamera = "IPCAM"

	RESTPending = "pending"
	RESTActive  = "active"

	RESTMediaServerPreferred = "MEDIA_SERVER_PREFERRED"
)

var (
	restMediaModes      = []string{"ROUTED", "RELAYED"}
	restRecordingModes  = []string{"MANUAL", "ALWAYS"}
	restVideoCodecs     = []string{RESTMediaServerPreferred, "NONE", "VP8", "VP9", "H264"}
	restConnectionTypes = []string{RESTWebRTC, RESTIPCamera}
	restRoles           = []string{"SUBSCRIBER", "PUBLISHER", "MODERATOR"}
	restOutputModes     = []string{"COMPOSED", "COMPOSED_QUICK_START", "INDIVIDUAL"}
	restLayouts         = []string{"BEST_FIT", "PICTURE_IN_PICTURE", "VERTICAL_PRESENTATION", "HORIZONTAL_PRESENTATION", "CUSTOM"}
)
