// Package target runs the media servers that bench compares: Tertulia, LiveKit and Janus, each in a process of its own,
// spoken to in its own signalling protocol.
//
// It knows no media: the load generator hands it a [Transport] to negotiate. Start reading at [Server].
package target
