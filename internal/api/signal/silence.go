package signal

import "time"

// Silence returns how long a connection has said nothing on its websocket; -1 if it has none, or never said anything.
// It looks through all sockets: it is for those few that something is wrong with.
func (s *Server) Silence(session, connection string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sockets {
		if seat := c.place(); seat != nil && seat.Session == session && seat.Connection == connection {
			if at := c.heard.Load(); at != 0 {
				return time.Since(time.UnixMilli(at))
			}
		}
	}
	return -1
}
