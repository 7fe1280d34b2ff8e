package session

import (
	"testing"

	"tertulia/internal/wire/mediactl"
)

// TestCandidatesAreShownAgain: what the media node would have a client try goes to the one whose endpoint it is, for the
// peer connection it belongs to; nobody gets what has ended, or is another session's.
func TestCandidatesAreShownAgain(t *testing.T) {
	bubble(t, func(c *Config) { c.NewID = counter() }, func(t *testing.T, h *house) {
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Publisher)
		again := func(session, endpoint, candidate string, kind mediactl.EventType) {
			h.Event(mediactl.Event{Session: session, Endpoint: endpoint, Type: kind, Candidates: []mediactl.Candidate{{Candidate: candidate}}})
		}
		await := func(at *Attachment, done func(Message) bool) {
			t.Helper()
			for !done(h.next(at)) {
			}
		}
		h.send(a, "2", Publish{Offer: "offer", Media: camera})
		await(a, func(m Message) bool { return m.Reply != nil && m.Reply.Request == "2" })
		var stream string
		await(b, func(m Message) bool {
			n, ok := m.Notice.(StreamPublished)
			stream = n.Stream.ID
			return ok
		})
		h.send(b, "2", Subscribe{Sender: stream, Offer: "offer"})
		await(b, func(m Message) bool { return m.Reply != nil && m.Reply.Request == "2" })

		again("room", a.Connection, "not yet: it is no event of that kind", mediactl.Connected)
		again("room", "nobody", "of no endpoint", mediactl.Again)
		again("elsewhere", a.Connection, "of no session", mediactl.Again)
		again("room", b.Connection, "of one that publishes nothing", mediactl.Again)
		again("room", a.Connection, "publisher's", mediactl.Again)
		again("room", endpoint(b.Connection, stream), "subscription's", mediactl.Again)
		h.expect(a, "RemoteCandidate "+a.Connection+" publisher's")
		h.expect(b, "RemoteCandidate "+a.Connection+" subscription's")
		h.send(b, "3", Unsubscribe{Sender: stream})
		h.expect(b, "#3 ok")
		again("room", endpoint(b.Connection, stream), "of one that has ended", mediactl.Again)
		h.send(b, "4", Unsubscribe{Sender: stream})
		h.expect(b, "#4 ok")
	})
}
