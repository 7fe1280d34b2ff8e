package rest

import "context"

// Two settings of the room that 1.7 and 1.8 show to everybody (rest §14.1), at what they were unless changed.

func getSpeakerInterval(context.Context, *request) (response, error) { return ok(1800), nil } // milliseconds

func getSpeakerThreshold(context.Context, *request) (response, error) { return ok(-50), nil } // dB
