// Package seal turns RTP and RTCP into SRTP and SRTCP (RFC 3711, RFC 7714), for the one who sends. Opening is left to
// pion/srtp, against which the tests compare every profile.
//
// A [Sealer] holds the session keys of one direction and nothing per SSRC: no map, no lock, no allocation per packet.
// It belongs to one goroutine. The payload may come from a buffer that others read: it is encrypted from there into the
// datagram, without a copy between.
//
// Both ciphers are lost when a nonce (SSRC, rollover, sequence number) is used again under the same keys for different
// bytes (RFC 3711 §9.1, RFC 7714 §8.1). A Sealer cannot see that, as it remembers nothing; its caller must see to it:
//
//   - one Sealer per pair of master key and salt, made anew only with new keys: media/peer, after each handshake;
//   - each SSRC of an endpoint has one writer, a forward.Forwarder or its RTX stream, whose numbers only grow; where
//     the publisher is replaced they go on;
//   - the rollover is the upper part of that same extended number, not guessed from the 16 bits;
//   - a packet sent again under its own number is the same bit by bit, header extensions and RTP padding included: the
//     stamps of media/forward/rtx.go; RTX instead gives it a number of its own.
//
// For SRTCP the Sealer guarantees it itself: one index for all SSRCs, never used twice.
//
// Files: derive.go makes session keys; gcm.go and cm.go are the ciphers, mac.go and ctr*.go what the second is made of.
// CTR has its own assembly on amd64, since crypto/cipher's fast one allocates for every packet.
//
// It imports nothing of ours. Start at [Sealer].
package seal
