// Package rest serves the OpenVidu 2 REST API below /openvidu/api, its paths before 2.16, and /livez and /readyz.
//
// The route table in routes.go names for every method and path the function that answers it; these functions take a
// request and return a response or an error, and stand in one file per resource: sessions.go, connections.go and so
// on. They decode with wire/openvidu, ask the session registry, and show what it answers (view.go). Only status.go
// knows which fault becomes which HTTP status, only serve.go writes to the wire. The table also says what a route takes,
// gives and refuses: openapi.go and docs/reference/rest.md are made from it, and testdata/golden has an exchange for each
// status of each route.
//
// It imports session, wire/* and fault; not media, Pion, NATS or config (app fills in [Config]). Start at routes.go.
package rest
