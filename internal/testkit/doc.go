// Package testkit is what tests of several packages share: a Pion client that publishes picture-shaped and sound-shaped
// packets and counts what it receives, a certificate, a running shard, a network in memory, an nginx to stand in front,
// and what tells which sockets and goroutines a test has left open.
//
// Only tests import it, those of packages that it needs itself as external _test packages; it imports wire/*,
// api/jsonrpc and media/* at most. Start at [NewClient] and [Shard].
package testkit
