package elastic

import (
	"context"
	"log/slog"
	"time"

	"tertulia/internal/wire/openvidu"
)

const (
	maxLine  = 4000 // bytes of a line, or of a field
	maxField = 16
)

// Tee is a log that is exported as well, from info on.
func (e *Exporter) Tee(log *slog.Logger) *slog.Logger {
	return slog.New(&tee{Handler: log.Handler(), to: e})
}

type tee struct {
	slog.Handler
	to     *Exporter
	fields []slog.Attr
	group  string
}

// Handle implements slog.Handler.
func (h *tee) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo {
		h.to.line(r, h.fields, h.group)
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *tee) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := append([]slog.Attr(nil), h.fields...)
	for _, a := range attrs {
		more = append(more, slog.Attr{Key: h.group + a.Key, Value: a.Value})
	}
	return &tee{h.Handler.WithAttrs(attrs), h.to, more, h.group}
}

// WithGroup implements slog.Handler.
func (h *tee) WithGroup(name string) slog.Handler {
	return &tee{h.Handler.WithGroup(name), h.to, h.fields, h.group + name + "."}
}

// Set passes LOG_LEVEL on.
func (h *tee) Set(level slog.Level) {
	if inner, ok := h.Handler.(interface{ Set(slog.Level) }); ok {
		inner.Set(level)
	}
}

func (e *Exporter) line(r slog.Record, fields []slog.Attr, group string) {
	t := e.target.Load()
	if t == nil {
		return
	}
	clean := func(s string) string { return cut(t.secret.Replace(s)) }
	doc := openvidu.ElasticLog{ElasticBeat: e.beat(t, r.Time), Level: r.Level.String(), Message: clean(r.Message), Fields: map[string]string{}}
	note := func(prefix string, a slog.Attr) {
		if len(doc.Fields) < maxField {
			doc.Fields[prefix+a.Key] = clean(a.Value.Resolve().String())
		}
	}
	for _, a := range fields {
		note("", a)
	}
	r.Attrs(func(a slog.Attr) bool { note(group, a); return true })
	doc.SessionID = doc.Fields["session"]
	e.add(dated(openvidu.ElasticLogs, r.Time), doc)
}

// ClientLine exports a line of a client's log; at is the server's time.
func (e *Exporter) ClientLine(at time.Time, session, connection, level, text string) {
	if t := e.target.Load(); t != nil {
		e.add(dated(openvidu.ElasticBrowserLogs, at), openvidu.ElasticLog{
			ElasticBeat: e.beat(t, at), Level: cut(level), Message: cut(t.secret.Replace(text)), SessionID: session, Client: connection,
		})
	}
}

func cut(s string) string {
	if len(s) > maxLine {
		return s[:maxLine]
	}
	return s
}
