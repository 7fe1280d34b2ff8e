// Package turn is the STUN and TURN server of a node (RFC 8656; design decision 7): over TCP and TLS on the one port, over
// UDP and TCP on a port of its own if there is one.
//
// A client behind a firewall that lets only TCP pass relays its media through us to ourselves: an allocation opens no
// socket, its relayed address exists only between this package and the media node ([Relay]), and no other peer can be
// reached. One connection carries one allocation, so its state lives and dies with the connection's goroutine. Over UDP a
// 5-tuple is a connection; until it has an allocation nothing of it is kept (a nonce proves itself), and what it is
// answered is little (datagram.go, meter.go).
//
// The server is our own, its messages are pion/stun's. pion/turn v5.1.0 is not used here, only in the tests, as the
// client: its stream framing spins a core for ever on 20 unauthenticated bytes (a STUN length of 0xFFEC), it answers
// wrong credentials with 400 and refused channels with 401, its permissions know no ports, and it does not wait for
// its goroutines.
//
// It imports fault and media/socket; never media: the composition root joins the two. Start at [Server.ServeConn], which
// reads frames (frame.go), answers requests (conn.go, request.go), relays (allocation.go) and writes (outbox.go);
// [Server.ServeUDP] is the same for datagrams (datagram.go, batch.go), [Server.ServeListener] accepts on a TCP port.
package turn
