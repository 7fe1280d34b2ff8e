package dashboard

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
)

// Mode says whom the call page is for; it is the setting CALL_PAGE.
type Mode string

// The modes. The zero value is ModeLocal.
const (
	ModeOff   Mode = "off"   // no page, no tokens: every path is 404
	ModeLocal Mode = "local" // tokens for callers from loopback and private addresses
	ModeAll   Mode = "all"   // tokens for everyone who reaches the server
)

// Rooms is what the page needs of the session rules.
type Rooms interface {
	// Token makes the session with that custom id if there is none, and a publisher's connection in it. It returns
	// the connection's token as REST would show it: "wss://host?sessionId=room&token=tok_…". Errors are
	// fault.Errors; those of kind NoCapacity, RateLimited and Timeout are shown to the caller as temporary.
	Token(ctx context.Context, room string) (string, error)
}

// Config is what the page needs. Rooms and Log are required.
type Config struct {
	Assets fs.FS // index.html, check.html and assets/; web.Assets()
	Rooms  Rooms
	Mode   Mode // zero: ModeLocal
	Log    *slog.Logger
}

// New returns the handler of /, /call/{room}, /dashboard/test and /assets/. It reads no file and starts nothing.
func New(cfg Config) http.Handler {
	if cfg.Mode == "" {
		cfg.Mode = ModeLocal
	}
	mux := http.NewServeMux()
	if cfg.Mode != ModeOff {
		page := page{cfg.Assets}
		mux.HandleFunc("GET /{$}", page.document("index.html"))
		mux.HandleFunc("GET /call/{room}", page.document("index.html"))
		mux.HandleFunc("GET /dashboard/test", page.document("check.html"))
		mux.HandleFunc("GET /assets/{name...}", page.asset)
		mux.HandleFunc("POST /call/{room}", newTokens(cfg, newLimit(perSecond, burst)).join)
		mux.HandleFunc("POST /dashboard/test", newTokens(cfg, newLimit(checkPerSecond, checkBurst)).check)
	}
	return secured(mux)
}
