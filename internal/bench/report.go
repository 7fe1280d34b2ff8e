package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// The servers' names in samples and columns.
const (
	ours      = "tertulia"
	floorName = "floor"
)

// page collects text; what it writes to is looked at once, at the end.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// row writes the cells of a table. A bar in a cell would open another column.
func (p *page) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(cell, "|", "/")
	}
	p.line("| %s |", strings.Join(cells, " | "))
}

func (p *page) head(cells ...string) {
	p.row(cells...)
	p.line("|%s", strings.Repeat("---|", len(cells)))
}

// writeReport tells the results to a reader: report.md, and what `bench all` prints.
func writeReport(out io.Writer, r *Results) error {
	var p page
	p.line("# What Tertulia costs")
	p.line("")
	p.line("Written by `make bench`; [README.md](README.md) says how each figure is measured. Medians of %s, smallest and largest in brackets.",
		plural(r.Runs, "run"))
	if r.Quick {
		p.line("This was the quick version: short windows, so read it as a hint.")
	}
	if others := r.others(); others > mostOthers {
		p.line("")
		p.line("**The machine was not quiet:** other processes, or the hypervisor, used up to %.0f %% of the server's CPU during a window. Run it again.", 100*others)
	}
	p.line("")
	p.line("- Date: %s, took %s", r.Date.UTC().Format("2006-01-02 15:04 UTC"), r.Took.Round(time.Second))
	p.line("- Machine: %s, %d CPUs, %s GiB of memory", r.Machine.CPU, r.Machine.CPUs, number(math.Round(float64(r.Machine.Memory)/(1<<30))))
	p.line("- System: %s, %s, %s", r.Machine.System, r.Machine.Kernel, r.Machine.Go)
	for _, s := range r.Servers {
		if s.Absent != "" {
			p.line("- %s: not measured: %s", s.Name, s.Absent)
			continue
		}
		p.line("- %s: %s", s.Name, s.Version)
	}
	p.line("")
	budgetTable(&p, r)
	ratioTable(&p, r)
	otherTable(&p, r)
	r.Promises.write(&p)
	if len(r.Troubles) > 0 {
		p.line("")
		p.line("## What went wrong")
		p.line("")
		for _, trouble := range r.Troubles {
			p.line("- %s", trouble)
		}
	}
	_, err := io.WriteString(out, p.String())
	return err
}

func budgetTable(p *page, r *Results) {
	kept, measured := 0, 0
	for _, b := range Budgets {
		v := b.Judge(r.median(ours, b.Figure))
		kept, measured = kept+count(v.Holds), measured+count(v.Measured)
	}
	p.line("## Budgets: %d of %d hold, %d not measured", kept, len(Budgets), len(Budgets)-measured)
	p.line("")
	p.head("figure", "unit", "Tertulia", "budget", "verdict", "× floor", "LiveKit", "Janus", "floor")
	for _, b := range Budgets {
		p.row(b.What, b.Unit, r.spread(ours, b.Figure), b.limit(), b.Say(b.Judge(r.median(ours, b.Figure))),
			number(r.against(ours, floorName, b.Figure)), r.spread("livekit", b.Figure), r.spread("janus", b.Figure), r.spread(floorName, b.Figure))
	}
}

func ratioTable(p *page, r *Results) {
	p.line("")
	p.line("## Ratios inside one run")
	p.line("")
	p.line("CPU per forwarded packet of each against the floor (seal and send only), and of the peers against Tertulia.")
	p.line("")
	p.head("traffic", "Tertulia ÷ floor", "LiveKit ÷ floor", "Janus ÷ floor", "LiveKit ÷ Tertulia", "Janus ÷ Tertulia")
	for _, f := range traffic {
		p.row(trafficLabels[f], number(r.against(ours, floorName, f)), number(r.against("livekit", floorName, f)), number(r.against("janus", floorName, f)),
			number(r.against("livekit", ours, f)), number(r.against("janus", ours, f)))
	}
}

// otherTable tells the figures that no budget limits.
func otherTable(p *page, r *Results) {
	var others []Figure
	for _, s := range r.Samples {
		budgeted := slices.ContainsFunc(Budgets, func(b Budget) bool { return b.Figure == s.Figure })
		if !budgeted && !slices.Contains(others, s.Figure) {
			others = append(others, s.Figure)
		}
	}
	if len(others) == 0 {
		return
	}
	p.line("")
	p.line("## Beside the budgets")
	p.line("")
	p.head("figure", "Tertulia", "LiveKit", "Janus", "floor")
	for _, f := range others {
		p.row(string(f), r.spread(ours, f), r.spread("livekit", f), r.spread("janus", f), r.spread(floorName, f))
	}
}

// spread is the median of a figure and, of several runs, the range. A cost of packets says so when many others were lost: what
// a server drops is cheap.
func (r *Results) spread(server string, figure Figure) string {
	all := r.values(server, figure)
	if len(all) == 0 {
		return "–"
	}
	text := number(median(all))
	if len(all) > 1 {
		text += fmt.Sprintf(" [%s–%s]", number(slices.Min(all)), number(slices.Max(all)))
	}
	if lost := r.median(server, lossOf(figure)); lost > 0 {
		text += ", lost " + number(lost) + " %"
	}
	return text
}

// lossOf is the figure of what was lost while another was measured.
func lossOf(figure Figure) Figure { return figure + ", loss %" }

// othersOf is the figure of what other processes used while another was measured.
func othersOf(figure Figure) Figure { return figure + ", others % of the server's CPU" }

// others is the worst of them.
func (r *Results) others() float64 {
	worst := 0.0
	for _, s := range r.Samples {
		if strings.HasSuffix(string(s.Figure), string(othersOf(""))) {
			worst = max(worst, s.Value/100)
		}
	}
	return worst
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
