package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

var update = flag.Bool("update", false, "write the golden files anew")

var timestamp = regexp.MustCompile(`"timestamp": \d+`)

// TestGolden compares whole answers with testdata/NAME.txt: status line, content type, body.
func TestGolden(t *testing.T) {
	for _, test := range []struct{ name, target, body string }{
		{"session_create", "POST /openvidu/api/sessions", `{"customSessionId":"New","mediaMode":null,"unknown":1}`},
		{"session_create_all", "POST /openvidu/api/sessions", `{"mediaMode":"RELAYED","recordingMode":"ALWAYS","forcedVideoCodec":"H264","allowTranscoding":false,
			"mediaNode":{"id":"media_A"},"defaultRecordingProperties":{"name":"n","outputMode":"INDIVIDUAL","hasVideo":false,"ignoreFailedStreams":true}}`},
		{"session_create_layout", "POST /openvidu/api/sessions", `{"defaultRecordingProperties":{"outputMode":"COMPOSED_QUICK_START","recordingLayout":"CUSTOM",
			"customLayout":"mine","resolution":"640x480","frameRate":30.7,"shmSize":134217728}}`},
		{"session_create_wrong_type", "POST /openvidu/api/sessions", `{"allowTranscoding":"yes"}`},
		{"session_create_taken", "POST /openvidu/api/sessions", `{"customSessionId":"Call"}`},
		{"session_list", "GET /openvidu/api/sessions", ""},
		{"session_get", "GET /openvidu/api/sessions/Call?pendingConnections=true", ""},
		{"session_get_stats", "GET /openvidu/api/sessions/Call?webRtcStats=true", ""},
		{"connection_create", "POST /openvidu/api/sessions/Call/connection", ""},
		{"connection_create_all", "POST /openvidu/api/sessions/Call/connection", `{"type":"WEBRTC","data":"<b>&","record":false,"role":"SUBSCRIBER",
			"kurentoOptions":{"videoMaxRecvBandwidth":0,"allowedFilters":["GStreamerFilter"]},
			"customIceServers":[{"url":"turn:t.example:3478?transport=tcp","username":"u","credential":"p"}],"rtspUri":null,"networkCache":7}`},
		{"connection_create_camera", "POST /openvidu/api/sessions/Call/connection", `{"type":"IPCAM","rtspUri":"rtsp://a/b"}`},
		{"connection_list", "GET /openvidu/api/sessions/Call/connection?pendingConnections=false", ""},
		{"connection_get_pending", "GET /openvidu/api/sessions/Call/connection/con_Wait", ""},
		{"connection_get_active", "GET /openvidu/api/sessions/Call/connection/con_Sub", ""},
		{"connection_patch", "PATCH /openvidu/api/sessions/Call/connection/con_Pub", `{"role":"MODERATOR","record":false,"data":"ignored"}`},
		{"token_create", "POST /openvidu/api/tokens", `{"session":"Call","role":"MODERATOR","data":"d","record":false,"type":"IPCAM"}`},
		{"token_create_no_session", "POST /openvidu/api/tokens", `{"session":"Gone"}`},
		{"signal", "POST /openvidu/api/signal", `{"session":"Call","to":[],"type":"chat","data":"hi"}`},
		{"config", "GET /openvidu/api/config", ""},
		{"config_publicurl", "GET /openvidu/api/config/openvidu-publicurl", ""},
		{"health", "GET /openvidu/api/health", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, registry := server(t, func(c *Config) {
				c.Checks = func(context.Context) []openvidu.RESTCheck {
					return []openvidu.RESTCheck{{Name: "media", OK: true, Code: "MEDIA_UNPROVEN", Text: "no media has passed yet"}}
				}
			})
			registry.stats = []mediactl.EndpointStats{{
				Endpoint: "con_Pub", LocalSDP: "v=0\r\nm=audio 9\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 4443 typ host\r\n", RemoteSDP: "offer",
				LocalCandidate: "l", RemoteCandidate: "r", Signalled: []mediactl.Candidate{{Candidate: "candidate:9", SDPMid: "0"}},
			}}
			w := do(h, test.target, test.body)
			var body bytes.Buffer
			if json.Indent(&body, w.Body.Bytes(), "", "  ") != nil {
				body.Reset()
				body.Write(w.Body.Bytes())
			}
			got := fmt.Sprintf("%d %s\n%s\n", w.Code, w.Header().Get("Content-Type"), bytes.TrimSpace(body.Bytes()))
			compare(t, test.name, timestamp.ReplaceAllString(got, `"timestamp": 0`))
		})
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		os.MkdirAll("testdata", 0o755)
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (-update rewrites it):\ngot  %s\nwant %s", file, got, want)
	}
}

// A pending connection has every key, most of them null: the Java client fails on missing ones.
func TestConnectionHasEveryKey(t *testing.T) {
	h, _ := server(t, nil)
	for _, id := range []string{"con_Wait", "con_Pub"} {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(do(h, "GET /openvidu/api/sessions/Call/connection/"+id, "").Body.Bytes(), &fields); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"id", "connectionId", "object", "status", "sessionId", "createdAt", "activeAt", "location", "ip", "platform",
			"token", "type", "record", "role", "kurentoOptions", "customIceServers", "rtspUri", "adaptativeBitrate", "onlyPlayWithSubscribers",
			"networkCache", "serverData", "clientData", "publishers", "subscribers"} {
			if _, ok := fields[key]; !ok {
				t.Errorf("%s: no %q", id, key)
			}
			delete(fields, key)
		}
		if len(fields) > 0 {
			t.Errorf("%s: unexpected %v", id, fields)
		}
	}
}

func TestSessionsMadeInsideTheServerShowDefaults(t *testing.T) {
	h, registry := server(t, nil)
	registry.states = []session.State{{ID: "Bare"}}
	var got openvidu.RESTSession
	if err := json.Unmarshal(do(h, "GET /openvidu/api/sessions/Bare", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.MediaMode != "ROUTED" || got.RecordingMode != "MANUAL" || got.DefaultRecordingProperties.OutputMode != "COMPOSED" || got.ForcedVideoCodec != "MEDIA_SERVER_PREFERRED" {
		t.Errorf("got %+v", got)
	}
}
