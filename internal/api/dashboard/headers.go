package dashboard

import "net/http"

// policy lets the page load its own files, talk to its own server (wss: for browsers whose 'self' does not cover
// websockets) and show camera streams; nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; " +
	"media-src 'self' blob: mediastream:; connect-src 'self' wss:; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

// secured puts the security headers on every answer, refusals included.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // a room's name is its key: tell no other site
		h.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()")
		next.ServeHTTP(w, r)
	})
}
