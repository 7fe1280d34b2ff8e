package metrics

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Sample is one number. Samples of one name have one help text and one label.
type Sample struct {
	Name   string // "tertulia_sessions"; with the ending _total it counts since the start, without it is what is now
	Help   string
	Label  string // "" for none
	Value  string // of the label
	Number float64
}

// readWithin bounds the wait for the numbers of one scrape: a shard that is busy for longer is worth an error.
const readWithin = time.Second

// reader asks for our own numbers at every scrape; nothing is kept between two.
type reader func(context.Context) ([]Sample, error)

// Describe tells nothing: which numbers there are is the affair of whoever reads them.
func (reader) Describe(chan<- *prometheus.Desc) {}

// Collect is called by every scrape.
func (read reader) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readWithin)
	defer cancel()
	samples, err := read(ctx)
	for _, s := range samples {
		out <- s.metric()
	}
	if err != nil {
		out <- prometheus.NewInvalidMetric(prometheus.NewDesc("tertulia", "what could not be read", nil, nil), err)
	}
}

func (s Sample) metric() prometheus.Metric {
	kind := prometheus.GaugeValue
	if strings.HasSuffix(s.Name, "_total") {
		kind = prometheus.CounterValue
	}
	var labels, values []string
	if s.Label != "" {
		labels, values = []string{s.Label}, []string{s.Value}
	}
	desc := prometheus.NewDesc(s.Name, s.Help, labels, nil)
	m, err := prometheus.NewConstMetric(desc, kind, s.Number, values...)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return m
}
