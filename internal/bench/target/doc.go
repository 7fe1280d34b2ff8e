// Package target runs the media servers that bench compares: Tertulia, LiveKit and Janus, each in a process of its own,
// spoken to in its own signalling protocol.
//
// It knows no media: the load generator hands it a [Transport] to negotiate. A server's process is one [process], a
// participant's websocket one [line]; a file per server says how it is configured, one more how its participants speak.
// It imports nothing of a server's own code, only wire/openvidu and api/jsonrpc for the shapes and framing of what travels.
// Start reading at [Server], then tertulia.go.
package target
