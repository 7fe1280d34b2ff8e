package rest

import (
	"context"
	"fmt"
	"strings"

	"tertulia/internal/event"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// endpoints are a session's endpoints by name, and what happened to them; nil when nobody asked.
type endpoints map[string]*endpoint

type endpoint struct {
	mediactl.EndpointStats
	events []openvidu.RESTMediaEvent
}

// stats asks the media node of a session if the request says webRtcStats=true.
func (r *request) stats(ctx context.Context, state session.State) (endpoints, error) {
	if !r.asked("webRtcStats", false) {
		return nil, nil
	}
	list, err := r.Registry.Stats(ctx, state.ID)
	if err != nil {
		return nil, err
	}
	byName := endpoints{}
	for _, e := range list {
		byName[e.Endpoint] = &endpoint{EndpointStats: e}
	}
	r.tellEvents(state, byName)
	return byName, nil
}

// iceStates are the words Kurento has for those of the media node.
var iceStates = map[string]string{string(mediactl.Connected): "CONNECTED", string(mediactl.Failed): "FAILED"}

// tellEvents adds what the session's timeline holds of its endpoints. A timeline is bounded, and so are its pages.
func (r *request) tellEvents(state session.State, byName endpoints) {
	if r.Diagnosis == nil {
		return
	}
	for after := state.CreatedAt - 1; ; {
		entries, _ := r.Diagnosis.Timeline(state.ID, after, maxEntries)
		for _, entry := range entries {
			name, _ := entry.Fields["endpoint"].(string)
			ice, _ := entry.Fields["state"].(string)
			if e := byName[name]; e != nil && entry.Kind == (event.Transport{}).Kind() && iceStates[ice] != "" {
				e.events = append(e.events, openvidu.RESTMediaEvent{
					Type: "IceComponentStateChanged", State: iceStates[ice], StreamID: 1, ComponentID: 1,
					Timestamp: entry.At, UniqueSessionID: fmt.Sprint(state.ID, "_", state.CreatedAt),
				})
			}
		}
		if len(entries) < maxEntries || entries[len(entries)-1].At <= after {
			return
		}
		after = entries[len(entries)-1].At
	}
}

// of shows one endpoint, created at a time in Unix milliseconds; nil if nobody asked, empty if the node does not know it
// (any more).
func (e endpoints) of(name string, created int64) *openvidu.RESTStats {
	if e == nil {
		return nil
	}
	s := e[name]
	if s == nil {
		s = &endpoint{}
	}
	stats := &openvidu.RESTStats{
		WebRTCEndpointName:  name,
		RemoteSDP:           s.RemoteSDP,
		LocalSDP:            s.LocalSDP,
		ClientICECandidates: []openvidu.RESTCandidate{},
		ServerICECandidates: candidates(s.LocalSDP),
		Events:              []openvidu.RESTMediaEvent{},
	}
	for _, c := range s.Signalled {
		stats.ClientICECandidates = append(stats.ClientICECandidates, openvidu.RESTCandidate(c))
	}
	stats.LocalCandidate = selected(s.LocalCandidate, stats.ServerICECandidates)
	stats.RemoteCandidate = selected(s.RemoteCandidate, stats.ClientICECandidates)
	for _, happened := range s.events {
		happened.MsSinceCreation = max(0, happened.Timestamp-created)
		stats.Events = append(stats.Events, happened)
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
	stats, err := r.stats(ctx, state)
	return state, stats, err
}
