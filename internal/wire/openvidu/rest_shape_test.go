package openvidu

import (
	"encoding/json"
	"testing"
)

// TestRESTShapes pins keys, their order and their nulls: the Java client fails on a missing key.
func TestRESTShapes(t *testing.T) {
	yes, rate, dimensions, token, role, now, text := true, 30, `{"width":640,"height":480}`, "wss://h?sessionId=s&token=tok_a", "PUBLISHER", int64(2), "x"
	video := RESTVideoOptions{TypeOfVideo: "CAMERA"}
	for name, test := range map[string]struct {
		value any
		want  string
	}{
		"an empty list": {NewRESTList[RESTConnection](nil), `{"numberOfElements":0,"content":[]}`},
		"a list":        {NewRESTList([]int{7, 8}), `{"numberOfElements":2,"content":[7,8]}`},
		"a pending connection": {
			RESTConnection{
				ID: "con_a", ConnectionID: "con_a", Object: "connection", Status: RESTPending, SessionID: "s", CreatedAt: 1, Token: &token,
				Type: RESTWebRTC, Record: true, Role: &role, CustomICEServers: []RESTICEServer{},
			},
			`{"id":"con_a","connectionId":"con_a","object":"connection","status":"pending","sessionId":"s","createdAt":1,"activeAt":null,"location":null,` +
				`"ip":null,"platform":null,"token":"wss://h?sessionId=s\u0026token=tok_a","type":"WEBRTC","record":true,"role":"PUBLISHER","kurentoOptions":null,` +
				`"customIceServers":[],"rtspUri":null,"adaptativeBitrate":null,"onlyPlayWithSubscribers":null,"networkCache":null,"serverData":"",` +
				`"clientData":null,"publishers":null,"subscribers":null}`,
		},
		"an active connection": {
			RESTConnection{
				Status: RESTActive, ActiveAt: &now, Location: &text, IP: &text, Platform: &text, ClientData: &text, KurentoOptions: &RESTKurentoOptions{},
				CustomICEServers: []RESTICEServer{{URL: "turn:a", Username: "u", Credential: "p", StaticAuthSecret: "hidden"}, {URL: "stun:a"}},
				Publishers:       []RESTPublisher{}, Subscribers: []RESTSubscriber{{CreatedAt: 3, StreamID: "str_a"}},
			},
			`{"id":"","connectionId":"","object":"","status":"active","sessionId":"","createdAt":0,"activeAt":2,"location":"x","ip":"x","platform":"x",` +
				`"token":null,"type":"","record":false,"role":null,"kurentoOptions":{},"customIceServers":[{"url":"turn:a","username":"u","credential":"p"},` +
				`{"url":"stun:a"}],"rtspUri":null,"adaptativeBitrate":null,"onlyPlayWithSubscribers":null,"networkCache":null,"serverData":"",` +
				`"clientData":"x","publishers":[],"subscribers":[{"createdAt":3,"streamId":"str_a"}]}`,
		},
		"audio only": {RESTMediaOptions{HasAudio: true, AudioActive: &yes}, `{"hasAudio":true,"audioActive":true,"hasVideo":false,"filter":{}}`},
		"video of unknown size": {
			RESTMediaOptions{HasVideo: true, RESTVideoOptions: &video},
			`{"hasAudio":false,"hasVideo":true,"videoActive":false,"typeOfVideo":"CAMERA","frameRate":null,"videoDimensions":null,"filter":{}}`,
		},
		"video": {
			RESTMediaOptions{HasVideo: true, RESTVideoOptions: &RESTVideoOptions{VideoActive: true, TypeOfVideo: "SCREEN", FrameRate: &rate, VideoDimensions: &dimensions}},
			`{"hasAudio":false,"hasVideo":true,"videoActive":true,"typeOfVideo":"SCREEN","frameRate":30,"videoDimensions":"{\"width\":640,\"height\":480}","filter":{}}`,
		},
		"a subscriber with statistics": {
			RESTSubscriber{StreamID: "str_a", RESTStats: &RESTStats{WebRTCEndpointName: "n", ClientICECandidates: []RESTCandidate{{Candidate: "c", SDPMid: "0"}}, ServerICECandidates: []RESTCandidate{}, Events: []RESTMediaEvent{}}},
			`{"createdAt":0,"streamId":"str_a","webrtcEndpointName":"n","remoteSdp":"","localSdp":"","clientIceCandidates":[{"candidate":"c","sdpMid":"0",` +
				`"sdpMLineIndex":0}],"serverIceCandidates":[],"localCandidate":"","remoteCandidate":"","events":[]}`,
		},
		"a token":  {RESTToken{ID: "t", Token: "t"}, `{"id":"t","token":"t","createdAt":0,"connectionId":"","session":"","data":"","role":""}`},
		"an error": {RESTError{Status: 400, Error: "Bad Request"}, `{"timestamp":0,"status":400,"error":"Bad Request","message":"","path":""}`},
		"health": {
			RESTHealth{Status: "UP", DisconnectedMediaNodes: []string{}, MediaNodes: []RESTMediaNode{}, Checks: []RESTCheck{{Name: "media", OK: true, Code: "MEDIA_UNPROVEN"}}},
			`{"status":"UP","disconnectedMediaNodes":[],"mediaNodes":[],"checks":[{"name":"media","ok":true,"code":"MEDIA_UNPROVEN"}]}`,
		},
	} {
		got, err := json.Marshal(test.value)
		if err != nil || string(got) != test.want {
			t.Errorf("%s:\ngot  %s %v\nwant %s", name, got, err, test.want)
		}
	}
}

// Requests of the official node client 2.32.2, as it sends them.
func TestRESTNodeClientBodies(t *testing.T) {
	s, err := ParseRESTSession([]byte(`{"mediaMode":"ROUTED","recordingMode":"MANUAL","customSessionId":"","mediaNode":null,"defaultRecordingProperties":{"name":"",
		"hasAudio":true,"hasVideo":true,"outputMode":"COMPOSED","recordingLayout":"BEST_FIT","resolution":"1280x720","frameRate":25,"shmSize":536870912}}`))
	if err != nil || s.NoBody || s.CustomSessionID != "" || s.Recording.FrameRate != 25 {
		t.Errorf("session: %+v, %v", s, err)
	}
	c, err := ParseRESTConnection([]byte(`{"type":"WEBRTC","data":null,"record":null,"role":"MODERATOR","kurentoOptions":{"videoMaxRecvBandwidth":1000,
		"allowedFilters":["GStreamerFilter"]},"rtspUri":null,"customIceServers":[{"url":"stun:stun.example:3478"}],"networkCache":null}`))
	if err != nil || c.Role != "MODERATOR" || !c.Record || *c.Kurento.VideoMaxRecvBandwidth != 1000 || c.Kurento.VideoMinRecvBandwidth != nil || len(c.ICEServers) != 1 {
		t.Errorf("connection: %+v, %v", c, err)
	}
	u, err := ParseRESTConnectionUpdate([]byte(`{"role":"SUBSCRIBER","record":false,"data":5}`))
	if err != nil || *u.Role != "SUBSCRIBER" || *u.Record {
		t.Errorf("update: %+v, %v", u, err)
	}
	g, err := ParseRESTSignal([]byte(`{"session":"s","to":["con_a",null],"type":null,"data":""}`))
	if err != nil || len(g.To) != 2 || g.To[1] != "" || g.Type != nil || *g.Data != "" {
		t.Errorf("signal: %+v, %v", g, err)
	}
}
