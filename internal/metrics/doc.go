// Package metrics is the port for who watches the process: /metrics in Prometheus' text, the Go profiler at
// /debug/pprof/, and nothing else.
//
// It asks nobody who they are, so it is never mounted on the public port. It knows no other part of the node: app hands
// it a function that reads the numbers. It imports neither media nor session nor api. Start at [New] and [Sample].
package metrics
