package signal

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// TestCommands says what each request asks of the session, and what asks for nothing.
func TestCommands(t *testing.T) {
	const me = "con_A"
	text, hi := "signal:chat", "hi"
	camera := session.StreamMedia{HasAudio: true, HasVideo: true, AudioActive: true, VideoActive: true, FrameRate: -1}
	for _, c := range []struct {
		method, params string
		want           session.Command
	}{
		{"leaveRoom", `{}`, session.Leave{Connection: me}},
		{"closeSession", ``, session.Leave{Connection: me}},
		{"unpublishVideo", `{}`, session.Unpublish{Connection: me}},
		{"echo", `{}`, nil},
		{"videoData", `{"height":1,"width":2,"videoActive":true,"audioActive":true}`, nil},
		{"sessionStatus", `{"sessionId":"S"}`, nil},
		{"publishVideo", `{"sdpOffer":"o"}`, session.Publish{Connection: me, Offer: "o", Media: camera}},
		{"publishVideo", `{"sdpOffer":"o","audioActive":false,"videoActive":true}`, // up to 2.2: these say what there is
			session.Publish{Connection: me, Offer: "o", Media: session.StreamMedia{HasVideo: true, VideoActive: true, FrameRate: -1}}},
		{"publishVideo", `{"sdpOffer":"o","doLoopback":true,"hasAudio":true,"hasVideo":false,"audioActive":false,"typeOfVideo":"","filter":{}}`,
			session.Publish{Connection: me, Offer: "o", Loopback: true, Media: session.StreamMedia{HasAudio: true, VideoActive: true, FrameRate: -1}}},
		{"publishVideo", `{"sdpOffer":"o","typeOfVideo":"SCREEN","frameRate":15,"videoDimensions":"{}","filter":{"type":""}}`,
			session.Publish{Connection: me, Offer: "o", Media: session.StreamMedia{HasAudio: true, HasVideo: true, AudioActive: true, VideoActive: true, TypeOfVideo: "SCREEN", FrameRate: 15, Dimensions: "{}"}}},
		{"publishVideo", `{"sdpOffer":"o","filter":{"type":"GStreamerFilter","options":{}}}`, session.Publish{Connection: me, Offer: "o", Filter: "GStreamerFilter", Media: camera}},
		{"applyFilter", `{"streamId":"s","type":"t","options":"{}"}`, session.Filter{Connection: me, Method: "applyFilter", Stream: "s", Type: "t"}},
		{"removeFilter", `{"streamId":"s"}`, session.Filter{Connection: me, Method: "removeFilter", Stream: "s"}},
		{"execFilterMethod", `{"streamId":"s","method":"m","params":"{}"}`, session.Filter{Connection: me, Method: "execFilterMethod", Stream: "s"}},
		{"addFilterEventListener", `{"streamId":"s","eventType":"e"}`, session.Filter{Connection: me, Method: "addFilterEventListener", Stream: "s"}},
		{"removeFilterEventListener", `{"streamId":"s","eventType":"e"}`, session.Filter{Connection: me, Method: "removeFilterEventListener", Stream: "s"}},
		{"receiveVideoFrom", `{"sender":"str_B","sdpOffer":"o"}`, session.Subscribe{Connection: me, Sender: "str_B", Offer: "o"}},
		{"receiveVideoFrom", `{"sender":"str_B","sdpAnswer":"a"}`, session.AnswerSubscription{Connection: me, Sender: "str_B", SDP: "a"}},
		{"prepareReceiveVideoFrom", `{"sender":"str_B","reconnect":true}`, session.Subscribe{Connection: me, Sender: "str_B"}},
		{"unsubscribeFromVideo", `{"sender":"con_B"}`, session.Unsubscribe{Connection: me, Sender: "con_B"}},
		{"onIceCandidate", `{"endpointName":"con_B","candidate":"c","sdpMid":"0","sdpMLineIndex":"1"}`,
			session.Candidate{Connection: me, Endpoint: "con_B", Candidate: mediactl.Candidate{Candidate: "c", SDPMid: "0", SDPMLineIndex: 1}}},
		{"onIceCandidate", `{"candidate":"","sdpMid":null}`, session.Candidate{Connection: me}},
		{"sendMessage", `{"message":"{\"to\":[\"con_B\"],\"type\":\"signal:chat\",\"data\":\"hi\"}"}`,
			session.ClientSignal{Connection: me, To: []string{"con_B"}, Type: &text, Data: &hi, Form: session.PrefixedSignals}},
		{"sendMessage", `{"message":"{}"}`, session.ClientSignal{Connection: me, Form: session.PrefixedSignals}},
		{"streamPropertyChanged", `{"streamId":"any","property":"audioActive","newValue":false,"reason":"publishAudio"}`,
			session.ChangeStream{Connection: me, Property: "audioActive", NewValue: "false", Reason: "publishAudio"}},
		{"streamPropertyChanged", `{"property":"videoDimensions","newValue":"{\"width\":1}"}`,
			session.ChangeStream{Connection: me, Property: "videoDimensions", NewValue: `"{\"width\":1}"`}},
		{"streamPropertyChanged", `{"property":"videoTrack","newValue":{"label":"x"}}`,
			session.ChangeStream{Connection: me, Property: "videoTrack", NewValue: `{"label":"x"}`}},
		{"reconnectStream", `{"stream":"str_A","sdpString":"s"}`, session.Reconnect{Connection: me, Stream: "str_A", SDP: "s", IsAnswer: true}},
		{"reconnectStream", `{"stream":"str_A","sdpOffer":"o"}`, session.Reconnect{Connection: me, Stream: "str_A", SDP: "o"}},
		{"reconnectStream", `{"stream":"str_A","sdpOffer":"o","sdpString":"s"}`, session.Reconnect{Connection: me, Stream: "str_A", SDP: "o"}},
		{"forceDisconnect", `{"connectionId":"con_B"}`, session.ForceDisconnect{Connection: me, Target: "con_B"}},
		{"forceUnpublish", `{"streamId":"str_B"}`, session.ForceUnpublish{Connection: me, Stream: "str_B"}},
	} {
		got, err := commandOf(t, c.method, c.params)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %s: %+v, %v, want %+v", c.method, c.params, got, err, c.want)
		}
	}
}

// commandOf decodes a request's parameters and translates it, as a socket does.
func commandOf(t *testing.T, method, params string) (session.Command, error) {
	t.Helper()
	row, ok := openvidu.FindMethod(method)
	if !ok {
		t.Fatalf("no method %s", method)
	}
	var p any
	if row.Params != nil {
		p = row.Params()
		if err := openvidu.Decode(json.RawMessage(params), p); err != nil {
			return nil, err
		}
	}
	return newDialect(release{platform: "Chrome", sdk: "2.32.2"}, "").command("con_A", method, p)
}

// TestRefusedRequests never reach the session.
func TestRefusedRequests(t *testing.T) {
	for _, c := range []struct {
		method, params string
		code           int
		text           string
	}{
		{"publishVideo", `{}`, -1, "sdpOffer is missing"},
		{"publishVideo", `{"sdpOffer":"o","typeOfVideo":"IPCAM"}`, -1, "typeOfVideo is IPCAM"},
		{"publishVideo", `{"sdpOffer":"o","typeOfVideo":"` + strings.Repeat("x", 4000) + `"}`, -1, "typeOfVideo is xxx"},
		{"receiveVideoFrom", `{"sender":"str_B"}`, -1, "sdpOffer is missing"},
		{"receiveVideoFrom", `{"sdpOffer":"o"}`, -1, "sender is missing"},
		{"reconnectStream", `{"stream":"str_A"}`, -1, "sdpString is missing"},
		{"sendMessage", `{"message":"hi"}`, 600, "not JSON text"},
		{"sendMessage", `{"message":"{\"to\":[null]}"}`, 601, "to holds null"},
		{"sendMessage", `{"message":"` + strings.Repeat("x", 70_000) + `"}`, -1, "message is 70000 bytes long"},
		{"streamPropertyChanged", `{"property":"audioActive"}`, -1, "newValue is missing"},
		{"forceDisconnect", `{}`, -1, "connectionId is missing"},
		{"applyFilter", `{"streamId":"s"}`, -1, "type is missing"},
		{"subscribeToSpeechToText", `{"connectionId":"c","lang":"en-US"}`, 997, "Speech To Text service is not enabled. Code: 997"},
		{"unsubscribeFromSpeechToText", `{"connectionId":"c"}`, 997, "Speech To Text service is not enabled. Code: 997"},
	} {
		command, err := commandOf(t, c.method, c.params)
		if err == nil {
			t.Errorf("%s %.80s: asks %+v", c.method, c.params, command)
			continue
		}
		told, ours := refusal(err)
		if told.Code != c.code || !strings.Contains(told.Message, c.text) || ours || len(told.Message) > 300 {
			t.Errorf("%s %.80s: %d %s", c.method, c.params, told.Code, told.Message)
		}
	}
}

// TestResults: the answer of each method, for each result of the session.
func TestResults(t *testing.T) {
	s := New(Config{Life: 1700000000000, Log: quiet(t)})
	for _, c := range []struct {
		method string
		result any
		want   string
	}{
		{"publishVideo", session.PublishResult{Answer: "a", Stream: "str_A", CreatedAt: 7}, `{"sdpAnswer":"a","id":"str_A","createdAt":7,"sessionId":"rpc"}`},
		{"reconnectStream", session.PublishResult{Answer: "a", Stream: "str_A", CreatedAt: 7}, `{"sdpAnswer":"a","id":"str_A","createdAt":7,"sessionId":"rpc"}`},
		{"reconnectStream", session.SubscribeResult{SDP: "a"}, `{"sdpAnswer":"a","sessionId":"rpc"}`},
		{"reconnectStream", nil, `{"sessionId":"rpc"}`},
		{"receiveVideoFrom", session.SubscribeResult{SDP: "a"}, `{"sdpAnswer":"a","sessionId":"rpc"}`},
		{"receiveVideoFrom", nil, `{"sessionId":"rpc"}`},
		{"prepareReceiveVideoFrom", session.SubscribeResult{SDP: "o"}, `{"sdpOffer":"o","sessionId":"rpc"}`},
		{"leaveRoom", nil, `{"sessionId":"rpc"}`},
		{"closeSession", nil, `{"value":"bye","sessionId":"rpc"}`},
		{"sessionStatus", nil, `{"life":1700000000000,"sessionId":"rpc"}`},
		{"", nil, `{"sessionId":"rpc"}`}, // asked on an older socket, which has cancelled it
	} {
		text, err := json.Marshal(s.result(c.method, "rpc", c.result))
		if err != nil || string(text) != c.want {
			t.Errorf("%s %+v: %s, %v", c.method, c.result, text, err)
		}
	}
}

// TestNotifications: every notice has its notification, for clients of any release.
func TestNotifications(t *testing.T) {
	kind, data := "signal:chat", "hi"
	camera := session.Stream{ID: "str_B", CreatedAt: 3, Media: session.StreamMedia{HasAudio: true, HasVideo: true, VideoActive: true, TypeOfVideo: "CAMERA", FrameRate: 30, Dimensions: "{}"}}
	audio := session.Stream{ID: "str_B", Media: session.StreamMedia{HasAudio: true, AudioActive: true, TypeOfVideo: "CAMERA", FrameRate: -1, Dimensions: "{}"}}
	old, now := release{first: true}, release{platform: "Chrome", sdk: "2.32.2"}
	for _, c := range []struct {
		release release
		notice  session.Notice
		name    string
		want    string
	}{
		{now, session.Joined{Connection: "con_B", CreatedAt: 3, Metadata: "m"}, "participantJoined", `{"id":"con_B","createdAt":3,"metadata":"m"}`},
		{now, session.StreamPublished{Connection: "con_B", Stream: camera}, "participantPublished", `{"id":"con_B","streams":[{"id":"str_B","createdAt":3,"hasAudio":true,` +
			`"hasVideo":true,"audioActive":false,"videoActive":true,"typeOfVideo":"CAMERA","frameRate":30,"videoDimensions":"{}","filter":{}}]}`},
		{old, session.StreamPublished{Connection: "con_B", Stream: camera}, "participantPublished", `{"id":"con_B","streams":[{"id":"str_B","createdAt":3,"hasAudio":true,` +
			`"hasVideo":true,"audioActive":true,"videoActive":true,"typeOfVideo":"CAMERA","frameRate":30,"videoDimensions":"{}","filter":{}}]}`},
		{now, session.StreamPublished{Connection: "con_B", Stream: audio}, "participantPublished", `{"id":"con_B","streams":[{"id":"str_B","createdAt":0,"hasAudio":true,` +
			`"hasVideo":false,"audioActive":true,"videoActive":false,"frameRate":-1,"filter":{}}]}`},
		{now, session.StreamUnpublished{Connection: "con_B", Reason: "unpublish"}, "participantUnpublished", `{"connectionId":"con_B","name":"con_B","reason":"unpublish"}`},
		{now, session.Left{Connection: "con_B", Reason: "disconnect"}, "participantLeft", `{"connectionId":"con_B","name":"con_B","reason":"disconnect"}`},
		{now, session.Evicted{Connection: "con_A", Reason: "nodeCrashed"}, "participantEvicted", `{"connectionId":"con_A","reason":"nodeCrashed"}`},
		{now, session.RemoteCandidate{Endpoint: "con_B", Candidate: mediactl.Candidate{Candidate: "c", SDPMid: "0"}}, "iceCandidate",
			`{"senderConnectionId":"con_B","endpointName":"con_B","sdpMLineIndex":0,"sdpMid":"0","candidate":"c"}`},
		{now, session.Signal{From: "con_B", Type: &kind, Data: &data}, "sendMessage", `{"type":"signal:chat","data":"hi","from":"con_B"}`},
		{old, session.Signal{From: "con_B", Type: &kind, Data: &data}, "sendMessage", `{"type":"chat","data":"hi","from":"con_B"}`},
		{now, session.Signal{Type: &data}, "sendMessage", `{"type":"signal:hi"}`},
		{now, session.Signal{}, "sendMessage", `{}`},
		{now, session.StreamChanged{Connection: "con_B", Stream: "str_B", Property: "audioActive", NewValue: "true", Reason: "publishAudio"}, "streamPropertyChanged",
			`{"connectionId":"con_B","streamId":"str_B","property":"audioActive","newValue":"true","reason":"publishAudio"}`},
		{now, session.ConnectionChanged{Property: "role", NewValue: "MODERATOR"}, "connectionPropertyChanged", `{"property":"role","newValue":"MODERATOR"}`},
		{now, session.QualityChanged{Connection: "con_B", Old: 5, New: 2}, "networkQualityLevelChanged", `{"connectionId":"con_B","newValue":2,"oldValue":5}`},
		{now, session.ForcedOffer{Publisher: "con_B", Stream: "str_B", SDP: "o"}, "forciblyReconnectSubscriber", `{"connectionId":"con_B","streamId":"str_B","sdpOffer":"o"}`},
		{now, nil, "", `null`},
	} {
		name, shape := newDialect(c.release, "").notification(c.notice)
		text, err := json.Marshal(shape)
		if name != c.name || err != nil || string(text) != c.want {
			t.Errorf("%T: %s %s, %v\nwant %s %s", c.notice, name, text, err, c.name, c.want)
		}
	}
}

// TestOurFailuresAreNotTold: a client learns that there was one, the log its text.
func TestOurFailuresAreNotTold(t *testing.T) {
	for _, err := range []error{fault.New(fault.Internal, "password is x"), errors.New("password is x")} {
		if told, ours := refusal(err); !ours || strings.Contains(told.Message, "password") || told.Code != -1 {
			t.Errorf("%v: %+v, ours %v", err, told, ours)
		}
	}
}
