package openvidu

import "fmt"

// Code is the number of an error, as the original's OpenViduException has it. Clients look at 401 alone (permission
// denied); applications see all.
type Code int

// The codes. Those of recording and broadcast belong to REST and are not here.
const (
	CodeUncaught         Code = -1
	CodeUser             Code = 10
	CodeUserNotFound     Code = 102
	CodeUserExists       Code = 104
	CodeNotStreaming     Code = 105
	CodeAlreadyStreaming Code = 106
	CodeRoomNotFound     Code = 202
	CodeRoomClosed       Code = 203
	CodeNoCapacity       Code = 204
	CodeSDP              Code = 302
	CodeEndpoint         Code = 303
	CodeUnauthorized     Code = 401
	CodeSessionID        Code = 403
	CodeFilter           Code = 406
	CodeSignalFormat     Code = 600
	CodeSignalTo         Code = 601
	CodeForcedCodec      Code = 800
	CodeTransport        Code = 803
	CodeEdition          Code = 997
	CodeGeneric          Code = 999
	CodeReconnection     Code = 40007
)

// CodeRow is one line of the table of errors.
type CodeRow struct {
	Code Code
	Name string // in the original
	Doc  string // when it is sent
}

// Codes is every error the signalling sends.
var Codes = []CodeRow{
	{CodeUncaught, "uncaught", "a parameter is missing, too long or of the wrong type, or the server failed"},
	{CodeUser, "USER_GENERIC_ERROR_CODE", "the operation is not possible on an IP camera"},
	{CodeUserNotFound, "USER_NOT_FOUND_ERROR_CODE", "no such connection in the session"},
	{CodeUserExists, "EXISTING_USER_IN_ROOM_ERROR_CODE", "this socket has joined already"},
	{CodeNotStreaming, "USER_NOT_STREAMING_ERROR_CODE", "no such stream, or its owner does not publish"},
	{CodeAlreadyStreaming, "USER_ALREADY_STREAMING_ERROR_CODE", "the connection publishes already"},
	{CodeRoomNotFound, "ROOM_NOT_FOUND_ERROR_CODE", "no such session"},
	{CodeRoomClosed, "ROOM_CLOSED_ERROR_CODE", "the session is closing or closed"},
	{CodeNoCapacity, "ROOM_CANNOT_BE_CREATED_ERROR_CODE", "no media node can take the session"},
	{CodeSDP, "MEDIA_SDP_ERROR_CODE", "the session description cannot be used"},
	{CodeEndpoint, "MEDIA_ENDPOINT_ERROR_CODE", "a media endpoint could not be made or connected"},
	{CodeUnauthorized, "USER_UNAUTHORIZED_ERROR_CODE", "the token is not valid, or the role does not allow it"},
	{CodeSessionID, "SESSIONID_CANNOT_BE_CREATED_ERROR_CODE", "the session id is taken"},
	{CodeFilter, "FILTER_NOT_APPLIED_ERROR_CODE", "there are no filters here"},
	{CodeSignalFormat, "SIGNAL_FORMAT_INVALID_ERROR_CODE", "the signal is not a JSON object"},
	{CodeSignalTo, "SIGNAL_TO_INVALID_ERROR_CODE", "the signal names an unknown connection; nobody got it"},
	{CodeForcedCodec, "FORCED_CODEC_NOT_FOUND_IN_SDPOFFER", "the offer has none of the codecs allowed"},
	{CodeTransport, "TRANSPORT_ERROR_CODE", "a method before joinRoom"},
	{CodeEdition, "WRONG_OPENVIDU_EDITION_ERROR_CODE", "not offered by this deployment"},
	{CodeGeneric, "GENERIC_ERROR_CODE", "unknown method, time-out, a limit was reached, the connection is gone"},
	{CodeReconnection, "reconnection error", "connect with an unknown RPC session id"},
}

// CodeError is an error with its number.
type CodeError struct {
	Code Code
	Text string // for the person who sent the request
}

func (e *CodeError) Error() string { return e.Text }

// Refuse makes a CodeError.
func Refuse(code Code, format string, args ...any) *CodeError {
	return &CodeError{Code: code, Text: fmt.Sprintf(format, args...)}
}

// Message is the text as it travels: it ends in the number, except for the reconnection error, which old clients
// compare as a whole (spec §3.1).
func (e *CodeError) Message() string {
	if e.Code == CodeReconnection {
		return "reconnection error"
	}
	return fmt.Sprintf("%s. Code: %d", e.Text, int(e.Code))
}
