package target

import (
	"context"
	"net/netip"
)

// Transport is one WebRTC transport of the load generator, as far as signalling moves it. It either offers or answers.
type Transport interface {
	// Offer returns a complete offer: to publish a track of audio and video, or to receive one.
	Offer() (string, error)
	// Accept takes the answer; the transport connects by itself from then on.
	Accept(answer string) error
	// Answer takes the server's complete offer and connects from then on.
	Answer(offer string) (string, error)
}

// Server is a media server in a process of its own.
type Server interface {
	Name() string
	Version() string
	// Start runs the server on these CPUs only, in an own folder, and returns when clients can join.
	Start(ctx context.Context, cpus []int) error
	// PID is the process that does the work.
	PID() int
	// Stop ends the process and removes what it wrote.
	Stop() error
	// Join makes a participant with a signalling connection of its own.
	Join(ctx context.Context, room, name string) (Participant, error)
}

// Participant is one signalling connection in a room.
type Participant interface {
	Publish(ctx context.Context, t Transport) error
	// Subscribe gets what another participant of the same room publishes.
	Subscribe(ctx context.Context, from Participant, t Transport) error
	// Leave ends the connection.
	Leave() error
}

// ClientAddress is the address that the media of a started server's clients must have: 127.0.0.1 of all but Janus's, which
// does not take media on loopback interfaces.
func ClientAddress(s Server) netip.Addr {
	if j, ok := s.(*janus); ok {
		return j.address
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}
