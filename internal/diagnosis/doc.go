// Package diagnosis says why media does not flow.
//
// It begins with the catalogue (catalogue.go): every fault it can name, with the side that must act, the evidence it
// goes by and the remedy; docs/reference/diagnosis.md is made of it (reference.go).
//
// The [Journal] keeps a timeline per session, within limits: events of the session (tell.go), lines and statistics of the
// clients by the server's clock (clock.go, clue.go), without secrets (redact.go), and the records.
//
// The [Watch] (watch.go) is one goroutine. It learns of endpoints by events (call.go), reads the media node's facts of
// them, often where something is unwell (examine.go), puts them into a [View] per connection and asks [Detect]; it
// begins, continues and ends records by the answer. The detectors (detect_*.go) are pure functions; their order in
// detect.go says which cause explains which symptom. What shows only across clients is counted beside: timers that end
// sockets and NAT bindings (timers.go), ways by network (networks.go).
//
// Beside all that, [Quality] (quality.go) judges the uplink of one publisher from 0 to 5; app asks it.
//
// Severity follows what people notice: a dead candidate beside flowing media is nothing, and muted tracks are no fault.
//
// It imports event, wire/* and fault; never session, media, HTTP or Pion. Start at [Fault], [Watch.Run] and [Detect].
package diagnosis
