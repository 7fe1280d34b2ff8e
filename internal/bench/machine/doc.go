// Package machine is what bench asks of the computer it runs on: which CPUs a process may use, what a process has cost so
// far, and what the computer is called in a report.
//
// It reads /proc and the kernel's clocks of Linux and knows nothing of media or servers. Start reading at [Spent].
package machine
