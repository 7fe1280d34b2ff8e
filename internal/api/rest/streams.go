package rest

import (
	"context"

	"tertulia/internal/session"
)

func deleteStream(ctx context.Context, r *request) (response, error) {
	_, err := r.Registry.Do(ctx, r.path["session"], session.DeleteStream{Stream: r.path["stream"]})
	return noContent, err
}
