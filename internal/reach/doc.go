// Package reach finds out whether clients can reach this machine, and how: which public address is ours, which transports
// have been seen from outside, whether TURN relays, whether the certificate is good.
//
// [Watch] is the long-lived part. It asks the cloud (metadata.go) and STUN servers (stun.go), compares their answers (find.go) with
// what is configured (judge.go, which is pure) and keeps the [Finding]; it tries our own transports and TURN every few
// seconds and sums up everything in five live checks (check.go). [ProbeTURN] tries one TURN server and names what is wrong
// with it (probe.go; client.go is its client); [Rules] are firewall rules ready to paste.
//
// The TURN client is our own, small and without goroutines: pion/turn's spins a core for ever on 20 bytes of a hostile
// stream (see turn/doc.go), and does not tell one refusal from another.
//
// It imports fault and pion/stun; the composition root gives it everything of the node. Start at [Watch.Run].
package reach
