package natsd

import (
	"fmt"
	"log/slog"
	"sync/atomic"
)

// logger passes the server's lines to slog. Notices are its life story ("Starting nats-server"), so they are debug
// lines of ours.
type logger struct {
	log   *slog.Logger
	fatal atomic.Pointer[string] // what stopped the server, see Server.awaitReady
}

func (l *logger) Noticef(format string, args ...any) { l.log.Debug(fmt.Sprintf(format, args...)) }
func (l *logger) Warnf(format string, args ...any)   { l.log.Warn(fmt.Sprintf(format, args...)) }
func (l *logger) Errorf(format string, args ...any)  { l.log.Error(fmt.Sprintf(format, args...)) }
func (l *logger) Debugf(format string, args ...any)  { l.log.Debug(fmt.Sprintf(format, args...)) }
func (l *logger) Tracef(format string, args ...any)  { l.log.Debug(fmt.Sprintf(format, args...)) }

func (l *logger) Fatalf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.fatal.Store(&text)
	l.log.Error(text)
}
