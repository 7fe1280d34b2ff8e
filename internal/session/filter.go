package session

import (
	"slices"

	"tertulia/internal/fault"
)

// filter refuses in the order of the original (spec §4.14): whose role does not allow it (401), whose stream is not
// there (102, 105), and everybody else, because there are no filters (406). A publisher may apply to its own stream
// those that its token lists; moderators may do all to all.
func filter(t *turn, me *Connection, c Filter) {
	owner, err := t.sender(c.Stream)
	mine := owner == me && (c.Type == "" || me.Kurento != nil && slices.Contains(me.Kurento.AllowedFilters, c.Type))
	switch {
	case !me.mayModerate() && !mine:
		t.fail(fault.New(fault.RoleDenied, "connection %s may not filter stream %.80q: it is not MODERATOR, and not the owner of the stream with the filter among kurentoOptions.allowedFilters", me.ID, c.Stream))
	case err != nil:
		t.fail(err)
	default:
		t.fail(noFilter("stream %.80q stays as it is", c.Stream))
	}
}

func noFilter(format string, args ...any) error {
	return fault.New(fault.NoFilter, "this deployment has no filters; "+format, args...)
}
