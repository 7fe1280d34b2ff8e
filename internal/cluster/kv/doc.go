// Package kv keeps records in JetStream key-value buckets: one bucket per kind of record, the latest value only.
//
// [Bucket] happens to have the methods of session.Store; this package does not know it. It owns bucket settings, the
// encoding of ids into keys and the time limits; it imports fault and NATS, and nothing else of ours.
// Start at [Open].
package kv
