// Package receive takes one incoming media stream (an SSRC and its RTX twin) and feeds it to a media.Track.
//
// A [Receiver] owns the packets it cached, what it knows about loss, and what it still has to ask of the publisher:
// retransmissions, a key frame, a report. It belongs to one shard: no locks, goroutines, timers or clock reads, and no
// allocation per packet. Packets arrive decrypted; what goes back is left to the caller, who sends it
// ([Receiver.Feedback], [Receiver.Report]).
//
// It imports media and media/codec only. Start at [Receiver.RTP]; its stages stand in the order of media/doc.go.
package receive
