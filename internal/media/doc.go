// Package media is the packet path's common ground: a packet, a track and who receives it.
//
// One shard (a goroutine of media/peer) owns every endpoint, track, receiver and forwarder of its own: nothing here
// locks, allocates per packet, starts goroutines or reads a clock. The stages of an RTP packet, with their files, are
// told below; see also media/receive and media/forward.
package media
