package rest

import (
	"context"

	"tertulia/internal/wire/openvidu"
)

func getConfig(_ context.Context, r *request) (response, error) {
	settings := r.Settings()
	settings.Version = openvidu.RESTVersion
	settings.Domain = r.host().name
	settings.PublicURL = r.url("http")
	if settings.RESTWebhookConfig != nil && r.who.Scope != ScopeAll {
		settings.RESTWebhookConfig = hideWebhook(*settings.RESTWebhookConfig)
	}
	return ok(settings), nil
}

func getVersion(_ context.Context, r *request) (response, error) {
	return ok(openvidu.RESTVersion), nil
}

// getPublicURL ends in a slash, unlike the same value in getConfig.
func getPublicURL(_ context.Context, r *request) (response, error) {
	return ok(r.url("http") + "/"), nil
}

func getRecording(_ context.Context, r *request) (response, error) {
	return ok(r.Settings().Recording), nil
}

// getRecordingPath answers with no path if nothing is recorded.
func getRecordingPath(_ context.Context, r *request) (response, error) {
	if on := r.Settings().RESTRecordingConfig; on != nil {
		return ok(on.Path), nil
	}
	return ok(""), nil
}

func getCDR(_ context.Context, r *request) (response, error) { return ok(r.Settings().CDR), nil }
