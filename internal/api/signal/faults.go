package signal

import (
	"errors"

	"tertulia/internal/api/jsonrpc"
	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

// codes gives each kind of fault its number in the protocol (spec §3.2).
var codes = map[fault.Kind]openvidu.Code{
	fault.Internal:            openvidu.CodeUncaught,
	fault.Invalid:             openvidu.CodeUncaught,
	fault.TooLarge:            openvidu.CodeGeneric,
	fault.RateLimited:         openvidu.CodeGeneric,
	fault.Timeout:             openvidu.CodeGeneric,
	fault.Unsupported:         openvidu.CodeEdition,
	fault.UnknownMethod:       openvidu.CodeGeneric,
	fault.NotJoined:           openvidu.CodeTransport,
	fault.Unauthorized:        openvidu.CodeUnauthorized,
	fault.Forbidden:           openvidu.CodeUnauthorized,
	fault.TokenInvalid:        openvidu.CodeUnauthorized,
	fault.RoleDenied:          openvidu.CodeUnauthorized,
	fault.SessionNotFound:     openvidu.CodeRoomNotFound,
	fault.SessionExists:       openvidu.CodeSessionID,
	fault.SessionClosed:       openvidu.CodeRoomClosed,
	fault.SessionInactive:     openvidu.CodeRoomNotFound,
	fault.ConnectionNotFound:  openvidu.CodeUserNotFound,
	fault.ConnectionClosed:    openvidu.CodeGeneric, // never answered by the original; 999 by §3.4
	fault.StreamNotFound:      openvidu.CodeNotStreaming,
	fault.NotPublishing:       openvidu.CodeNotStreaming,
	fault.AlreadyPublishing:   openvidu.CodeAlreadyStreaming,
	fault.NoCapacity:          openvidu.CodeNoCapacity,
	fault.SDPInvalid:          openvidu.CodeSDP,
	fault.CodecMismatch:       openvidu.CodeForcedCodec,
	fault.MediaFailed:         openvidu.CodeEndpoint,
	fault.SignalMalformed:     openvidu.CodeSignalFormat,
	fault.SignalTarget:        openvidu.CodeSignalTo,
	fault.ReconnectionUnknown: openvidu.CodeReconnection,
	fault.NodeNotFound:        openvidu.CodeGeneric, // of REST alone
	fault.IPCamera:            openvidu.CodeUser,
	fault.NoFilter:            openvidu.CodeFilter,
}

// refusal turns an error into what the client is told. Of our own failures (ours) it learns only that there was one.
func refusal(err error) (told *jsonrpc.Error, ours bool) {
	coded, ok := errors.AsType[*openvidu.CodeError](err)
	if field, wrong := errors.AsType[*openvidu.FieldError](err); wrong {
		coded, ok = &openvidu.CodeError{Code: openvidu.CodeUncaught, Text: field.Error()}, true
	}
	if !ok {
		kind := fault.Of(err)
		coded = &openvidu.CodeError{Code: codes[kind], Text: err.Error()}
		if ours = kind == fault.Internal; ours {
			coded.Text = "the server failed; its log says why"
		}
	}
	return &jsonrpc.Error{Code: int(coded.Code), Message: coded.Message()}, ours
}
