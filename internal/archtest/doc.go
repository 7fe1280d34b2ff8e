// Package archtest keeps the shape of the house by tests: which package may import which (design §3), where each third
// party lives, one package comment per package, sizes, names, and a few habits that a compiler does not see.
//
// It reads the sources with go/parser instead of asking "go list": files for other systems and build tags count too,
// and the test cache notices every file that was read. It imports nothing of ours.
//
// Start at floors_test.go, the import table. A rule that has to be broken is listed in exceptions_test.go with its
// reason; the list fails when an entry is no longer needed.
package archtest
