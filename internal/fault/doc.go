// Package fault names what can go wrong, once, for every protocol.
//
// The core (session, pipeline, media) returns errors that carry a [Kind]; each edge (api/rest, api/signal)
// owns one table from kind to its own numbers, so that no business code mentions an HTTP status or an RPC code.
// It imports nothing of ours. Start at [Kind] and [New].
package fault
