// Package openvidu is what travels between OpenVidu 2 clients and the server, as data.
//
// The signalling half ("the protocol" in spec/openvidu-signaling.md) is four tables: [Methods] (requests, their
// parameters and results), [Notifications], [Codes] (errors), and the token URL ([ParseToken]). The struct tags of
// parameters say name, meaning, first release and necessity; [Decode] follows them, and so do the reference page and
// the tests. The REST half is in the files rest*.go. Shapes are the original's, field for field; where generations of
// clients differ, what is sent is the superset that all of them read.
//
// It imports nothing of ours. Start at method.go and notification.go for signalling, rest.go for REST.
package openvidu
