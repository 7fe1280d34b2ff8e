package rest

import (
	"context"

	"tertulia/internal/fault"
)

// speechDisabled answers as an OpenVidu Pro whose OPENVIDU_PRO_SPEECH_TO_TEXT is disabled (rest §11.4).
func speechDisabled(context.Context, *request) (response, error) {
	return response{}, fault.New(fault.Unsupported, "speech to text is not enabled: there is none here yet")
}
