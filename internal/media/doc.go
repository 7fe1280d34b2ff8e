// Package media is the packet path's common ground: a packet, a track and who receives it.
//
// One shard (a goroutine of media/peer) owns every endpoint, track, receiver and forwarder of its own: nothing here
// locks, allocates per packet, starts goroutines or reads a clock; the time is handed in, read once per batch.
//
// # The stages of an RTP packet
//
// Packet by packet, for all datagrams that are there (peer/loop.go):
//
//	read      media/socket    a batch of datagrams from the shard's UDP socket; first byte: STUN, DTLS or SRTP
//	open      media/peer      rtp.go: which endpoint, SRTP open, which receiver (SSRC, else MID); transport-wide
//	                          arrival noted in media/congestion/arrivals.go
//	receive   media/receive   receiver.go: header parsed in place (media/header.go), RTX unwrapped;
//	                          sequence.go: sequence extended, late and restarted streams told apart;
//	                          cache.go: copied, duplicates dropped; losses.go: what to ask for again;
//	                          media/codec/keyframe.go: does a key frame begin here?
//	publish   media           burst.go: Track.Publish, into the track's burst; the track joins the shard's Turn
//
// Then, when the socket has no more, track by track (audio first) and viewer by viewer, so that a viewer's keys and
// counters are fetched once and a frame's packets to it stand one behind the other:
//
//	level     media           burst.go: packets of a frame that differ by a byte are padded to one size
//	forward   media/forward   forwarder.go: taken or dropped; splice.go: sequence and timestamp of this viewer;
//	                          header.go: a fresh header with this viewer's extensions, written where it will be sent from;
//	                          picture.go: picture ids, after a change of source (the one case in which a payload is copied)
//	seal      media/seal      SRTP from the receive cache into the send buffer behind the header, in one pass
//	send      media/peer      outbox.go: equal sizes to one viewer become a run; media/socket: one sendmmsg for the batch,
//	                          each run one UDP GSO message
//
// Back from a viewer: NACK → media/forward/rtx.go; PLI and FIR → Forwarder.KeyframeRequested → receive/keyframe.go;
// receiver reports → Forwarder.ReceiverReport. Back to the publisher: receive/feedback.go (NACK, PLI, FIR),
// receive/report.go (receiver report), congestion (transport-cc, REMB).
//
// The package imports fault only. Start at [Track], then [ParseHeader].
package media
