package pipeline

import (
	"testing"

	"tertulia/internal/wire/mediactl"
)

func TestWhatAPublisherMaySend(t *testing.T) {
	viewer := func(kbps ...int) (list []mediactl.Policy) {
		for _, k := range kbps {
			list = append(list, mediactl.Policy{MaxSendKbps: k})
		}
		return list
	}
	for name, c := range map[string]struct {
		most, least int
		viewers     []mediactl.Policy
		want        int
	}{
		"by default":                       {1000, 300, viewer(1000, 1000), 1000},
		"to nobody":                        {700, 300, nil, 700},
		"one viewer may be sent less":      {1000, 300, viewer(1000, 400, 600), 400},
		"but not less than its minimum":    {1000, 300, viewer(50), 300},
		"its minimum is above its maximum": {200, 300, nil, 300},
		"viewers may be sent more":         {500, 0, viewer(2000), 500},
		"unlimited":                        {0, 300, viewer(0, 0), 0},
		"unlimited but for a viewer":       {0, 0, viewer(0, 250), 250},
		"unlimited viewers do not count":   {800, 0, viewer(0), 800},
		"unlimited, with a minimum":        {0, 300, nil, 0},
	} {
		if got := allowed(mediactl.Policy{MaxRecvKbps: c.most, MinRecvKbps: c.least}, c.viewers); got != c.want {
			t.Errorf("%s: %d kbit/s, want %d", name, got, c.want)
		}
	}
}
