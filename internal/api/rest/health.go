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
	health := openvidu.RESTHealth{DisconnectedMediaNodes: []string{}, MediaNodes: r.plainNodes(), Checks: checks}
	for _, n := range health.MediaNodes {
		if !n.Connected {
			health.DisconnectedMediaNodes = append(health.DisconnectedMediaNodes, n.ID)
		}
	}
	down, unstable := false, len(health.DisconnectedMediaNodes) > 0
	if r.Nodes != nil {
		down = len(health.DisconnectedMediaNodes) == len(health.MediaNodes)
	}
	for _, check := range checks {
		down = down || !check.OK && !check.Bearable
		unstable = unstable || !check.OK
	}
	switch {
	case down:
		health.Status = "DOWN"
		return response{http.StatusServiceUnavailable, health}, nil
	case unstable:
		health.Status = "UNSTABLE"
		return response{http.StatusConflict, health}, nil
	}
	health.Status = "UP"
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
