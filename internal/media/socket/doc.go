// Package socket is the network as the media shard sees it: batches of datagrams with both addresses.
//
// [Conn] is the whole of it. [Listen] makes the real UDP socket (dual stack, replies leave from the address the request
// came to), [ListenShards] several on one port; [Plain] wraps any net.PacketConn for tests and vnet. [Classify] tells by
// the first bytes what a datagram is; [Gatherer] lists the addresses of this machine worth offering as candidates.
//
// On Linux udp_linux.go moves batches: receive_linux.go reads many datagrams, and trains of them (GRO), per system call
// and takes them apart; send_linux.go sends many, and runs of them (GSO), and says what becomes of those the kernel
// refuses; control_linux.go and address_linux.go are what both say to the kernel. Elsewhere, and where the kernel forbids
// batches, single.go moves one datagram at a time. run.go takes runs apart.
//
// It imports x/sys, nothing of ours. Start reading at [Conn].
package socket
