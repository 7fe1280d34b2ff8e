package rest

import (
	"context"
	"strings"

	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// endpoints are a session's endpoints by name; nil when nobody asked.
type endpoints map[string]mediactl.EndpointStats

// stats asks the media node of a session if the request says webRtcStats=true.
func (r *request) stats(ctx context.Context, id string) (endpoints, error) {
	if !r.asked("webRtcStats", false) {
		return nil, nil
	}
	list, err := r.Registry.Stats(ctx, id)
	if err != nil {
		return nil, err
	}
	byName := endpoints{}
	for _, e := range list {
		byName[e.Endpoint] = e
	}
	return byName, nil
}

// of shows one endpoint; nil if nobody asked, empty if the node does not know it (any more).
func (e endpoints) of(name string) *openvidu.RESTStats {
	if e == nil {
		return nil
	}
	s := e[name]
	stats := &openvidu.RESTStats{
		WebRTCEndpointName:  name,
		RemoteSDP:           s.RemoteSDP,
		LocalSDP:            s.LocalSDP,
		ClientICECandidates: []openvidu.RESTCandidate{},
		ServerICECandidates: candidates(s.LocalSDP),
		LocalCandidate:      s.LocalCandidate,
		RemoteCandidate:     s.RemoteCandidate,
		Events:              []struct{}{},
	}
	for _, c := range s.Signalled {
		stats.ClientICECandidates = append(stats.ClientICECandidates, openvidu.RESTCandidate(c))
	}
	return stats
}

// candidates lists those of a session description, each with the index and mid of its section.
func candidates(sdp string) []openvidu.RESTCandidate {
	list := []openvidu.RESTCandidate{}
	for index, section := range strings.Split("\n"+sdp, "\nm=")[1:] {
		mid := ""
		first := len(list)
		for line := range strings.SplitSeq(section, "\n") {
			line = strings.TrimSuffix(line, "\r")
			if value, ok := strings.CutPrefix(line, "a=mid:"); ok {
				mid = value
			}
			if strings.HasPrefix(line, "a=candidate:") {
				list = append(list, openvidu.RESTCandidate{Candidate: line[len("a="):], SDPMLineIndex: index})
			}
		}
		for i := range list[first:] {
			list[first+i].SDPMid = mid
		}
	}
	return list
}

// openWithStats is open, and the statistics if they are asked for.
func (r *request) openWithStats(ctx context.Context) (session.State, endpoints, error) {
	state, err := r.open()
	if err != nil {
		return session.State{}, nil, err
	}
	stats, err := r.stats(ctx, state.ID)
	return state, stats, err
}
