package openvidu

import "regexp"

// RESTConnection is a connection in an answer; every key is always there. A pending one (its token is not spent) has
// null in all pointers and slices but Token, Role and CustomICEServers.
type RESTConnection struct {
	ID                      string              `json:"id"`
	ConnectionID            string              `json:"connectionId"`
	Object                  string              `json:"object"` // "connection"
	Status                  string              `json:"status"` // RESTPending or RESTActive
	SessionID               string              `json:"sessionId"`
	CreatedAt               int64               `json:"createdAt"`
	ActiveAt                *int64              `json:"activeAt"`
	Location                *string             `json:"location"`
	IP                      *string             `json:"ip"`
	Platform                *string             `json:"platform"`
	Token                   *string             `json:"token"` // the whole URL; null for a join by secret, and to who may only look
	Type                    string              `json:"type"`
	Record                  bool                `json:"record"`
	Role                    *string             `json:"role"`
	KurentoOptions          *RESTKurentoOptions `json:"kurentoOptions"`
	CustomICEServers        []RESTICEServer     `json:"customIceServers"`
	RTSPURI                 *string             `json:"rtspUri"` // this and the next three: IP cameras
	AdaptativeBitrate       *bool               `json:"adaptativeBitrate"`
	OnlyPlayWithSubscribers *bool               `json:"onlyPlayWithSubscribers"`
	NetworkCache            *int                `json:"networkCache"`
	ServerData              string              `json:"serverData"`
	ClientData              *string             `json:"clientData"`
	Publishers              []RESTPublisher     `json:"publishers"`
	Subscribers             []RESTSubscriber    `json:"subscribers"`
}

// RESTKurentoOptions bound a connection's video in kbit/s: Recv is what the client receives, Send what it sends; nil
// is not set, 0 unbounded.
type RESTKurentoOptions struct {
	VideoMaxRecvBandwidth *int     `json:"videoMaxRecvBandwidth,omitempty"`
	VideoMinRecvBandwidth *int     `json:"videoMinRecvBandwidth,omitempty"`
	VideoMaxSendBandwidth *int     `json:"videoMaxSendBandwidth,omitempty"`
	VideoMinSendBandwidth *int     `json:"videoMinSendBandwidth,omitempty"`
	AllowedFilters        []string `json:"allowedFilters,omitempty"`
}

// RESTConnectionRequest is the body of POST /sessions/{s}/connection.
type RESTConnectionRequest struct {
	Type       string // RESTWebRTC or RESTIPCamera
	Untyped    bool   // it has an rtspUri and no type: an IP camera of 2.12 to 2.15, which know nothing else here
	Role       string
	Record     bool
	Data       string
	Kurento    *RESTKurentoOptions
	ICEServers []RESTICEServer // nil: the configured ones
}

// RESTConnectionUpdate is the body of PATCH …/connection/{c}; nil leaves a property as it is.
type RESTConnectionUpdate struct {
	Role   *string
	Record *bool
}

const (
	restMaxFilters = 100
	restMaxKbps    = 1_000_000
)

// ParseRESTConnection reads the body of POST /sessions/{s}/connection; the error is a *RESTFieldError.
func ParseRESTConnection(body []byte) (RESTConnectionRequest, error) {
	o, _ := parseRESTBody(body)
	r := parseRESTConnection(o, o.oneOf("type", RESTWebRTC, restConnectionTypes))
	_, typed := o.raw("type")
	_, camera := o.raw("rtspUri")
	r.Untyped = camera && !typed
	return r, o.err()
}

func parseRESTConnection(o *restObject, kind string) RESTConnectionRequest {
	r := RESTConnectionRequest{
		Type:   kind,
		Data:   o.text("data", ""),
		Record: o.flag("record", true),
	}
	if r.Type == RESTIPCamera { // fields of the other type are ignored
		checkRESTCamera(o)
		return r
	}
	r.Role = o.oneOf("role", "PUBLISHER", restRoles)
	r.ICEServers = parseRESTICEServers(o, "customIceServers")
	if k := o.object("kurentoOptions"); k != nil {
		r.Kurento = &RESTKurentoOptions{
			VideoMaxRecvBandwidth: k.kbpsOrNil("videoMaxRecvBandwidth"),
			VideoMinRecvBandwidth: k.kbpsOrNil("videoMinRecvBandwidth"),
			VideoMaxSendBandwidth: k.kbpsOrNil("videoMaxSendBandwidth"),
			VideoMinSendBandwidth: k.kbpsOrNil("videoMinSendBandwidth"),
			AllowedFilters:        k.texts("allowedFilters", restMaxFilters),
		}
	}
	return r
}

var restCameraURI = regexp.MustCompile(`^(file|rtsp|rtsps|http|https)://.`)

// checkRESTCamera checks the fields of an IP camera (rest §8.4).
func checkRESTCamera(o *restObject) {
	uri := o.textOrNil("rtspUri")
	if uri == nil || !restCameraURI.MatchString(*uri) {
		o.fail("rtspUri", nil, "a URL that starts with rtsp://, rtsps://, http://, https:// or file://") // it may hold a password
	}
	o.flag("adaptativeBitrate", true)
	o.flag("onlyPlayWithSubscribers", true)
	o.number("networkCache", 2000, 0, 3_600_000)
}

// ParseRESTConnectionUpdate reads the body of PATCH …/connection/{c}; the error is a *RESTFieldError.
func ParseRESTConnectionUpdate(body []byte) (RESTConnectionUpdate, error) {
	o, _ := parseRESTBody(body)
	u := RESTConnectionUpdate{Role: o.oneOfOrNil("role", restRoles), Record: o.flagOrNil("record")}
	return u, o.err()
}
