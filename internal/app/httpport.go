package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"tertulia/internal/api/frontdoor"
	"tertulia/internal/config"
	"tertulia/internal/media/socket"
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

// openPort takes the one port, and the one that sends browsers to it: first if it knows where to, which need not wait for
// the port to be free.
func openPort(ctx context.Context, c config.Config, challenge func(http.Handler) http.Handler, open *files, running *parts, log *slog.Logger) (net.Listener, []socket.Conn, error) {
	if c.HTTPSPort != 0 {
		redirectHTTP(c.HTTPPort, c.HTTPSPort, challenge, open, running, log)
	}
	listener, conns, err := bind(ctx, "HTTPS_PORT", c.HTTPSPort, log)
	if err != nil {
		return nil, nil, err
	}
	running.hold("port", func() error {
		_ = listener.Close() // the door has closed it already, unless it was never built
		return nil
	})
	if c.HTTPSPort == 0 {
		redirectHTTP(c.HTTPPort, portOf(listener), challenge, open, running, log)
	}
	return listener, conns, nil
}
