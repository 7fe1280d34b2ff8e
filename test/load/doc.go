// Package load runs bin/tertulia as a process of its own under many clients, and looks at what is left afterwards, and at
// what it says of them.
//
// It owns no code, only tests: a real server (server_test.go), participants with real media (participant_test.go,
// guest_test.go), and what they show: leaks (leak_test.go, where to start) and alarms (alarm_test.go). It imports testkit
// and nothing else of ours. How long it takes is said by LOAD_CYCLES, LOAD_IDLE and FOR_06_JOINS; make test-long PART=load
// sets them.
package load
