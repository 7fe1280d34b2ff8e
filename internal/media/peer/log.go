package peer

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// dtlsLog passes what pion/dtls says of a handshake to our log, by its level; without it errors go to the standard output.
// All of it is detail: whoever may send to us could fill a log with warnings, and a failure is in the endpoint's facts.
type dtlsLog struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (l dtlsLog) NewLogger(string) logging.LeveledLogger { return l }

func (l dtlsLog) line(level, text string) {
	l.log.Debug("dtls: "+text, "said", level)
}

func (l dtlsLog) format(level, format string, args []any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) { // formatting costs more than the line
		l.line(level, fmt.Sprintf(format, args...))
	}
}

// The methods of logging.LeveledLogger. Trace tells of every record, and is left out.
func (l dtlsLog) Trace(string)                      {}
func (l dtlsLog) Tracef(string, ...any)             {}
func (l dtlsLog) Debug(text string)                 { l.line("debug", text) }
func (l dtlsLog) Debugf(format string, args ...any) { l.format("debug", format, args) }
func (l dtlsLog) Info(text string)                  { l.line("info", text) }
func (l dtlsLog) Infof(format string, args ...any)  { l.format("info", format, args) }
func (l dtlsLog) Warn(text string)                  { l.line("warn", text) }
func (l dtlsLog) Warnf(format string, args ...any)  { l.format("warn", format, args) }
func (l dtlsLog) Error(text string)                 { l.line("error", text) }
func (l dtlsLog) Errorf(format string, args ...any) { l.format("error", format, args) }
