// Package certs keeps this node's certificates in the data folder: the one of the front door (self-signed, or the
// owner's own) and the one DTLS shows to WebRTC peers.
//
// It owns their files and their renewal; who listens with them is not its business. It imports fault only.
// Start at [New] and [Store.TLSConfig].
package certs
