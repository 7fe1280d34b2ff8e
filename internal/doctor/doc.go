// Package doctor examines a machine and a configuration before, or beside, a running server: `tertulia doctor`.
//
// Each check is a file and a row of the table in doctor.go; it ends in ok, in a fault of internal/diagnosis' catalogue,
// or in "not checked" with the reason. All of them run side by side, each within five seconds; none needs the internet.
// bundle.go packs what a person who helps wants to see, without secrets (redact.go).
//
// It must not import the server's own parts (session, media, api); what a running one knows it asks over HTTP
// (server.go). Start at doctor.go.
package doctor
