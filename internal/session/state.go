package session

import (
	"time"

	"tertulia/internal/wire/mediactl"
)

// Role is what a connection may do (spec §1.2).
type Role string

const (
	Subscriber Role = "SUBSCRIBER"
	Publisher  Role = "PUBLISHER"
	Moderator  Role = "MODERATOR"
)

// State is everything the rules know of one session; its JSON is the stored record. Times are Unix milliseconds.
type State struct {
	ID         string     `json:"id"`
	CreatedAt  int64      `json:"createdAt"`
	Epoch      uint64     `json:"epoch"`             // of the owner that wrote the record
	Active     bool       `json:"active"`            // somebody has joined
	Closing    string     `json:"closing,omitempty"` // the reason, once the session is being closed
	Properties Properties `json:"properties"`
	// Ended: all that was told to have begun was told to have ended, this record only waits for its deletion.
	Ended bool `json:"ended,omitempty"`
	// Connections in order of creation, pending and active alike.
	Connections []*Connection `json:"connections"`
	// Serial numbers the requests to the media node; a result that names another number than the one awaited is void.
	Serial uint64 `json:"serial,omitempty"`
}

// Properties are what POST /sessions asked for, defaults filled in (rest §8.1).
type Properties struct {
	CustomSessionID  string              `json:"customSessionId"`
	MediaMode        string              `json:"mediaMode"`
	RecordingMode    string              `json:"recordingMode"`
	ForcedVideoCodec string              `json:"forcedVideoCodec"` // as requested: MEDIA_SERVER_PREFERRED, NONE, VP8, VP9, H264
	AllowTranscoding bool                `json:"allowTranscoding"`
	NoCodecPolicy    bool                `json:"noCodecPolicy,omitempty"` // created without a body: nothing is forced (rest §8.1 quirk)
	MediaNode        string              `json:"mediaNode,omitempty"`     // as requested; "": any
	DefaultRecording RecordingProperties `json:"defaultRecordingProperties"`
}

// RecordingProperties are the session's recording defaults, emitted as rest §4.7 says. They are only kept here.
type RecordingProperties struct {
	Name                string `json:"name"`
	HasAudio            bool   `json:"hasAudio"`
	HasVideo            bool   `json:"hasVideo"`
	OutputMode          string `json:"outputMode"`
	RecordingLayout     string `json:"recordingLayout,omitempty"`
	CustomLayout        string `json:"customLayout,omitempty"`
	Resolution          string `json:"resolution,omitempty"`
	FrameRate           int    `json:"frameRate,omitempty"`
	ShmSize             int64  `json:"shmSize,omitempty"`
	IgnoreFailedStreams bool   `json:"ignoreFailedStreams,omitempty"`
	MediaNode           string `json:"mediaNode,omitempty"`
}

// Connection is a participant, or the place kept for one (pending: its token is not spent yet).
type Connection struct {
	ID        string `json:"id"`    // con_…
	Token     string `json:"token"` // tok_…; kept after it was spent, "" for a join by secret
	CreatedAt int64  `json:"createdAt"`
	ActiveAt  int64  `json:"activeAt,omitempty"` // 0 while pending

	Role       Role            `json:"role"`
	TokenRole  Role            `json:"tokenRole,omitempty"` // role at creation: part of the token's URL, which never changes
	Record     bool            `json:"record"`
	ServerData string          `json:"serverData"`
	Kurento    *KurentoOptions `json:"kurentoOptions,omitempty"`
	ICEServers []ICEServer     `json:"customIceServers,omitempty"`

	// Of the client, once active.
	RPC         string `json:"rpc,omitempty"` // RPC session id, 26 characters
	ClientData  string `json:"clientData,omitempty"`
	Platform    string `json:"platform,omitempty"`
	SDKVersion  string `json:"sdkVersion,omitempty"` // "" below 2.21
	Address     string `json:"ip,omitempty"`
	Location    string `json:"location,omitempty"` // "City, Country"; "" if unknown
	Quality     *int   `json:"-"`                  // of its uplink, 0 to 5, once it was judged
	FinalUserID string `json:"finalUserId,omitempty"`
	Loopback    bool   `json:"loopback,omitempty"`   // its socket came over the loopback interface
	Host        string `json:"host,omitempty"`       // the "name:port" it reached us by
	Reached     string `json:"reached,omitempty"`    // the same if that is an address; "" if a name
	Insecure    bool   `json:"insecure,omitempty"`   // joined with the server's secret: passes every role check
	Recorder    bool   `json:"recorder,omitempty"`   // RECORDER or SPEECH_TO_TEXT: announced to nobody, not in REST
	CommonMsid  bool   `json:"commonMsid,omitempty"` // a client up to 2.4
	// SignalForm is how it writes types of signals, and wants them; "" until that is known.
	SignalForm   SignalForm `json:"signalForm,omitempty"`
	ServerOffers bool       `json:"serverOffers,omitempty"` // it was told mediaServer "mediasoup" (design decision 10)
	// Drops counts socket losses; a grace timer names the count it was armed for, so that a late one is void.
	Drops     int   `json:"drops,omitempty"`
	DroppedAt int64 `json:"droppedAt,omitempty"` // 0 while its socket is up

	Stream *Stream  `json:"stream,omitempty"`
	Missed []Missed `json:"missed,omitempty"` // only in the record that a process leaves when it ends
	// Subscriptions are not stored: after a restart clients negotiate them anew, and a session of 300 has 90,000.
	Subscriptions []*Subscription `json:"-"`

	// early holds candidates that came before the request that makes their endpoint, by connection id. Never stored.
	early map[string][]mediactl.Candidate
	// asked are the client's requests that the media node works on; who leaves is answered all of them. Never stored.
	asked []Origin
	// opened is when the socket that came back last was, since the process began. Never stored.
	opened time.Duration
}

// SignalForm tells clients up to 2.8, which write the type of a signal as it is, from newer ones, which put "signal:" before
// it (spec §5.7).
type SignalForm string

const (
	RawSignals      SignalForm = "raw"
	PrefixedSignals SignalForm = "prefixed"
)

// KurentoOptions bound one connection's bandwidth in kbit/s (rest §4.4); nil is unset, 0 unconstrained.
type KurentoOptions struct {
	VideoMaxRecvBandwidth *int     `json:"videoMaxRecvBandwidth,omitempty"`
	VideoMinRecvBandwidth *int     `json:"videoMinRecvBandwidth,omitempty"`
	VideoMaxSendBandwidth *int     `json:"videoMaxSendBandwidth,omitempty"`
	VideoMinSendBandwidth *int     `json:"videoMinSendBandwidth,omitempty"`
	AllowedFilters        []string `json:"allowedFilters,omitempty"`
}

// ICEServer is one STUN or TURN server a client is told of (rest §4.5).
type ICEServer struct {
	URL        string `json:"url"`
	Username   string `json:"username,omitempty"`
	Credential string `json:"credential,omitempty"`
}

// Stream is what a connection publishes (spec §5.2).
type Stream struct {
	ID        string      `json:"id"` // str_…
	CreatedAt int64       `json:"createdAt"`
	Phase     StreamPhase `json:"phase"`
	Media     StreamMedia `json:"media"`
	Loopback  bool        `json:"loopback,omitempty"`
	Serial    uint64      `json:"serial,omitempty"` // of the media request awaited; 0: none
}

// StreamPhase is where a stream is in its life:
//
//	publishing → published ⇄ lost      (each ends by unpublish, leave or eviction)
type StreamPhase string

const (
	Publishing StreamPhase = "publishing" // the media node is making the answer; nobody has been told yet
	Published  StreamPhase = "published"  // announced; media flows or will
	Lost       StreamPhase = "lost"       // announced, but its endpoint died with a process: waits for reconnectStream
)

// StreamMedia is what publishVideo said of the stream, kept current by streamPropertyChanged.
type StreamMedia struct {
	HasAudio    bool   `json:"hasAudio"`
	HasVideo    bool   `json:"hasVideo"`
	AudioActive bool   `json:"audioActive"`
	VideoActive bool   `json:"videoActive"`
	TypeOfVideo string `json:"typeOfVideo,omitempty"`     // CAMERA, SCREEN, CUSTOM; "" without video
	FrameRate   int    `json:"frameRate"`                 // -1 unknown
	Dimensions  string `json:"videoDimensions,omitempty"` // JSON text {"width":n,"height":n}
}

// Subscription is one stream sent to one connection.
type Subscription struct {
	Stream    string
	Publisher string // connection id
	CreatedAt int64  // when its endpoint was asked for first
	Since     int64  // the same, once it was told as subscribed; 0: not yet
	Phase     SubscriptionPhase
	Serial    uint64 // of the media request, or of the wait, in progress; 0: none

	// parked is the request that waits, in phase Waiting. Without one, its client has been refused; clients do not
	// ask twice, so we offer (ForcedOffer) when the stream is back.
	parked *parked
}

// SubscriptionPhase is where a subscription is:
//
//	waiting → negotiating → offered → flowing     (client offers: negotiating → flowing)
type SubscriptionPhase string

const (
	Waiting     SubscriptionPhase = "waiting"     // its stream is Publishing or Lost; asked of the node when it is up
	Negotiating SubscriptionPhase = "negotiating" // the media node is making the description
	Offered     SubscriptionPhase = "offered"     // we offered; the client's answer is awaited
	Flowing     SubscriptionPhase = "flowing"     // both descriptions are known
)
