package elastic

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// Event exports what has happened; told is the event as applications are told it, nil if they are not. Summaries follow
// the end of a session.
func (e *Exporter) Event(happened event.Event, told []byte) {
	t := e.target.Load()
	if t == nil || happened.Hidden {
		return
	}
	if told != nil {
		e.told(t, told)
	}
	unique := uniqueID(happened)
	switch b := happened.Body.(type) {
	case event.QualityChanged:
		e.add(openvidu.ElasticEvents, openvidu.ElasticQuality{
			ElasticHead: e.head(t, openvidu.ElasticNetworkQuality, happened.At),
			SessionID:   happened.Session, UniqueSessionID: unique, ConnectionID: happened.Connection, NewValue: b.New, OldValue: b.Old,
		})
	case event.Transport:
		e.add(openvidu.ElasticEvents, openvidu.ElasticTransport{
			ElasticHead: e.head(t, openvidu.ElasticKMS, happened.At),
			SessionID:   happened.Session, UniqueSessionID: unique, ConnectionID: happened.Connection, Endpoint: b.Endpoint,
			User: e.summaries.user(happened), Kind: "ConnectionStateChanged", State: strings.ToUpper(b.State), Reason: b.Reason,
		})
	}
	if summary := e.summaries.event(happened, told); summary != nil {
		e.summarize(t, happened.At, summary)
	}
}

// told exports an event as it is, with the fields every document has.
func (e *Exporter) told(t *target, text []byte) {
	head, err := json.Marshal(e.head(t, openvidu.ElasticCDR, 0)) // it has its own timestamp
	if err != nil || len(text) < 3 || text[0] != '{' {
		return
	}
	head[len(head)-1] = ','
	e.add(openvidu.ElasticEvents, json.RawMessage(append(head, text[1:]...)))
}

// summarize exports a summary and its parts.
func (e *Exporter) summarize(t *target, at int64, s *openvidu.ElasticSession) {
	put := func(kind string, part any) {
		e.add(openvidu.ElasticEvents, headed{e.head(t, kind, at), part})
	}
	for _, u := range s.Users.Content {
		for _, c := range u.Connections.Content {
			owner := openvidu.ElasticOwned{User: c.User, ConnectionID: c.ConnectionID}
			for _, p := range c.Publishers.Content {
				e.add(openvidu.ElasticEvents, owned{headed{e.head(t, openvidu.ElasticPublisherSummary, at), p}, owner})
			}
			for _, p := range c.Subscribers.Content {
				e.add(openvidu.ElasticEvents, owned{headed{e.head(t, openvidu.ElasticSubscriberSummary, at), p}, owner})
			}
			put(openvidu.ElasticConnectionSummary, c)
		}
		put(openvidu.ElasticUserSummary, u)
	}
	put(openvidu.ElasticSessionSummary, s)
}

// headed is an object with the fields every document has before its own; of two equal names the head's stands.
type headed struct {
	head openvidu.ElasticHead
	body any
}

// MarshalJSON implements json.Marshaler.
func (h headed) MarshalJSON() ([]byte, error) { return joined(h.body, h.head) }

// owned says whose it is.
type owned struct {
	headed
	owner openvidu.ElasticOwned
}

// MarshalJSON implements json.Marshaler.
func (o owned) MarshalJSON() ([]byte, error) { return joined(o.body, o.owner, o.head) }

// joined is one object of several; what is said last stands.
func joined(parts ...any) ([]byte, error) {
	all := map[string]json.RawMessage{}
	for _, part := range parts {
		text, err := json.Marshal(part)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, err
		}
	}
	return json.Marshal(all)
}

func uniqueID(e event.Event) string { return fmt.Sprintf("%s_%d", e.Session, e.Began) }

// Call names a session for metrics.
type Call struct {
	ID    string
	Began int64 // Unix milliseconds
}

func (c Call) unique() string { return fmt.Sprintf("%s_%d", c.ID, c.Began) }

// Track exports what flows in a track of a connection's endpoint.
func (e *Exporter) Track(at time.Time, call Call, user, connection, endpoint string, f mediactl.TrackFacts) {
	t := e.target.Load()
	if t == nil {
		return
	}
	doc := openvidu.ElasticStats{
		ElasticHead: e.head(t, openvidu.ElasticWebRTCStats, at.UnixMilli()),
		SessionID:   call.ID, UniqueSessionID: call.unique(), User: user, ConnectionID: connection, Endpoint: endpoint,
		MediaType: strings.ToUpper(f.Kind), Jitter: float64(f.Jitter) / 1000, PacketsLost: f.Lost, FractionLost: float64(f.Fraction) / 256,
		RTT: float64(f.RTT) / 1000, PLICount: f.Asked, NACKCount: f.NACKed,
	}
	if f.Sends {
		doc.BytesSent, doc.PacketsSent = f.Octets, f.Packets
	} else {
		doc.BytesReceived, doc.PacketsReceived = f.Octets, f.Packets
	}
	e.add(openvidu.ElasticEvents, doc)
}

// Session exports a session as it is now; Duration and the counts are filled in.
func (e *Exporter) Session(at time.Time, call Call, doc openvidu.ElasticSessionMetrics) {
	if t := e.target.Load(); t != nil {
		doc.ElasticBeat, doc.SessionID, doc.UniqueSessionID = e.beat(t, at), call.ID, call.unique()
		e.add(dated(openvidu.ElasticSessions, at), doc)
	}
}

// Server exports this process as it is now; all but the beat is filled in.
func (e *Exporter) Server(at time.Time, doc openvidu.ElasticServerMetrics) {
	if t := e.target.Load(); t != nil {
		doc.ElasticBeat = e.beat(t, at)
		e.add(dated(openvidu.ElasticServers, at), doc)
	}
}
