// Package storetest is the suite every session.Store passes: [Run] it against a new implementation and that is
// finished when it is green. It imports session and fault, and is for tests only. Start at [Run].
package storetest
