package diagnosis

import (
	"fmt"
	"strings"
)

// badLoss is the share of packets lost that people notice although lost ones are sent again.
const badLoss = 0.10

// lossLeast is how many packets a share is believed of.
const lossLeast = 40

func lossUplink(v *View, e *Endpoint) *Finding {
	if e.Publisher != "" {
		return nil
	}
	var lossy []string
	worst := 0.0
	for _, kind := range kinds {
		c, ok := e.change(kind, false)
		if !ok || c.packets+c.lost < lossLeast {
			continue
		}
		if share := max(c.lost, 0) / (c.packets + max(c.lost, 0)); share >= badLoss {
			lossy, worst = append(lossy, fmt.Sprintf("%.0f %% of %s", 100*share, kind)), max(worst, share)
		}
	}
	if lossy == nil {
		return nil
	}
	return &Finding{
		Code: LossUplink, Stream: e.Stream, Fill: map[string]string{"loss": fmt.Sprintf("%.0f", 100*worst)},
		Evidence: []string{strings.Join(lossy, " and ") + " was lost on the way to us in the latest seconds."},
	}
}

func lossDownlink(v *View, e *Endpoint) *Finding {
	var lossy []string
	worst := 0.0
	for _, kind := range kinds {
		t := e.track(kind, true)
		c, ok := e.change(kind, true)
		if !ok || c.reports == 0 || c.heard < lossLeast/2 {
			continue
		}
		share := min(float64(c.lost)/c.heard, 1) - e.sourceLoss(kind) // what never reached us cannot have been sent on
		if share >= badLoss && float64(t.Fraction)/256 >= badLoss/2 {
			lossy, worst = append(lossy, fmt.Sprintf("%.0f %% of %s", 100*share, kind)), max(worst, share)
		}
	}
	if lossy == nil {
		return nil
	}
	return &Finding{
		Code: LossDownlink, Stream: e.Stream, Fill: map[string]string{"loss": fmt.Sprintf("%.0f", 100*worst)},
		Evidence: []string{fmt.Sprintf("The participant's latest reports say that %s was lost on the way from us.", strings.Join(lossy, " and "))},
	}
}

// sourceLoss is the share of a kind that was lost before it reached us.
func (e *Endpoint) sourceLoss(kind string) float64 {
	if e.Source == nil {
		return 0
	}
	t := e.Source.track(kind, false)
	if t == nil {
		return 0
	}
	return float64(t.Fraction) / 256
}
