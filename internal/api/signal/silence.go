package signal

import "time"

// chair names a seat whoever sits there.
type chair struct{ session, connection string }

func (s *Seat) chair() chair { return chair{s.Session, s.Connection} }

// seated notes whose socket c is; of two the later counts.
func (s *Server) seated(c *socket, seat *Seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.sockets[c]; open {
		s.seats[seat.chair()] = c
	}
}

// Silence returns how long a connection has said nothing on its websocket; -1 if it has none, or never said anything.
func (s *Server) Silence(session, connection string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.seats[chair{session, connection}]; c != nil {
		if at := c.heard.Load(); at != 0 {
			return time.Since(time.UnixMilli(at))
		}
	}
	return -1
}
