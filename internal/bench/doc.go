// Package bench measures what a media server costs, and judges it: `tertulia bench`. Linux only.
//
// It owns the scenarios (forward, rooms, join, idle, latency), the budgets they are held against and the report. Servers run
// in processes of their own (target), clients are the light ones of load, CPUs and clocks are machine's. It must not import
// config or app: the server it measures is the program as users start it.
//
// Beside that, `bench join --session` adds bots to a session of a server that runs already (join.go): nothing is measured there.
//
// Start reading at [Command], then forward.go for a scenario, budget.go for what is promised, report.go for what is told.
package bench
