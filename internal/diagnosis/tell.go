package diagnosis

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"

	"tertulia/internal/event"
)

// tell puts an event into words and fields; no words for what has no place on a timeline.
func tell(body event.Body) (text string, fields map[string]any) {
	switch b := body.(type) {
	case event.SessionCreated:
		return "session created", nil
	case event.SessionEnded:
		return "session ended" + reason(b.Reason), map[string]any{"reason": b.Reason}
	case event.Joined:
		return fmt.Sprintf("joined from %s with %s, openvidu-browser %s, through %s",
				b.Address, cmp.Or(b.Platform, "an unknown platform"), cmp.Or(b.SDKVersion, "below 2.21"), cmp.Or(b.Host, "an unknown host")),
			map[string]any{"platform": b.Platform, "sdkVersion": b.SDKVersion, "address": b.Address, "host": b.Host}
	case event.Left:
		return "left: " + b.Reason, map[string]any{"reason": b.Reason}
	case event.SocketLost:
		return fmt.Sprintf("websocket lost after %s, %s since its last message%s", seconds(b.Age), seconds(b.Silent), reason(b.Reason)),
			map[string]any{"age": b.Age, "silent": b.Silent, "code": b.Code, "reason": b.Reason}
	case event.SocketBack:
		return fmt.Sprintf("websocket back after %s", seconds(b.After)), map[string]any{"after": b.After}
	case event.Published:
		return fmt.Sprintf("publishes %s: audio %s, video %s", b.Stream, cmp.Or(b.Audio, "none"), cmp.Or(b.Video, "none")),
			map[string]any{"streamId": b.Stream, "endpoint": b.Endpoint, "audio": b.Audio, "video": b.Video, "hasVideo": b.HasVideo}
	case event.Unpublished:
		return fmt.Sprintf("no longer publishes %s%s", b.Stream, reason(b.Reason)), map[string]any{"streamId": b.Stream, "reason": b.Reason}
	case event.Subscribed:
		return fmt.Sprintf("receives %s of %s", b.Stream, b.Publisher),
			map[string]any{"streamId": b.Stream, "publisher": b.Publisher, "endpoint": b.Endpoint}
	case event.Unsubscribed:
		return "no longer receives " + b.Stream + reason(b.Reason),
			map[string]any{"streamId": b.Stream, "endpoint": b.Endpoint, "reason": b.Reason}
	case event.SignalSent:
		return "", nil // an application's talk would push out what explains its calls
	case event.QualityChanged:
		return fmt.Sprintf("network quality %d, was %d", b.New, b.Old), map[string]any{"newValue": b.New, "oldValue": b.Old}
	case event.Refused:
		return fmt.Sprintf("%s was refused: %s", b.Method, b.Text),
			map[string]any{"method": b.Method, "streamId": b.Stream, "code": b.Code}
	case event.Transport:
		return fmt.Sprintf("transport of %s %s%s", b.Endpoint, b.State, reason(b.Reason)),
			map[string]any{"endpoint": b.Endpoint, "state": b.State, "reason": b.Reason}
	}
	return body.Kind(), nil
}

func reason(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// seconds says a duration in milliseconds to a tenth of a second.
func seconds(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', 1, 64) + " s" }

// maxFields bounds what a client's statistics may take, as JSON.
const maxFields = 4 << 10

// bounded copies what a client said, within limits and without secrets: texts are cleaned, and what is too large is left
// out and said to be.
func bounded(stats map[string]any) map[string]any {
	if stats == nil {
		return nil
	}
	text, err := json.Marshal(stats)
	if err != nil || len(text) > maxFields {
		return map[string]any{"omitted": "more than " + strconv.Itoa(maxFields) + " bytes"}
	}
	copied, _ := cleaned(stats, 0).(map[string]any)
	return copied
}

// maxDepth is how deep statistics may nest; below, nothing is kept.
const maxDepth = 6

func cleaned(v any, depth int) any {
	switch v := v.(type) {
	case string:
		return clean(v, maxText)
	case map[string]any:
		copied := map[string]any{}
		if depth < maxDepth {
			for k, inner := range v {
				if _, text := inner.(string); text && private(k) {
					inner = "…"
				}
				copied[clean(k, 100)] = cleaned(inner, depth+1)
			}
		}
		return copied
	case []any:
		var copied []any
		if depth < maxDepth {
			for _, inner := range v {
				copied = append(copied, cleaned(inner, depth+1))
			}
		}
		return copied
	}
	return v
}
