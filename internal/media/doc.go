// Package media is the packet path's common ground: a packet, a track and who receives it.
//
// One shard (a goroutine of media/peer) owns every endpoint, track, receiver and forwarder of its own: nothing here
// locks, allocates per packet, starts goroutines or reads a clock; the time is handed in, read once per batch.
//
// # The stages of an RTP packet
//
//	read      media/socket    a batch of datagrams from the one UDP port, first byte: STUN, DTLS or SRTP
//	open      media/peer      which endpoint, SRTP open, which receiver (SSRC, else MID); transport-wide arrival
//	                          noted in media/congestion/arrivals.go
//	receive   media/receive   receiver.go: header parsed in place (media/header.go), RTX unwrapped;
//	                          sequence.go: sequence extended, late and restarted streams told apart;
//	                          cache.go: copied, duplicates dropped; losses.go: what to ask for again;
//	                          media/codec/keyframe.go: does a key frame begin here?
//	publish   media           track.go: Track.Publish, to every sink
//	forward   media/forward   forwarder.go: taken or dropped; splice.go: sequence and timestamp of this viewer;
//	                          header.go: a fresh header with this viewer's extensions;
//	                          picture.go: picture ids, after a change of source
//	send      media/peer      SRTP seal into a batch; media/socket: one write for the batch
//
// Back from a viewer: NACK → media/forward/rtx.go; PLI and FIR → Forwarder.KeyframeRequested → receive/keyframe.go;
// receiver reports → Forwarder.ReceiverReport. Back to the publisher: receive/feedback.go (NACK, PLI, FIR),
// receive/report.go (receiver report), congestion (transport-cc, REMB).
//
// The package imports fault only. Start at [Track], then [ParseHeader].
package media
