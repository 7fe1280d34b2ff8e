package session

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"tertulia/internal/event"
	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// show tells effects as the scripts do: who gets what.
func show(effects []Effect) []string {
	var lines []string
	add := func(format string, args ...any) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
	for _, effect := range effects {
		switch e := effect.(type) {
		case Reply:
			to := "rest"
			if e.To.Connection != "" {
				to = e.To.Connection + " #" + e.To.Request
			}
			add("%s <- %s", to, showResult(e.Result, e.Err))
		case Notify:
			add("%s <- %s", strings.Join(e.To, ","), showNotice(e.Notice))
		case Admit:
			if e.Result == nil {
				add("%s resumes", e.Connection.ID)
			} else {
				add("%s joins: %s", e.Connection.ID, showResult(*e.Result, nil))
			}
		case Dismiss:
			add("%s is dismissed", e.Connection)
		case Ask:
			add("ask %s", showRequest(e.Request))
		case Tell:
			add("tell %s", showRequest(e.Request))
		case Arm:
			add("arm %v %s", e.After, showPlain(e.Command))
		case End:
			add("end %s", e.Reason)
		case Happened:
			add("event %s", showHappened(e))
		case Save:
			add("save")
		}
	}
	return lines
}

// showHappened shows an event.
func showHappened(h Happened) string {
	who := ""
	if h.Connection != "" {
		who = h.Connection + " "
	}
	if b, ok := h.Body.(event.SignalSent); ok {
		return fmt.Sprintf("%s%s to %s type=%s data=%s", who, b.Kind(), strings.Join(b.To, ","), text(b.Type), text(b.Data))
	}
	return strings.TrimSpace(who + h.Body.Kind() + " " + showFields(reflect.ValueOf(h.Body)))
}

// showFields shows the fields of an event that say something.
func showFields(v reflect.Value) string {
	var fields []string
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		switch {
		case f.IsZero():
		case name == "Joined":
			fields = append(fields, "Joined{"+showFields(f)+"}")
		case name == "Media":
			fields = append(fields, showMedia(f.Interface().(event.Media)))
		default:
			fields = append(fields, fmt.Sprintf("%s=%v", name, f))
		}
	}
	return strings.Join(fields, " ")
}

func showMedia(m event.Media) string {
	var words []string
	for word, is := range map[string]bool{"audio": m.HasAudio, "video": m.HasVideo, m.TypeOfVideo: m.TypeOfVideo != ""} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return fmt.Sprintf("Media{%s %d%s}", strings.Join(words, " "), m.FrameRate, m.Dimensions)
}

func showResult(result any, err error) string {
	if err != nil {
		return "error " + string(fault.Of(err))
	}
	switch r := result.(type) {
	case nil:
		return "ok"
	case *Connection:
		return showConnection(r)
	case JoinResult:
		var others []string
		for _, o := range r.Others {
			others = append(others, showConnection(o))
		}
		return fmt.Sprintf("%s others [%s]", showConnection(r.Self), strings.Join(others, "; "))
	case PublishResult:
		return fmt.Sprintf("%s %s created %d", r.Answer, r.Stream, r.CreatedAt)
	case SubscribeResult:
		return r.SDP
	}
	return fmt.Sprintf("%+v", result)
}

func showConnection(c *Connection) string {
	line := fmt.Sprintf("%s %s", c.ID, c.Role)
	if c.Token != "" && c.ActiveAt == 0 {
		line += " " + c.Token
	}
	if m := c.Metadata(); m != "" {
		line += " " + m
	}
	if c.Stream != nil {
		line += fmt.Sprintf(" %s %s", c.Stream.ID, c.Stream.Phase)
	}
	return line
}

func showNotice(n Notice) string {
	switch n := n.(type) {
	case StreamPublished:
		return fmt.Sprintf("StreamPublished %s %s audio=%v video=%v", n.Connection, n.Stream.ID, n.Stream.Media.AudioActive, n.Stream.Media.VideoActive)
	case RemoteCandidate:
		return fmt.Sprintf("RemoteCandidate %s %s", n.Endpoint, n.Candidate.Candidate)
	case Signal:
		raw := map[bool]string{true: " raw"}[n.Raw]
		return fmt.Sprintf("Signal from=%s type=%s data=%s%s", n.From, text(n.Type), text(n.Data), raw)
	}
	return showPlain(n)
}

func text(s *string) string {
	if s == nil {
		return "absent"
	}
	return *s
}

func showPlain(v any) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", v), "session.")
	return name + " " + strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%+v", v), "{"), "}")
}

func showRequest(request any) string {
	switch q := request.(type) {
	case mediactl.Publish:
		return fmt.Sprintf("Publish %s offer=%s %s loopback=%v reconnect=%v", q.Endpoint, q.Offer, showPolicy(q.Policy), q.Loopback, q.Reconnect)
	case mediactl.Subscribe:
		return fmt.Sprintf("Subscribe %s source=%s offer=%s %s audio=%v video=%v", q.Endpoint, q.Source, q.Offer, showPolicy(q.Policy), q.Audio, q.Video)
	case mediactl.Answer:
		return fmt.Sprintf("Answer %s %s", q.Endpoint, q.SDP)
	case mediactl.Trickle:
		return fmt.Sprintf("Trickle %s %s", q.Endpoint, q.Candidate.Candidate)
	case mediactl.Release:
		return "Release " + q.Endpoint
	}
	return fmt.Sprintf("%T?", request)
}

func showPolicy(p mediactl.Policy) string {
	line := fmt.Sprintf("codecs=%s kbps=%d", strings.Join(p.Video, "|"), p.MaxRecvKbps+p.MaxSendKbps)
	if p.MinRecvKbps > 0 {
		line += fmt.Sprintf(" min=%d", p.MinRecvKbps)
	}
	if p.Strict {
		line += " strict"
	}
	if p.CommonStream {
		line += " common"
	}
	return line
}
