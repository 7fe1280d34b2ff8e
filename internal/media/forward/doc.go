// Package forward takes a media.Track to one viewer.
//
// A [Forwarder] is a media.Sink. It decides when the viewer's stream starts (video: at a key frame), keeps the viewer's
// sequence numbers, timestamps and picture ids growing while the publisher's come, go and begin anew, writes a fresh
// RTP header with the extensions this viewer negotiated, and answers the viewer's NACKs out of the receiver's cache.
// The viewer's numbers are the publisher's plus an offset: what is lost on the way in stays a gap on the way out, and
// any number can be traced back, so nothing is remembered per packet, but for what a viewer without RTX may want again.
//
// It belongs to one shard: no locks, goroutines, timers or clock reads, and no allocation per packet. It never sees
// keys: it writes headers where packets will be sent from, and [Out] seals the payload behind them.
//
// It imports media and media/codec only. Start at [Forwarder.Forward]; its stages stand in the order of media/doc.go.
package forward
