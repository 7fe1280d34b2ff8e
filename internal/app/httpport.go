package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"tertulia/internal/api/frontdoor"
)

// redirectHTTP opens HTTP_PORT, once it is free, and sends whoever comes there to the one port, but for an authority's
// challenge, which first answers; nothing else waits for it.
func redirectHTTP(setting string, target int, first func(http.Handler) http.Handler, open *files, running *parts, log *slog.Logger) {
	if setting == "" {
		return
	}
	port, _ := strconv.Atoi(setting) // config has checked it
	running.start("HTTP port", func(ctx context.Context) error {
		var listener net.Listener
		err := onceFree(ctx, "HTTP_PORT", log, func() (err error) {
			listener, err = listen(port)
			return err
		})
		if ctx.Err() != nil {
			if listener != nil {
				_ = listener.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		log.Info("plain HTTP is sent on to HTTPS", "port", portOf(listener))
		return frontdoor.NewRedirect(open.listener(listener), target, first, log).Run(ctx)
	})
}
