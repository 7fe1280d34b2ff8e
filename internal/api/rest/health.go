package rest

import (
	"context"
	"net/http"

	"tertulia/internal/wire/openvidu"
)

// getHealth is UP (200), UNSTABLE (409) or DOWN (503), as OpenVidu Pro's (rest §11.6), and says why in checks.
func getHealth(ctx context.Context, r *request) (response, error) {
	checks := []openvidu.RESTCheck{{Name: "sessions", OK: r.ready()}}
	if !checks[0].OK {
		checks[0].Code, checks[0].Text = "SESSIONS_LOADING", "the records of sessions are being loaded"
	}
	if r.Checks != nil {
		checks = append(checks, r.Checks(ctx)...)
	}
	health := openvidu.RESTHealth{Status: "UP", DisconnectedMediaNodes: []string{}, Checks: checks}
	for _, check := range checks {
		switch {
		case check.OK:
		case !check.Bearable:
			health.Status = "DOWN"
			return response{http.StatusServiceUnavailable, health}, nil
		default:
			health.Status = "UNSTABLE"
		}
	}
	if health.Status == "UNSTABLE" {
		return response{http.StatusConflict, health}, nil
	}
	return ok(health), nil
}

// getLive says the process answers.
func getLive(context.Context, *request) (response, error) { return ok("ok\n"), nil }

// getReady says whether requests can be sent here, and no more: it is public.
func getReady(ctx context.Context, r *request) (response, error) {
	health, err := getHealth(ctx, r)
	if health.status == http.StatusServiceUnavailable {
		return response{health.status, "not ready\n"}, err
	}
	return ok("ok\n"), err
}
