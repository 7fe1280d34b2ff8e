package pipeline

import (
	"context"
	"maps"
	"slices"

	"tertulia/internal/wire/mediactl"
)

// Stats describes every endpoint, by name.
func (p *Pipeline) Stats(ctx context.Context) ([]mediactl.EndpointStats, error) {
	p.mu.Lock()
	endpoints := maps.Clone(p.endpoints)
	p.mu.Unlock()
	var list []mediactl.EndpointStats
	for _, name := range slices.Sorted(maps.Keys(endpoints)) {
		st, err := endpoints[name].transport.Stats(ctx)
		if err != nil {
			return nil, err
		}
		row := mediactl.EndpointStats{
			Endpoint: name, State: string(st.State), LocalSDP: st.LocalSDP, RemoteSDP: st.RemoteSDP,
			LocalCandidate: st.LocalCandidate, RemoteCandidate: st.RemoteCandidate,
			Packets: st.PacketsIn + st.PacketsOut, Bytes: st.BytesIn + st.BytesOut, FrameRate: st.FrameRate,
		}
		for _, c := range st.Signalled {
			row.Signalled = append(row.Signalled, mediactl.Candidate{Candidate: c})
		}
		list = append(list, row)
	}
	return list, nil
}
