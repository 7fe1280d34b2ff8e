// Package natsd runs the NATS server that lives in this process: JetStream on a directory of ours, no listener, no
// signal handlers, reached through in-memory connections only (design decision 5).
//
// It owns the server's options and its life; what is stored in it belongs to cluster/kv. It imports nothing of ours.
// Start at [Server.Run] and [Server.Connect].
package natsd
