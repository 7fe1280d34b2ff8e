package openvidu

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// Every wrong field is named with its value and what belongs there.
func TestRESTFieldErrors(t *testing.T) {
	session := func(b []byte) error { _, err := ParseRESTSession(b); return err }
	connection := func(b []byte) error { _, err := ParseRESTConnection(b); return err }
	signal := func(b []byte) error { _, err := ParseRESTSignal(b); return err }
	token := func(b []byte) error { _, err := ParseRESTToken(b); return err }
	update := func(b []byte) error { _, err := ParseRESTConnectionUpdate(b); return err }
	for _, test := range []struct {
		parse func([]byte) error
		body  string
		want  string
	}{
		{session, `7`, `"body" is 7: want a JSON object`},
		{session, `{"a":}`, `"body" is {"a":}: want valid JSON (invalid character '}' looking for beginning of value)`},
		{session, `{} {}`, `"body" is {} {}: want valid JSON (invalid character '{' after top-level value)`},
		{session, `{"mediaMode":1}`, `"mediaMode" is 1: want a string`},
		{session, `{"recordingMode":"always"}`, `"recordingMode" is "always": want one of MANUAL, ALWAYS`},
		{session, `{"allowTranscoding":"true"}`, `"allowTranscoding" is "true": want true or false, without quotes`},
		{session, `{"customSessionId":"a b"}`, `"customSessionId" is "a b": want up to 256 letters, digits, _ and -`},
		{session, `{"forcedVideoCodec":""}`, `"forcedVideoCodec" is "": want one of MEDIA_SERVER_PREFERRED, NONE, VP8, VP9, H264`},
		{session, `{"mediaNode":{"id":7}}`, `"mediaNode.id" is 7: want a string`},
		{session, `{"mediaNode":{}}`, `"mediaNode.id": want the id of a media node`},
		{session, `{"defaultRecordingProperties":[]}`, `"defaultRecordingProperties" is []: want an object`},
		{session, `{"defaultRecordingProperties":{"name":"/"}}`, `"defaultRecordingProperties.name" is "/": want up to 256 letters, digits, _, - and ~`},
		{session, `{"defaultRecordingProperties":{"resolution":"99x100"}}`, `"defaultRecordingProperties.resolution" is "99x100": want WIDTHxHEIGHT, each from 100 to 1999, such as "1280x720"`},
		{session, `{"defaultRecordingProperties":{"hasVideo":false,"resolution":"1280x2000"}}`, `"defaultRecordingProperties.resolution" is "1280x2000": want WIDTHxHEIGHT, each from 100 to 1999, such as "1280x720"`},
		{session, `{"defaultRecordingProperties":{"frameRate":0.9}}`, `"defaultRecordingProperties.frameRate" is 0.9: want a number from 1 to 120`},
		{session, `{"defaultRecordingProperties":{"frameRate":121}}`, `"defaultRecordingProperties.frameRate" is 121: want a number from 1 to 120`},
		{session, `{"defaultRecordingProperties":{"shmSize":1e400}}`, `"defaultRecordingProperties.shmSize" is 1e400: want a number`},
		{session, `{"defaultRecordingProperties":{"hasAudio":false,"hasVideo":false}}`, `"defaultRecordingProperties.hasVideo" is false: want audio or video, or both, to be recorded`},
		{connection, `{"data":{"a":1}}`, `"data" is {"a":1}: want a string`},
		{connection, `{"kurentoOptions":{"videoMaxRecvBandwidth":"1.5"}}`, `"kurentoOptions.videoMaxRecvBandwidth" is "1.5": want a whole number from 0 to 1000000`},
		{connection, `{"kurentoOptions":{"videoMinSendBandwidth":-1}}`, `"kurentoOptions.videoMinSendBandwidth" is -1: want a whole number from 0 to 1000000`},
		{connection, `{"kurentoOptions":{"allowedFilters":"x"}}`, `"kurentoOptions.allowedFilters" is "x": want an array of strings`},
		{connection, `{"customIceServers":{}}`, `"customIceServers" is {}: want an array of objects`},
		{connection, `{"customIceServers":[{"url":"stun:a"},null]}`, `"customIceServers[1].url": want a URL that starts with stun:, stuns:, turn: or turns:`},
		{connection, `{"customIceServers":[{"url":"turn:a","username":"u","credential":7}]}`, `"customIceServers[0].credential": want a string`},
		{connection, `{"customIceServers":[` + strings.Repeat(`{},`, 50) + `{}]}`, `"customIceServers": want at most 50 elements`},
		{connection, `{"data":"` + strings.Repeat("é", 99), `"body" is {"data":"` + strings.Repeat("é", 25) + `?…: want valid JSON (unexpected end of JSON input)`},
		{signal, `{}`, `"session": want the id of a session`},
		{signal, `{"session":"s","to":["a",1]}`, `"to" is ["a",1]: want an array of strings`},
		{signal, `{"session":"s","to":["a",1],"data":7}`, `"to" is ["a",1]: want an array of strings`},
		{token, ``, `"session": want the id of a session`},
		{token, `{"session":"s","role":"KING"}`, `"role" is "KING": want one of SUBSCRIBER, PUBLISHER, MODERATOR`},
		{update, `{"record":1}`, `"record" is 1: want true or false, without quotes`},
	} {
		err := test.parse([]byte(test.body))
		if fieldErr, ok := errors.AsType[*RESTFieldError](err); !ok || fieldErr.Error() != test.want {
			t.Errorf("%.90s\ngot  %v\nwant %v", test.body, err, test.want)
		}
	}
}

// TestRESTLimits: limits of video are read as Gson reads an int.
func TestRESTLimits(t *testing.T) {
	for text, want := range map[string]int{`1000`: 1000, `1000.0`: 1000, `1.5`: 1, `"300"`: 300, `0`: 0, `1000000`: 1000000} {
		c, err := ParseRESTConnection([]byte(`{"kurentoOptions":{"videoMaxRecvBandwidth":` + text + `}}`))
		if err != nil || *c.Kurento.VideoMaxRecvBandwidth != want {
			t.Errorf("%s: %+v, %v", text, c.Kurento, err)
		}
	}
	for _, text := range []string{`-1`, `1000001`, `"x"`, `""`, `true`, `{}`, `1e999`} {
		if c, err := ParseRESTConnection([]byte(`{"kurentoOptions":{"videoMaxRecvBandwidth":` + text + `}}`)); err == nil {
			t.Errorf("%s was taken: %+v", text, c.Kurento)
		}
	}
}

// A null is an absent field, in every field of every request.
func TestRESTNullIsAbsent(t *testing.T) {
	empty, _ := ParseRESTSession([]byte(`{}`))
	nulls, err := ParseRESTSession([]byte(`{"mediaMode":null,"recordingMode":null,"customSessionId":null,"forcedVideoCodec":null,"allowTranscoding":null,
		"defaultRecordingProperties":null,"mediaNode":null}`))
	if err != nil || !reflect.DeepEqual(empty, nulls) {
		t.Errorf("session: %+v, %v", nulls, err)
	}
	nested, err := ParseRESTSession([]byte(`{"defaultRecordingProperties":{"name":null,"hasAudio":null,"hasVideo":null,"outputMode":null,"recordingLayout":null,
		"customLayout":null,"resolution":null,"frameRate":null,"shmSize":null,"ignoreFailedStreams":null,"mediaNode":null}}`))
	if err != nil || !reflect.DeepEqual(empty, nested) {
		t.Errorf("recording: %+v, %v", nested, err)
	}
	connection, _ := ParseRESTConnection([]byte(`{}`))
	nullConnection, err := ParseRESTConnection([]byte(`{"type":null,"data":null,"record":null,"role":null,"kurentoOptions":null,"customIceServers":null,
		"rtspUri":null,"adaptativeBitrate":null,"onlyPlayWithSubscribers":null,"networkCache":null}`))
	if err != nil || !reflect.DeepEqual(connection, nullConnection) {
		t.Errorf("connection: %+v, %v", nullConnection, err)
	}
	update, err := ParseRESTConnectionUpdate([]byte(`{"role":null,"record":null}`))
	if err != nil || update != (RESTConnectionUpdate{}) {
		t.Errorf("update: %+v, %v", update, err)
	}
}

func TestRESTDefaults(t *testing.T) {
	s, err := ParseRESTSession([]byte(" \n"))
	want := RESTSessionRequest{NoBody: true, MediaMode: "ROUTED", RecordingMode: "MANUAL", Recording: DefaultRESTRecordingProperties()}
	if err != nil || !reflect.DeepEqual(s, want) {
		t.Errorf("session: %+v, %v", s, err)
	}
	c, err := ParseRESTConnection(nil)
	if err != nil || !reflect.DeepEqual(c, RESTConnectionRequest{Type: "WEBRTC", Role: "PUBLISHER", Record: true}) {
		t.Errorf("connection: %+v, %v", c, err)
	}
	camera, err := ParseRESTConnection([]byte(`{"type":"IPCAM","rtspUri":"rtsp://a","role":7,"customIceServers":7}`))
	if err != nil || camera.Type != RESTIPCamera {
		t.Errorf("fields of the other type must be ignored: %+v, %v", camera, err)
	}
}

func TestRESTRecordingPropertiesKeys(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                               `{"name":"","hasAudio":true,"hasVideo":true,"outputMode":"COMPOSED","recordingLayout":"BEST_FIT","resolution":"1280x720","frameRate":25,"shmSize":536870912}`,
		`{"hasVideo":false,"frameRate":5}`: `{"name":"","hasAudio":true,"hasVideo":false,"outputMode":"COMPOSED"}`,
		`{"outputMode":"INDIVIDUAL","resolution":"bad"}`:                             `{"name":"","hasAudio":true,"hasVideo":true,"outputMode":"INDIVIDUAL","ignoreFailedStreams":false}`,
		`{"recordingLayout":"CUSTOM","customLayout":"c","ignoreFailedStreams":true}`: `{"name":"","hasAudio":true,"hasVideo":true,"outputMode":"COMPOSED","recordingLayout":"CUSTOM","customLayout":"c","resolution":"1280x720","frameRate":25,"shmSize":536870912}`,
	} {
		r, err := ParseRESTSession([]byte(`{"defaultRecordingProperties":` + body + `}`))
		got, _ := json.Marshal(r.Recording)
		if err != nil || string(got) != want {
			t.Errorf("%s:\ngot  %s %v\nwant %s", body, got, err, want)
		}
	}
}

func FuzzRESTRequests(f *testing.F) {
	for _, seed := range []string{"", "null", "{}", "[]", `{"session":"s","to":[null,"a"],"type":"t","data":"d"}`, `{"customIceServers":[{"url":"turn:a"}]}`,
		`{"defaultRecordingProperties":{"frameRate":1e9,"shmSize":9223372036854775807}}`, `{"kurentoOptions":{"videoMaxRecvBandwidth":1}}`, "{\"a\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		session, err := ParseRESTSession(body)
		if err == nil && (session.CustomSessionID != "" && !restSessionID.MatchString(session.CustomSessionID) || session.MediaMode == "") {
			t.Errorf("%q accepted as %+v", body, session)
		}
		if c := session.Recording.RESTComposition; err == nil && c != nil && (c.FrameRate < 1 || c.FrameRate > 120 || c.ShmSize < 128<<20) {
			t.Errorf("%q accepted as %+v", body, c)
		}
		connection, err := ParseRESTConnection(body)
		for _, s := range connection.ICEServers {
			if err == nil && s.Check() != nil {
				t.Errorf("%q accepted as %+v", body, s)
			}
		}
		if changes, err := ParseRESTSettings(body); err == nil {
			for name, value := range changes {
				if value == nil {
					t.Errorf("%q has %s without a value", body, name)
				}
			}
		}
		ParseRESTConnectionUpdate(body)
		ParseRESTToken(body)
		if signal, err := ParseRESTSignal(body); err == nil && len(signal.To) > restMaxTargets {
			t.Errorf("%q accepted", body)
		}
		if err != nil && len(err.Error()) > 4*maxErrorText {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}

const maxErrorText = 200
