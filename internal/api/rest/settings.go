package rest

import (
	"context"
	"strings"

	"tertulia/internal/wire/openvidu"
)

func getConfig(_ context.Context, r *request) (response, error) {
	settings := r.Settings()
	settings.Version = openvidu.RESTVersion
	settings.Domain = r.host().name
	settings.PublicURL = r.url("http")
	if hook := settings.RESTWebhookConfig; hook != nil && !r.mayAll() {
		hidden := *hook
		hidden.Headers = withoutValues(hook.Headers)
		settings.RESTWebhookConfig = &hidden
	}
	return ok(settings), nil
}

// withoutValues hides what headers say: who may only look must not be able to speak to the application as we do.
func withoutValues(headers []string) []string {
	names := make([]string, len(headers))
	for i, h := range headers {
		name, _, _ := strings.Cut(h, ": ")
		names[i] = name + ": (hidden)"
	}
	return names
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
