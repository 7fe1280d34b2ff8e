package peer

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// What the library says is in our log, at debug only.
func TestDTLSLinesFollowTheLevel(t *testing.T) {
	var text bytes.Buffer
	level := new(slog.LevelVar)
	l := dtlsLog{slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: level}))}.NewLogger("dtls")
	say := func() {
		l.Trace("t")
		l.Tracef("t%d", 1)
		l.Debug("d")
		l.Debugf("d%d", 1)
		l.Info("i")
		l.Infof("i%d", 1)
		l.Warn("w")
		l.Warnf("w%d", 1)
		l.Error("e")
		l.Errorf("e%d", 1)
	}
	say()
	if text.Len() != 0 {
		t.Errorf("at the level info: %s", &text)
	}
	level.Set(slog.LevelDebug)
	say()
	if got := text.String(); strings.Count(got, "\n") != 8 || !strings.Contains(got, `msg="dtls: e1" said=error`) || strings.Contains(got, "dtls: t") {
		t.Errorf("at the level debug: %s", got)
	}
}
