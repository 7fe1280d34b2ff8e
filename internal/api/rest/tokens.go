package rest

import (
	"context"

	"tertulia/internal/wire/openvidu"
)

// createToken is the connection of servers before 2.16; "record" is not known to it.
func createToken(ctx context.Context, r *request) (response, error) {
	asked, err := openvidu.ParseRESTToken(r.body)
	if err != nil {
		return response{}, invalid(err)
	}
	asked.Connection.Record = true
	r.path["session"] = asked.Session
	state, err := r.open()
	if err != nil {
		return response{}, err
	}
	c, err := r.connect(ctx, state.ID, asked.Connection)
	if err != nil {
		return response{}, err
	}
	token := r.tokenURL(state.ID, c)
	if asked.Given != asked.Session { // its client knows the session by URL, and expects no second one (rest §14.1)
		token = c.Token
	}
	return ok(openvidu.RESTToken{
		ID:             token,
		Token:          token,
		CreatedAt:      c.CreatedAt,
		ConnectionID:   c.ID,
		Session:        asked.Given,
		Data:           c.ServerData,
		Role:           string(c.Role),
		KurentoOptions: (*openvidu.RESTKurentoOptions)(c.Kurento),
	}), nil
}
