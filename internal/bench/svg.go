package bench

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// The plot: bars above, the line below, in user units of the picture.
const (
	plotWidth, plotHeight = 760, 620
	plotLeft, plotRight   = 60, 740
	barTop, barBottom     = 60, 270
	lineTop, lineBottom   = 350, 560
)

// colours tell the servers apart, without red beside green.
var colours = map[string]string{floorName: "#999999", ours: "#0072b2", "livekit": "#e69f00", "janus": "#cc79a7"}

var trafficLabels = map[Figure]string{
	"forward-burst-gcm": "1 → 200, burst, GCM", "forward-even-gcm": "1 → 200, even, GCM",
	"rooms-tiles-gcm": "20 × 10, tiles, GCM", "forward-burst-cm": "1 → 200, burst, CM",
}

// writeSVG draws the cost of a packet: bars by server and shape, and the line over the number of viewers.
func writeSVG(out io.Writer, r *Results) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", plotWidth, plotHeight)
	drawBars(&b, r)
	drawLines(&b, r)
	b.WriteString("</svg>\n")
	_, err := io.WriteString(out, b.String())
	return err
}

func drawBars(b *strings.Builder, r *Results) {
	text(b, plotLeft, 24, "start", "µs of CPU per forwarded packet (medians; less is better)")
	names := servers(r)
	for i, name := range names {
		x := plotLeft + float64(i)*110
		fmt.Fprintf(b, `<rect x="%.1f" y="34" width="10" height="10" fill="%s"/>`+"\n", x, colours[name])
		text(b, x+14, 43, "start", name)
	}
	high := 1.0
	for _, f := range traffic {
		for _, name := range names {
			high = max(high, zeroIfNone(r.median(name, f)))
		}
	}
	scale := axis(b, high, barTop, barBottom)
	group := float64(plotRight-plotLeft) / float64(len(traffic))
	for i, f := range traffic {
		left := plotLeft + float64(i)*group
		text(b, left+group/2, barBottom+18, "middle", trafficLabels[f])
		width := (group - 24) / float64(max(len(names), 1))
		for j, name := range names {
			value := r.median(name, f)
			if math.IsNaN(value) {
				continue
			}
			x, y := left+12+float64(j)*width, barBottom-value*scale
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, width-3, value*scale, colours[name])
			text(b, x+(width-3)/2, y-4, "middle", number(value))
		}
	}
}

func drawLines(b *strings.Builder, r *Results) {
	text(b, plotLeft, lineTop-20, "start", "µs of CPU per forwarded packet by viewers of 2 Mbit/s, 200 to a publisher (hollow: not sustained)")
	points := r.curve()
	high, far := 1.0, 1.0
	for _, p := range points {
		high, far = max(high, p.Micros), max(far, float64(p.Viewers))
	}
	scale := axis(b, high, lineTop, lineBottom)
	across := float64(plotRight-plotLeft) / far
	for _, name := range servers(r) {
		var path []string
		for _, p := range points {
			if p.Server != name {
				continue
			}
			x, y := plotLeft+float64(p.Viewers)*across, lineBottom-p.Micros*scale
			path = append(path, fmt.Sprintf("%.1f,%.1f", x, y))
			fill := colours[name]
			if p.Behind {
				fill = "white"
			}
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s" stroke="%s"/>`+"\n", x, y, fill, colours[name])
			if name == ours {
				text(b, x, lineBottom+18, "middle", fmt.Sprint(p.Viewers))
			}
		}
		if len(path) > 1 {
			fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s"/>`+"\n", strings.Join(path, " "), colours[name])
		}
	}
	text(b, (plotLeft+plotRight)/2, lineBottom+40, "middle", "viewers")
}

// axis draws the vertical axis with about five marks and returns the height of one unit.
func axis(b *strings.Builder, high float64, top, bottom float64) float64 {
	scale := (bottom - top) / high
	step := roundStep(high / 5)
	for v := 0.0; v <= high; v += step {
		y := bottom - v*scale
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#dddddd"/>`+"\n", plotLeft, y, plotRight, y)
		text(b, plotLeft-6, y+4, "end", number(v))
	}
	return scale
}

// roundStep is the next of 1, 2, 5 times a power of ten.
func roundStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= least {
			return m * power
		}
	}
	return 10 * power
}

func text(b *strings.Builder, x, y float64, anchor, words string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s">`, x, y, anchor)
	_ = xml.EscapeText(b, []byte(words)) // a Builder does not fail
	b.WriteString("</text>\n")
}

// servers are those with something in the plot, in the plot's order.
func servers(r *Results) []string {
	return slices.DeleteFunc([]string{floorName, ours, "livekit", "janus"}, func(name string) bool {
		inBars := slices.ContainsFunc(traffic, func(f Figure) bool { return len(r.values(name, f)) > 0 })
		return !inBars && !slices.ContainsFunc(r.Curve, func(p Point) bool { return p.Server == name })
	})
}

// curve is the line to plot: per server and number of viewers the median of the runs, and behind if it was so in any run.
func (r *Results) curve() []Point {
	var line []Point
	micros := map[Point][]float64{}
	behind := map[Point]bool{}
	for _, p := range r.Curve {
		key := Point{Server: p.Server, Viewers: p.Viewers}
		if micros[key] == nil {
			line = append(line, key)
		}
		micros[key] = append(micros[key], p.Micros)
		behind[key] = behind[key] || p.Behind
	}
	for i, key := range line {
		line[i].Micros, line[i].Behind = median(micros[key]), behind[key]
	}
	slices.SortFunc(line, func(a, b Point) int {
		return cmp.Or(cmp.Compare(a.Server, b.Server), cmp.Compare(a.Viewers, b.Viewers))
	})
	return line
}

func zeroIfNone(value float64) float64 {
	if math.IsNaN(value) {
		return 0
	}
	return value
}
