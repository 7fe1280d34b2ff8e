package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"time"

	"tertulia/internal/bench/machine"
)

// Results are all that `bench all` measured: what results.json holds and the report is written from.
type Results struct {
	Date     time.Time     `json:"date"`
	Took     time.Duration `json:"took_ns"`
	Quick    bool          `json:"quick"`
	Runs     int           `json:"runs"`
	Machine  machine.About `json:"machine"`
	Servers  []Competitor  `json:"servers"`
	Samples  []Sample      `json:"samples"`
	Curve    []Point       `json:"curve"`
	Promises Promises      `json:"promises"`
	Troubles []string      `json:"troubles"` // what went wrong, and so is missing above
}

// Competitor is a server of the comparison.
type Competitor struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Absent  string `json:"absent,omitempty"` // why it was not measured
}

// Sample is one figure of one server in one run.
type Sample struct {
	Figure Figure  `json:"figure"`
	Server string  `json:"server"`
	Run    int     `json:"run"`
	Value  float64 `json:"value"`
}

// Point is what a packet costs with so many viewers, in rooms of one publisher.
type Point struct {
	Server  string  `json:"server"`
	Run     int     `json:"run"`
	Viewers int     `json:"viewers"`
	Micros  float64 `json:"us_per_packet"`
	Loss    float64 `json:"loss"`   // 0 to 1
	Behind  bool    `json:"behind"` // packets were lost, or came too late: this is not sustained
}

func (r *Results) add(run int, server string, figure Figure, value float64) {
	if !math.IsNaN(value) && !math.IsInf(value, 0) {
		r.Samples = append(r.Samples, Sample{figure, server, run, value})
	}
}

// values are a figure of a server, in the order of the runs.
func (r *Results) values(server string, figure Figure) []float64 {
	var all []float64
	for _, s := range r.Samples {
		if s.Server == server && s.Figure == figure {
			all = append(all, s.Value)
		}
	}
	return all
}

func (r *Results) median(server string, figure Figure) float64 {
	return median(r.values(server, figure))
}

// against is the median of the ratios that two servers had in the same run: a machine that is slow today is slow for both.
func (r *Results) against(server, other string, figure Figure) float64 {
	per := map[int]float64{}
	for _, s := range r.Samples {
		if s.Server == other && s.Figure == figure && s.Value > 0 {
			per[s.Run] = s.Value
		}
	}
	var ratios []float64
	for _, s := range r.Samples {
		if floor, ok := per[s.Run]; ok && s.Server == server && s.Figure == figure {
			ratios = append(ratios, s.Value/floor)
		}
	}
	return median(ratios)
}

// of is one figure of one run, NaN if it was not measured.
func (r *Results) of(run int, server string, figure Figure) float64 {
	for _, s := range r.Samples {
		if s.Run == run && s.Server == server && s.Figure == figure {
			return s.Value
		}
	}
	return math.NaN()
}

// save writes what docs/bench holds.
func (r *Results) save(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	var report, picture bytes.Buffer
	if err := errors.Join(writeReport(&report, r), writeSVG(&picture, r)); err != nil {
		return err
	}
	for name, text := range map[string][]byte{"results.json": append(text, '\n'), "report.md": report.Bytes(), "report.svg": picture.Bytes()} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
