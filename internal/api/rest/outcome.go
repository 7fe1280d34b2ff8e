package rest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tertulia/internal/fault"
)

// outcome is one status of a route: what it stands for, and whether a body goes with it.
type outcome struct {
	status int
	why    []string
	body   bool
}

// success is the status of a request that was carried out.
func (r *route) success() int { return cmp.Or(r.status, http.StatusOK) }

// refusals are the statuses of the faults a row names, in order; body if it comes with any of them.
func (r *route) refusals() []outcome { return r.outcomes(r.fails) }

// common are the statuses that many rows share.
func (r *route) common() []outcome {
	var kinds []fault.Kind
	if !r.public {
		kinds = append(kinds, fault.Unauthorized, fault.Forbidden, fault.RateLimited)
	}
	if r.takes != nil {
		kinds = append(kinds, fault.TooLarge)
	}
	if !r.early {
		kinds = append(kinds, fault.NoCapacity, fault.Timeout)
	}
	return r.outcomes(kinds)
}

func (r *route) outcomes(kinds []fault.Kind) []outcome {
	byStatus := map[int]*outcome{}
	for _, kind := range kinds {
		a, ok := r.except[kind]
		if !ok {
			a = answers[kind]
		}
		o := byStatus[a.status]
		if o == nil {
			o = &outcome{status: a.status}
			byStatus[a.status] = o
		}
		o.body = o.body || a.body
		o.why = append(o.why, strings.ReplaceAll(string(kind), "_", " "))
	}
	var list []outcome
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		list = append(list, *byStatus[status])
	}
	return list
}
