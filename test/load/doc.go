// Package load runs bin/tertulia as a process of its own under many clients, and looks at what is left afterwards.
//
// It owns no code, only tests: a real server (server_test.go), participants with real media (participant_test.go), and
// what they show (leak_test.go, where to start). It imports testkit and nothing else of ours. How long it takes is said by
// LOAD_CYCLES and LOAD_IDLE; make test-long PART=load sets them.
package load
