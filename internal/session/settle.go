package session

import (
	"context"
	"errors"

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

func settle(t *turn, d settled) {
	d.Err = mediaError(d.Err)
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
