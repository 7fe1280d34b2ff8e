package rest

import (
	"context"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

func createSession(ctx context.Context, r *request) (response, error) {
	asked, err := openvidu.ParseRESTSession(r.body)
	if err != nil {
		return response{}, invalid(err)
	}
	state, err := r.Registry.Create(ctx, properties(r.Settings(), asked))
	if err != nil {
		return response{}, err
	}
	view := r.sessionView(state, true, nil)
	if asked.Old && r.old {
		view.ID = r.oldURL(state.ID)
	}
	return ok(view), nil
}

// Defaults are the properties of a session created with {}: those of sessions made without REST, too.
func Defaults(settings openvidu.RESTConfig) session.Properties {
	return properties(settings, openvidu.RESTSessionRequest{
		MediaMode: "ROUTED", RecordingMode: "MANUAL", Recording: openvidu.DefaultRESTRecordingProperties(),
	})
}

// properties fills in what a request left open. Without any body the configured codec does not apply (rest §8.1).
func properties(settings openvidu.RESTConfig, asked openvidu.RESTSessionRequest) session.Properties {
	p := session.Properties{
		CustomSessionID:  asked.CustomSessionID,
		MediaMode:        asked.MediaMode,
		RecordingMode:    asked.RecordingMode,
		ForcedVideoCodec: settings.ForcedVideoCodec,
		AllowTranscoding: settings.AllowTranscoding,
		NoCodecPolicy:    asked.NoBody,
		MediaNode:        asked.MediaNode,
		DefaultRecording: recordingProperties(asked.Recording),
	}
	if asked.NoBody {
		p.ForcedVideoCodec, p.AllowTranscoding = openvidu.RESTMediaServerPreferred, false
	}
	if asked.ForcedVideoCodec != nil {
		p.ForcedVideoCodec = *asked.ForcedVideoCodec
	}
	if asked.AllowTranscoding != nil {
		p.AllowTranscoding = *asked.AllowTranscoding
	}
	return p
}

func listSessions(ctx context.Context, r *request) (response, error) {
	pending := r.asked("pendingConnections", false)
	var views []openvidu.RESTSession
	for _, state := range r.Registry.List() {
		if state.Closing != "" {
			continue
		}
		stats, err := r.stats(ctx, state)
		if fault.Is(err, fault.SessionNotFound) {
			continue // closed meanwhile
		}
		if err != nil {
			return response{}, err
		}
		views = append(views, r.sessionView(state, pending, stats))
	}
	return ok(openvidu.NewRESTList(views)), nil
}

func getSession(ctx context.Context, r *request) (response, error) {
	state, stats, err := r.openWithStats(ctx)
	if err != nil {
		return response{}, err
	}
	return ok(r.sessionView(state, r.asked("pendingConnections", false), stats)), nil
}

func deleteSession(ctx context.Context, r *request) (response, error) {
	_, err := r.Registry.Do(ctx, r.path["session"], session.Close{Reason: "sessionClosedByServer"})
	return noContent, err
}

// open returns the session of the path; one that is closing is not found.
func (r *request) open() (session.State, error) {
	state, err := r.Registry.State(r.path["session"])
	if err == nil && state.Closing != "" {
		err = fault.New(fault.SessionNotFound, "session %s is closing", state.ID)
	}
	return state, err
}

// invalid makes a decoding error a fault.
func invalid(err error) error { return fault.Wrap(fault.Invalid, err, "bad request body") }
