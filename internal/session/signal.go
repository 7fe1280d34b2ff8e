package session

import "tertulia/internal/fault"

// sendSignal is a signal by REST: it has no sender (rest §8.8).
func sendSignal(t *turn, c SendSignal) {
	if !t.Active {
		t.fail(fault.New(fault.SessionInactive, "nobody has joined session %s yet", t.ID))
		return
	}
	signal(t, c.To, Signal{Type: c.Type, Data: c.Data})
}

// clientSignal is sendMessage (spec §4.9); the sender hears itself if addressed.
func clientSignal(t *turn, me *Connection, c ClientSignal) {
	signal(t, c.To, Signal{From: me.ID, Type: c.Type, Data: c.Data})
}

// signal delivers to those named, or to all; to nobody if one name is unknown.
func signal(t *turn, to []string, s Signal) {
	if len(to) == 0 {
		t.notify(s, t.joined("")...)
		t.reply(nil)
		return
	}
	var audience []string
	seen := map[string]bool{}
	for _, id := range to {
		if seen[id] {
			continue
		}
		if t.active(id) == nil {
			t.fail(fault.New(fault.SignalTarget, "to names connection %.80q, which session %s does not have; nothing was sent", id, t.ID))
			return
		}
		seen[id] = true
		audience = append(audience, id)
	}
	t.notify(s, audience...)
	t.reply(nil)
}
