package rest

import (
	"context"
	"net/http"
)

// recordingDisabled answers as an OpenVidu whose OPENVIDU_RECORDING is false.
func recordingDisabled(context.Context, *request) (response, error) {
	return response{status: http.StatusNotImplemented}, nil
}
