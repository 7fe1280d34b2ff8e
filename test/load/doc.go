// Package load runs bin/tertulia as a process of its own under many clients, and looks at what is left afterwards, and at
// what it says of them.
//
// It owns no code, only tests: a real server (server_test.go) and pages that signal (page_test.go). Some have real media
// (participant_test.go, guest_test.go) and show leaks (leak_test.go, where to start) and alarms (alarm_test.go). The others
// are many: a thousand sessions at once (thousand_test.go), joins by the second (join_test.go), sessions one after the
// other and what the store keeps of them (growth_test.go), and random histories (churn_test.go: what actors do is in
// actor_test.go, what events, REST and metrics must agree on in books_test.go). It imports testkit and nothing else of
// ours. How long it takes is said by LOAD_… and FOR_06_JOINS; make test-long PART=load sets them.
package load
