package rest

import (
	"context"

	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

func sendSignal(ctx context.Context, r *request) (response, error) {
	asked, err := openvidu.ParseRESTSignal(r.body)
	if err != nil {
		return response{}, invalid(err)
	}
	_, err = r.Registry.Do(ctx, asked.Session, session.SendSignal{To: asked.To, Type: asked.Type, Data: asked.Data})
	return ok(nil), err
}
