// Package mediactl is what travels between a session's owner and the media node that carries it, as data.
//
// In one process it is a Go call on node.Node, in a cluster a NATS request with the same shapes (every type is plain
// JSON). It imports nothing of ours. Start at [Publish] and [Subscribe], the two halves of a call.
package mediactl
