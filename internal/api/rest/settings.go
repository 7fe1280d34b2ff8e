package rest

import (
	"context"

	"tertulia/internal/wire/openvidu"
)

func getConfig(_ context.Context, r *request) (response, error) {
	settings := r.Settings()
	settings.Version = openvidu.RESTVersion
	settings.Domain = r.host().name
	settings.PublicURL = "https://" + r.host().String()
	return ok(settings), nil
}

func getVersion(_ context.Context, r *request) (response, error) {
	return ok(openvidu.RESTVersion), nil
}

// getPublicURL ends in a slash, unlike the same value in getConfig.
func getPublicURL(_ context.Context, r *request) (response, error) {
	return ok("https://" + r.host().String() + "/"), nil
}

func getRecording(_ context.Context, r *request) (response, error) {
	return ok(r.Settings().Recording), nil
}

// getRecordingPath answers with no path: nothing is recorded.
func getRecordingPath(context.Context, *request) (response, error) { return ok(""), nil }

func getCDR(_ context.Context, r *request) (response, error) { return ok(r.Settings().CDR), nil }
