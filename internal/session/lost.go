package session

// mediaGone says that the media node has lost the endpoints of the session. With mediaServerReconnect it is back without
// them; any other reason ends the session.
type mediaGone struct{ Reason string }

// suspended says that the process ends and the session goes on in the next one, without its endpoints.
type suspended struct{}

func (mediaGone) command() {}
func (suspended) command() {}

// loseMedia is spec §10.8. A session nobody has joined is of no media node.
func loseMedia(t *turn, c mediaGone) {
	if !t.Active {
		return
	}
	if c.Reason != mediaServerReconnect {
		end(t, c.Reason)
		return
	}
	for _, n := range t.Connections {
		if n.Stream != nil && n.Stream.Phase != Publishing {
			endStream(t, n, c.Reason)
			t.notify(StreamUnpublished{Connection: n.ID, Reason: c.Reason}, t.joined("")...)
		}
	}
}

// suspend ends, for observers, what the record does not keep. Clients are told nothing: they come back and subscribe anew.
// Of a process that was killed the next one tells these ends (event/record.Unended).
func suspend(t *turn) {
	for _, n := range t.Connections {
		for _, s := range n.Subscriptions {
			unsubscribed(t, n, s, mediaServerReconnect)
		}
		n.Subscriptions = nil
	}
}
