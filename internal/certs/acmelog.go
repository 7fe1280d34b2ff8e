package certs

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// bridge lets certmagic, which logs by zap, write into our log. What it calls news is of interest only to those who
// look for a fault: it comes as debug; its errors we report in our own words (authority.fail), so they come as warnings.
func bridge(log *slog.Logger) *zap.Logger { return zap.New(bridgeCore{log.With("part", "acme")}) }

// bridgeCore is a zapcore.Core on top of slog.
type bridgeCore struct{ log *slog.Logger }

func levelOf(level zapcore.Level) slog.Level {
	if level >= zapcore.WarnLevel {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// Enabled is asked before a line is built.
func (b bridgeCore) Enabled(level zapcore.Level) bool {
	return b.log.Enabled(context.Background(), levelOf(level))
}

// With adds fields to every line.
func (b bridgeCore) With(fields []zapcore.Field) zapcore.Core {
	return bridgeCore{b.log.With(attributes(fields)...)}
}

// Check joins in writing a line.
func (b bridgeCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.Enabled(entry.Level) {
		return checked.AddCore(entry, b)
	}
	return checked
}

// Write writes a line.
func (b bridgeCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	b.log.Log(context.Background(), levelOf(entry.Level), entry.Message, attributes(fields)...)
	return nil
}

// Sync has nothing to do: slog does not buffer.
func (b bridgeCore) Sync() error { return nil }

// attributes are zap's fields as slog takes them.
func attributes(fields []zapcore.Field) []any {
	encoder := zapcore.NewMapObjectEncoder()
	for _, field := range fields {
		field.AddTo(encoder)
	}
	var list []any
	for key, value := range encoder.Fields {
		list = append(list, key, value)
	}
	return list
}
