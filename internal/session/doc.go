// Package session holds the rules of a conference: sessions, connections, tokens, publishers, subscribers, roles and
// recovery, for the OpenVidu protocol and REST alike.
//
// Rules are pure: [State.Do] turns (state, command) into (state, effects); it does no I/O, reads no clock and draws
// no random number (see [Env]). State is plain data, JSON as it stands in the store. One runner per session carries
// the effects out: those with a result (media, store) are started, never awaited; the result, or its deadline, comes
// back as a command. A rule that panics closes one session, not the node.
//
// Around the rules: [Registry] finds sessions and runs them; an outbox per connection numbers every notice and keeps it
// until acknowledged, so that a client may come back on another socket unseen; answers it keeps until they are read.
//
// publishVideo, from the socket to the SDP answer: [Attachment.Send] → inbox → runner.handle → [State.Do] → publish
// (publish.go) → [Ask] → lanes (lane.go) → [Media] → settled → publishSettled → [Reply] → outbox → [Attachment.Next].
//
// What happens is told to Config.Observe by the rule that decides it (happen.go), the rest by what passes (observe.go): the
// source of the timeline, of webhooks, CDR and metrics.
//
// It imports wire/mediactl, event and fault; never media, Pion, NATS or HTTP. What it needs of those it declares in
// ports.go. Read state.go, command.go, notice.go, effect.go, do.go; then join.go, publish.go, subscribe.go, leave.go,
// recover.go, lost.go; then runner.go and registry.go. The scripts in test/scenario show it at work; TestChurn plays random
// days and compares what events tell, what the state says and what clients were told.
package session
