package rest

import (
	"context"

	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

// plainNodes are the media nodes without what must be asked for; never nil.
func (r *request) plainNodes() []openvidu.RESTMediaNode {
	list := []openvidu.RESTMediaNode{}
	if r.Nodes == nil {
		return list
	}
	for _, n := range r.Nodes() {
		n.KurentoInfo = nil
		list = append(list, n)
	}
	return list
}

// nodes are the media nodes as the request wants to see them (rest §4.10).
func (r *request) nodes() []openvidu.RESTMediaNode {
	if r.Nodes == nil {
		return nil
	}
	list := r.Nodes()
	for i := range list {
		n := &list[i]
		if !r.asked("extra-info", false) {
			n.KurentoInfo = nil
		}
		if r.asked("recordings", false) {
			n.RecordingIDs, n.Broadcasts = &[]string{}, &[]string{}
		}
		if r.asked("sessions", false) {
			sessions := []openvidu.RESTSession{}
			for _, s := range r.Registry.List() {
				if s.Active && s.Closing == "" && n.ID == r.NodeID {
					sessions = append(sessions, r.sessionView(s, false, nil))
				}
			}
			n.Sessions = &sessions
		}
	}
	return list
}

func listNodes(_ context.Context, r *request) (response, error) { return listed(r.nodes()), nil }

func getNode(_ context.Context, r *request) (response, error) {
	for _, n := range r.nodes() {
		if n.ID == r.path["node"] {
			return ok(n), nil
		}
	}
	return response{}, fault.New(fault.NodeNotFound, "there is no media node %.80q: GET /media-nodes lists them", r.path["node"])
}

// changeNodes refuses to add, remove or change media nodes.
func changeNodes(context.Context, *request) (response, error) {
	return response{}, fault.New(fault.Unsupported, "media nodes are managed by the cluster, and this server is one node alone: start or stop servers instead")
}
