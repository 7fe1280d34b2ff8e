package session

import (
	"context"
	"errors"
	"slices"

	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// settled is the result of an Ask, or its deadline.
type settled struct {
	Ask
	Description mediactl.Description
	Err         error
}

func (settled) command() {}

// askMedia hands a client's request to the media node.
func askMedia(t *turn, me *Connection, a Ask) {
	if a.To != (Origin{}) {
		me.asked = append(me.asked, a.To)
	}
	t.emit(a)
}

func settle(t *turn, d settled) {
	d.Err = mediaError(d.Err)
	if me := t.active(d.Connection); me != nil {
		if i := slices.Index(me.asked, d.To); i >= 0 {
			me.asked = slices.Delete(me.asked, i, i+1)
		} else { // nobody asked, or one who had this id before and was answered when it left
			d.To = Origin{}
		}
	}
	switch request := d.Request.(type) {
	case mediactl.Publish:
		publishSettled(t, d, request)
	case mediactl.Subscribe:
		subscribeSettled(t, d, request)
	case mediactl.Answer:
		answerSettled(t, d)
	}
}

// mediaError gives a kind to what came from the node without one.
func mediaError(err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Timeout, "the media node did not answer in time; try again")
	}
	return fault.Wrap(fault.MediaFailed, err, "the media node failed")
}

// mayTranscode says whether a refused codec policy may be left out (spec §6.7).
func (t *turn) mayTranscode(err error) bool {
	return t.Properties.AllowTranscoding && fault.Is(err, fault.CodecMismatch)
}
