package openvidu

// RESTSignalRequest is the body of POST /signal.
type RESTSignalRequest struct {
	Session    string
	To         []string // connection ids; empty: everybody
	Type, Data *string
}

// RESTTokenRequest is the body of POST /tokens (deprecated): a connection of a named session.
type RESTTokenRequest struct {
	Session    string
	Given      string // Session as it was written: its URL, by a back end of 1.x
	Connection RESTConnectionRequest
}

// RESTToken answers it.
type RESTToken struct {
	ID             string              `json:"id"` // the token, as below
	Token          string              `json:"token"`
	CreatedAt      int64               `json:"createdAt"`
	ConnectionID   string              `json:"connectionId"`
	Session        string              `json:"session"`
	Data           string              `json:"data"`
	Role           string              `json:"role"`
	KurentoOptions *RESTKurentoOptions `json:"kurentoOptions,omitempty"`
}

const restMaxTargets = 10_000

// ParseRESTSignal reads the body of POST /signal; the error is a *RESTFieldError.
func ParseRESTSignal(body []byte) (RESTSignalRequest, error) {
	o, _ := parseRESTBody(body)
	r := RESTSignalRequest{
		Session: o.sessionID(),
		To:      o.texts("to", restMaxTargets),
		Type:    o.textOrNil("type"),
		Data:    o.textOrNil("data"),
	}
	return r, o.err()
}

// ParseRESTToken reads the body of POST /tokens; the error is a *RESTFieldError.
func ParseRESTToken(body []byte) (RESTTokenRequest, error) {
	o, _ := parseRESTBody(body)
	r := RESTTokenRequest{Given: o.sessionID(), Connection: parseRESTConnection(o, RESTWebRTC)}
	r.Session, _ = ParseSession(r.Given)
	return r, o.err()
}

func (o *restObject) sessionID() string {
	id := o.textOrNil("session")
	if id == nil {
		o.fail("session", nil, "the id of a session")
		return ""
	}
	return *id
}
