package openvidu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What openvidu-browser sends of its log: JSNLog batches of up to 100 lines, each cut at 1,000 characters
// (OpenViduLogger.ts). After a failure it sends more at once; the newest count.
const (
	MaxLogBody  = 256 << 10 // bytes
	MaxLogLines = 100
	MaxLogText  = 1000 // bytes
)

// LogLine is one line of a client's log.
type LogLine struct {
	At    int64  // Unix milliseconds of the client's clock
	Level string // "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"
	Text  string
}

// ParseLog reads a batch: {"r": …, "lg": [{"l": 3000, "m": text, "n": logger, "t": milliseconds}]}.
func ParseLog(body []byte) ([]LogLine, error) {
	var batch struct {
		Lines []struct {
			Level   float64         `json:"l"`
			Message json.RawMessage `json:"m"`
			At      float64         `json:"t"`
		} `json:"lg"`
	}
	if err := json.Unmarshal(body, &batch); err != nil {
		return nil, fmt.Errorf("the body is no JSNLog batch: %w", err)
	}
	from := batch.Lines[max(0, len(batch.Lines)-MaxLogLines):]
	lines := make([]LogLine, 0, len(from))
	for _, l := range from {
		at := int64(0)
		if l.At > 0 && l.At < 1<<53 {
			at = int64(l.At)
		}
		lines = append(lines, LogLine{At: at, Level: logLevel(l.Level), Text: logText(l.Message)})
	}
	return lines, nil
}

// logLevel: JSNLog's numbers.
func logLevel(n float64) string {
	switch {
	case n <= 1000:
		return "TRACE"
	case n <= 2000:
		return "DEBUG"
	case n <= 3000:
		return "INFO"
	case n <= 4000:
		return "WARN"
	case n <= 5000:
		return "ERROR"
	}
	return "FATAL"
}

// logText is what a browser's console would show. The SDK logs the arguments of a call as the JSON text of an object
// {"0": …, "1": …}, which is no JSON any more if it was cut.
func logText(message json.RawMessage) string {
	var text string
	if json.Unmarshal(message, &text) != nil {
		text = string(bytes.TrimSpace(message))
	}
	var arguments map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &arguments) == nil && len(arguments) > 0 {
		var words []string
		for i := range len(arguments) {
			argument, ok := arguments[strconv.Itoa(i)]
			if !ok {
				words = nil
				break
			}
			var word string
			if json.Unmarshal(argument, &word) != nil {
				word = string(argument)
			}
			words = append(words, word)
		}
		if words != nil {
			text = strings.Join(words, " ")
		}
	}
	if len(text) > MaxLogText {
		text = text[:MaxLogText]
		for len(text) > 0 && !utf8.ValidString(text[max(0, len(text)-utf8.UTFMax):]) {
			text = text[:len(text)-1]
		}
	}
	return strings.ToValidUTF8(text, "")
}
