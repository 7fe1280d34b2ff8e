// Package node is one media node: it holds the pipelines of the sessions it carries and answers mediactl requests,
// from this process or another.
//
// It owns the map from session to pipeline and nothing below; it imports pipeline, wire/mediactl and fault, never
// session. Start at [Node].
package node
