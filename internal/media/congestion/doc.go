// Package congestion tells a publisher how its packets arrive: transport-wide feedback and REMB.
//
// It owns the arrival times of an endpoint's packets, and nothing else; it sends nothing and reads no clock. Recording
// allocates nothing, making feedback does (some ten times a second).
//
// It imports media only. Start at [Arrivals].
package congestion
