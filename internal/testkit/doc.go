// Package testkit is what tests of several packages share: a Pion client that publishes picture-shaped and sound-shaped
// packets and counts what it receives, a certificate, a running shard, and an nginx to stand in front.
//
// Only external _test packages import it; it imports wire/*, api/jsonrpc and media/* at most. Start at [NewClient] and [Shard].
package testkit
