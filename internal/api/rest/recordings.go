package rest

import (
	"context"

	"tertulia/internal/fault"
)

// recordingDisabled answers as an OpenVidu whose OPENVIDU_RECORDING is false.
func recordingDisabled(context.Context, *request) (response, error) {
	return response{}, fault.New(fault.Unsupported, "OPENVIDU_RECORDING is false: recordings are not built yet")
}
