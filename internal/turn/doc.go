// Package turn is the STUN and TURN server of a node, over TCP and TLS only (RFC 8656; design decision 7).
//
// A client behind a firewall that lets only TCP pass relays its media through us to ourselves: an allocation opens no
// socket, its relayed address exists only between this package and the media node ([Relay]), and no other peer can be
// reached. One connection carries one allocation, so its state lives and dies with the connection's goroutine.
//
// The server is our own, its messages are pion/stun's. pion/turn v5.1.0 is not used here, only in the tests, as the
// client: its stream framing spins a core for ever on 20 unauthenticated bytes (a STUN length of 0xFFEC), it answers
// wrong credentials with 400 and refused channels with 401, its permissions know no ports, and it does not wait for
// its goroutines.
//
// It imports fault; never media: the composition root joins the two. Start at [Server.ServeConn], which reads frames
// (frame.go), answers requests (conn.go, request.go), relays (allocation.go) and writes (outbox.go).
package turn
