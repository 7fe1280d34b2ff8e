package rest

import (
	"context"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

func createConnection(ctx context.Context, r *request) (response, error) {
	state, err := r.open() // before the body (rest §8.4)
	if err != nil {
		return response{}, err
	}
	asked, err := openvidu.ParseRESTConnection(r.body)
	if err != nil {
		return response{}, invalid(err)
	}
	if asked.Type == openvidu.RESTIPCamera || asked.Untyped && r.old {
		return response{}, fault.New(fault.Unsupported, `"type" is IPCAM: IP cameras are not built yet, use WEBRTC`)
	}
	connection, err := r.connect(ctx, state.ID, asked)
	if err != nil {
		return response{}, err
	}
	return ok(r.connectionView(state.ID, connection, nil)), nil
}

// connect makes a pending connection.
func (r *request) connect(ctx context.Context, id string, asked openvidu.RESTConnectionRequest) (*session.Connection, error) {
	servers := asked.ICEServers
	if len(servers) == 0 {
		servers = r.ICEServers
	}
	return r.connection(ctx, id, session.CreateConnection{
		Role:       session.Role(asked.Role),
		Record:     asked.Record,
		ServerData: asked.Data,
		Kurento:    (*session.KurentoOptions)(asked.Kurento),
		ICEServers: withCredentials(servers),
	})
}

func listConnections(ctx context.Context, r *request) (response, error) {
	state, stats, err := r.openWithStats(ctx)
	if err != nil {
		return response{}, err
	}
	return ok(r.connectionViews(state, r.asked("pendingConnections", true), stats)), nil
}

func getConnection(_ context.Context, r *request) (response, error) {
	state, connection, err := r.find()
	if err != nil {
		return response{}, err
	}
	return ok(r.connectionView(state.ID, connection, nil)), nil
}

func updateConnection(ctx context.Context, r *request) (response, error) {
	state, connection, err := r.find() // before the body (rest §11.1)
	if err != nil {
		return response{}, err
	}
	asked, err := openvidu.ParseRESTConnectionUpdate(r.body)
	if err != nil {
		return response{}, invalid(err)
	}
	if asked.Role != nil || asked.Record != nil {
		update := session.UpdateConnection{Connection: connection.ID, Role: (*session.Role)(asked.Role), Record: asked.Record}
		if connection, err = r.connection(ctx, state.ID, update); err != nil {
			return response{}, err
		}
	}
	return ok(r.connectionView(state.ID, connection, nil)), nil
}

func deleteConnection(ctx context.Context, r *request) (response, error) {
	_, err := r.Registry.Do(ctx, r.path["session"], session.DeleteConnection{Connection: r.path["connection"]})
	return noContent, err
}

// find returns the connection of the path and its session.
func (r *request) find() (session.State, *session.Connection, error) {
	state, err := r.open()
	if err != nil {
		return state, nil, err
	}
	for _, c := range state.Connections {
		if c.ID == r.path["connection"] && !c.Recorder {
			return state, c, nil
		}
	}
	return state, nil, fault.New(fault.ConnectionNotFound, "session %s has no connection %q", state.ID, r.path["connection"])
}
