// Package netlab is a laboratory of networks: namespaces on switches, routers with every kind of NAT, firewalls,
// proxies and lossy lines, with bin/tertulia and real browsers inside. It owns no code, only tests and what they stand on,
// and imports nothing of ours: the program under test is a process.
//
// Every run has network, mount and process namespaces of its own (main_test.go): nothing outlives it, however it ends, and
// names and addresses need no suffix. That needs root. Run by name: go test ./test/netlab -run Symmetric.
//
// A topology reads like a sentence:
//
//	lab := newLab(t)
//	srv := lab.internet.router("gate", oneToOne).host("srv")
//	home := lab.internet.router("home", symmetric)
//	server := lab.serve(srv, settings{})
//	a, b := server.meet(guest{at: home.host("alice")}, guest{at: lab.internet.host("bob")})
//	home.firewall(noUDP)
//	lab.internet.over(line{delay: 50 * time.Millisecond, loss: 0.05}).host("carol")
//
// Start at lab_test.go (networks and nodes), then nat_test.go (kinds of NAT), firewall_test.go, line_test.go (delay, loss,
// rate, the largest packet), proxy_test.go and inspect_test.go (forwarders, a TLS-inspecting proxy, nginx), server_test.go
// and browser_test.go (a driver in node, test/lib/drive.js; docs/adr/0006). The tests that close promises are matrix_test.go,
// reach_test.go, oneport_test.go and container_test.go. Those that take long run with NETLAB_LONG=1.
package netlab
