package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tertulia/internal/bench/machine"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sampleResults has a budget that holds, one that does not, one nobody measured, a peer that is absent and a trouble.
func sampleResults() *Results {
	r := &Results{
		Date: time.Date(2026, 11, 21, 5, 0, 0, 0, time.UTC), Took: 1234 * time.Second, Runs: 3,
		Machine: machine.About{CPU: "A <CPU> & more", CPUs: 2, Memory: 24 << 30, Kernel: "Linux 6.18 x86_64", System: "Debian 12", Go: "go1.26"},
		Servers: []Competitor{{Name: ours, Version: "abc"}, {Name: "livekit", Version: "1.13.5"}, {Name: "janus", Absent: "scripts/bench-peers installs it"}},
		Promises: Promises{
			Pairs: Capacity{Most: 400, Why: "packets were lost"}, Fours: Capacity{Most: 60, Why: "the generator had no time left"},
		},
		Troubles: []string{"run 2, livekit: did not start"},
	}
	for run, noise := range []float64{1, 1.1, 0.9} {
		r.add(run, ours, "forward-burst-gcm", 1.8*noise)
		r.add(run, floorName, "forward-burst-gcm", 1.2*noise)
		r.add(run, ours, "floor-ratio", 1.5)
		r.add(run, ours, "forward-even-gcm", 4.2*noise)
		r.add(run, ours, "packets per second and core", 555555/noise)
		r.Curve = append(r.Curve, Point{ours, run, 200, 1.8 * noise, 0}, Point{ours, run, 1600, 1.7 * noise, float64(run) / 1000})
	}
	r.add(0, "livekit", "forward-burst-gcm", 9)
	r.add(0, "livekit", lossOf("forward-burst-gcm"), 12.5)
	return r
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s differs (%v); -update rewrites it:\n%s", file, err, got)
	}
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	if err := writeReport(&out, sampleResults()); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.md", out.Bytes())
}

func TestReportOfNothingSaysSo(t *testing.T) {
	var out bytes.Buffer
	if err := writeReport(&out, &Results{Runs: 1, Quick: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 run,", "quick version", "0 of 19 hold, 19 not measured", "stays unproved here"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestReportOfABusyMachineSaysSo(t *testing.T) {
	for others, want := range map[float64]bool{4: false, 31: true} {
		r := sampleResults()
		r.add(0, "livekit", othersOf("forward-burst-gcm"), others)
		var out bytes.Buffer
		if err := writeReport(&out, r); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "used up to 31 % of the server's CPU"); got != want || strings.Contains(out.String(), "not quiet") != want {
			t.Errorf("others used %v %%: the report warns: %v, want %v", others, got, want)
		}
	}
}

func TestEveryTableRowHasItsColumns(t *testing.T) {
	var out bytes.Buffer
	if err := writeReport(&out, sampleResults()); err != nil {
		t.Fatal(err)
	}
	columns := 0
	for line := range strings.Lines(out.String()) {
		bars := strings.Count(line, "|")
		if bars > 0 && columns > 0 && bars != columns {
			t.Errorf("%d bars in %q, %d above it", bars, line, columns)
		}
		columns = bars
	}
}

func TestReportTellsAFullDisk(t *testing.T) {
	full := errors.New("disk full")
	for _, write := range []func(io.Writer, *Results) error{writeReport, writeSVG} {
		if err := write(failing{full}, sampleResults()); !errors.Is(err, full) {
			t.Errorf("ended with %v", err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestSVGIsWellFormed(t *testing.T) {
	for name, r := range map[string]*Results{"sample": sampleResults(), "empty": {}} {
		var out bytes.Buffer
		if err := writeSVG(&out, r); err != nil {
			t.Fatal(err)
		}
		elements := map[string]int{}
		for dec := xml.NewDecoder(&out); ; {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if start, ok := token.(xml.StartElement); ok {
				elements[start.Name.Local]++
				for _, a := range start.Attr {
					if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") || a.Value == "" {
						t.Errorf("%s: %s has %s=%q", name, start.Name.Local, a.Name.Local, a.Value)
					}
				}
			}
		}
		if name == "sample" && (elements["circle"] != 2 || elements["polyline"] != 1 || elements["rect"] != 1+3+4) {
			t.Errorf("%v: want 2 points and a line, and the paper, 3 keys and 4 bars", elements)
		}
	}
}

func TestCurveTakesMediansAndRemembersLoss(t *testing.T) {
	line := sampleResults().curve()
	if len(line) != 2 || line[0].Viewers != 200 || line[0].Micros != 1.8 || line[0].Loss != 0 || line[1].Loss != 0.002 {
		t.Errorf("%+v", line)
	}
}

func TestRatiosStayInsideOneRun(t *testing.T) {
	r := &Results{}
	r.add(0, ours, "f", 2)
	r.add(0, floorName, "f", 1)
	r.add(1, ours, "f", 30) // the machine was busy in this run, for both
	r.add(1, floorName, "f", 10)
	r.add(2, ours, "f", 4) // the floor of this run is missing
	if got := r.against(ours, floorName, "f"); got != 2.5 {
		t.Errorf("%v, want the median of 2 and 3", got)
	}
	if !math.IsNaN(r.against(ours, "janus", "f")) {
		t.Error("a ratio to what was not measured")
	}
	r.add(3, ours, "f", math.NaN())
	r.add(3, ours, "f", math.Inf(1))
	if got := len(r.values(ours, "f")); got != 3 {
		t.Errorf("%d values, want those that are numbers", got)
	}
}

func TestResultsSurviveJSON(t *testing.T) {
	text, err := json.Marshal(sampleResults())
	if err != nil {
		t.Fatal(err)
	}
	var back Results
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if back.median(ours, "forward-burst-gcm") != 1.8 || back.Machine.CPUs != 2 || back.Promises.Pairs.Most != 400 {
		t.Errorf("came back as %+v", back)
	}
}

func TestRoundStep(t *testing.T) {
	for least, want := range map[float64]float64{1: 1, 1.1: 2, 3: 5, 7: 10, 0.03: 0.05} {
		if got := roundStep(least); math.Abs(got-want) > 1e-9 {
			t.Errorf("the step above %v is %v, want %v", least, got, want)
		}
	}
}
