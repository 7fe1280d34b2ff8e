// Package elastic exports what happens to Elasticsearch, by the index names of OpenVidu Pro.
//
// It owns the queue in memory, its delivery by the bulk API, the summaries of sessions and the deletion of what is old;
// the shapes are wire/openvidu's. It is lossy: nothing waits for it, and what is not taken in time is dropped and counted.
// It imports event, wire/openvidu and fault. Start at [Exporter.Event] and [Exporter.Run].
package elastic
