// Package certs keeps this node's certificates in the data folder: the one of the front door (self-signed, the owner's
// own, or from an ACME authority) and the one DTLS shows to WebRTC peers.
//
// It owns their files, their renewal, and what is said about them; who listens with them is not its business. It imports
// fault only. Start at [New], [Store.TLSConfig] and [Store.Run]; folder.go and chain.go read an owner's folder, acme.go
// asks an authority, also.go keeps a second name, status.go finds what browsers would refuse.
package certs
