package session

import (
	"context"

	"tertulia/internal/wire/mediactl"
)

// Media is the media node that carries a session: node.Node in this process, a remote one by RPC. Every method may
// take as long as its context allows and may be called for different endpoints side by side; errors are fault.Errors
// of kinds SDPInvalid, CodecMismatch, MediaFailed, StreamNotFound (the source) or NoCapacity.
type Media interface {
	Publish(context.Context, mediactl.Publish) (mediactl.Description, error)
	Subscribe(context.Context, mediactl.Subscribe) (mediactl.Description, error)
	Answer(context.Context, mediactl.Answer) error
	Trickle(context.Context, mediactl.Trickle) error
	Release(context.Context, mediactl.Release) error
	Stats(ctx context.Context, session string) ([]mediactl.EndpointStats, error)
}

// Store keeps one record per session: the JSON of its State. A put replaces the latest; puts of one session come one
// after the other. The owner's memory is the truth; only Create is waited for.
type Store interface {
	// Create writes the first record; a taken id is fault.SessionExists.
	Create(ctx context.Context, id string, record []byte) error
	// Put replaces the record.
	Put(ctx context.Context, id string, record []byte) error
	// Delete removes it; an unknown id is no error.
	Delete(ctx context.Context, id string) error
	// Load calls visit for every record.
	Load(ctx context.Context, visit func(id string, record []byte) error) error
}

// Secrets makes the credentials a joining client is handed for our TURN server (spec §7).
type Secrets interface {
	// TURN returns the URLs and alphanumeric credentials for one connection of one session; nil if TURN is off. host is
	// the "name:port" the client reached us by, "" if unknown.
	TURN(session, connection, host string) []ICEServer
}
