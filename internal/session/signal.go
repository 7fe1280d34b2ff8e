package session

import (
	"slices"
	"strings"

	"tertulia/internal/fault"
)

// sendSignal is a signal by REST: it has no sender (rest §8.8).
func sendSignal(t *turn, c SendSignal) {
	if !t.Active {
		t.fail(fault.New(fault.SessionInactive, "nobody has joined session %s yet", t.ID))
		return
	}
	signal(t, nil, c.To, Signal{Type: c.Type, Data: c.Data, Raw: t.heardRaw()})
}

// clientSignal is sendMessage (spec §4.9); the sender hears itself if addressed.
func clientSignal(t *turn, me *Connection, c ClientSignal) {
	if me.SignalForm != c.Form {
		me.SignalForm = c.Form
		t.save()
	}
	signal(t, me, c.To, Signal{From: me.ID, Type: c.Type, Data: c.Data, Raw: t.heardRaw()})
}

// heardRaw reports whether somebody here has turned out to be an openvidu-browser from 2.5 to 2.8. At the join they cannot
// be told from those up to 2.16, but the people of one application mostly have one release: then a page that only listens
// is told types as it understands them. Android's client is none, and those up to 2.4 are known.
func (s *State) heardRaw() bool {
	return slices.ContainsFunc(s.Connections, func(c *Connection) bool {
		return c.ActiveAt != 0 && c.SignalForm == RawSignals && c.Platform != "" && !strings.HasPrefix(c.Platform, "Android ")
	})
}

// signal delivers to those named, or to all; to nobody if one name is unknown.
func signal(t *turn, from *Connection, to []string, s Signal) {
	audience, err := t.audience(to)
	if err != nil {
		t.fail(err)
		return
	}
	t.notify(s, audience...)
	signalled(t, from, audience, s)
	t.reply(nil)
}

// audience lists who is addressed, each once; nobody named means all.
func (t *turn) audience(to []string) ([]string, error) {
	if len(to) == 0 {
		return t.joined(""), nil
	}
	var audience []string
	seen := map[string]bool{}
	for _, id := range to {
		if seen[id] {
			continue
		}
		if t.active(id) == nil {
			return nil, fault.New(fault.SignalTarget, "to names connection %.80q, which session %s does not have; nothing was sent", id, t.ID)
		}
		seen[id] = true
		audience = append(audience, id)
	}
	return audience, nil
}
