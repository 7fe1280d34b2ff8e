// Package socket is the network as the media shard sees it: batches of datagrams with both addresses.
//
// [Conn] is the whole of it; [Listen] makes the real UDP socket (dual stack, replies leave from the address the request
// came to), [Plain] wraps any net.PacketConn for tests and vnet. [Classify] tells by the first bytes what a datagram is;
// [Gatherer] lists the addresses of this machine worth offering as candidates.
//
// It imports x/net and x/sys, nothing of ours. Start reading at [Conn].
package socket
