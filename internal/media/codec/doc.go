// Package codec reads what an RTP payload says about itself: whether a key frame begins in it, and where its picture
// numbers stand. It understands VP8 (RFC 7741), VP9 (RFC 9628), AV1 (AOMedia, "RTP Payload Format For AV1") and H264
// (RFC 6184), and decodes nothing. Payloads are foreign bytes: a short or senseless one is "no", never an error.
//
// It imports nothing of ours. Start at [Keyframe]; [ParsePicture] is for rewriting.
package codec
