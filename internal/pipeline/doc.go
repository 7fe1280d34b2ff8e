// Package pipeline is the media graph of one session: which endpoint publishes, and who is connected to it.
//
// The graph is control only: connecting attaches a forwarder to a track, and packets never visit graph objects
// (design decision 2). What a viewer may be sent bounds what its publisher may send (limit.go).
// It imports media/*, wire/mediactl and fault, and knows no session rules. Start at [Pipeline.Publish] and
// [Pipeline.Subscribe].
package pipeline
