// Package event is what happens in calls, as typed values: who joined, published, lost a socket, could not negotiate.
//
// It owns the types alone; whoever makes one fills in all of its fields, whoever takes one must not change it. Sinks
// (diagnosis, and later webhooks, CDR and exports) are given every event in the order of the session's decisions.
// It imports nothing of ours. Start at [Event].
package event
