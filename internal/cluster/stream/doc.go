// Package stream is a numbered log on the disk: records get 1, 2, 3 … in the order they were given, the oldest are
// forgotten when there are too many, and readers find their place again after a restart.
//
// It owns the JetStream stream of events and the places of its readers. Giving a record waits for nobody: one goroutine
// writes what is given (docs/adr/0008-events-are-a-stream.md). It imports fault and NATS, and nothing else of ours; what
// the records say is their owner's. Start at [Open], [Stream.Append] and [Reader.Next].
package stream
