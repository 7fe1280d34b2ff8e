package record

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tertulia/internal/event"
	"tertulia/internal/wire/openvidu"
)

const began, now = 1700000000000, 1700000061999

// of is an event of Ann's in the session demo.
func of(body event.Body) event.Event {
	return event.Event{At: now, Session: "demo", Began: began, Connection: "con_Ann", Body: body}
}

var (
	ann     = event.Joined{Platform: "Chrome", Address: "192.0.2.7", Location: "Madrid, Spain", ClientData: "c", ServerData: "s", Host: "h", FinalUserID: "f"}
	camera  = event.Media{HasAudio: true, HasVideo: true, TypeOfVideo: "CAMERA", FrameRate: 30, Dimensions: `{"width":640,"height":480}`}
	unknown = event.Media{HasVideo: true, TypeOfVideo: "SCREEN", FrameRate: -1}
	voice   = event.Media{HasAudio: true, FrameRate: -1}
)

const (
	head  = `{"sessionId":"demo","uniqueSessionId":"demo_1700000000000","timestamp":1700000061999`
	ended = head + `,"startTime":1700000001000,"duration":60`
	whose = `,"participantId":"con_Ann","connectionId":"con_Ann"`
	pixel = `,"videoSource":"CAMERA","videoFramerate":30,"videoDimensions":"{\"width\":640,\"height\":480}","audioEnabled":true,"videoEnabled":true`
)

// What OpenVidu tells of what happens (spec openvidu-events §4).
func TestWhatIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		event event.Event
		want  string
	}{
		"created": {of(event.SessionCreated{MediaMode: "ROUTED"}), head + `,"event":"sessionCreated"}`},
		"ended": {of(event.SessionEnded{Reason: "sessionClosedByServer"}),
			head + `,"startTime":1700000000000,"duration":61,"reason":"sessionClosedByServer","event":"sessionDestroyed"}`},
		"joined": {of(ann), head + whose + `,"location":"Madrid, Spain","ip":"192.0.2.7","platform":"Chrome","clientData":"c","serverData":"s","event":"participantJoined"}`},
		"somewhere": {of(event.Joined{Address: "192.0.2.7"}),
			head + whose + `,"location":"unknown","ip":"192.0.2.7","platform":"","clientData":"","serverData":"","event":"participantJoined"}`},
		"camera": {of(event.Joined{Platform: "IPCAM", Location: "unknown"}),
			head + whose + `,"location":"unknown","ip":"","platform":"IPCAM","clientData":null,"serverData":"","event":"participantJoined"}`},
		"left": {of(event.Left{Reason: "networkDisconnect", Joined: ann, Since: began + 1000}), ended + `,"reason":"networkDisconnect"` + whose +
			`,"location":"Madrid, Spain","ip":"192.0.2.7","platform":"Chrome","clientData":"c","serverData":"s","event":"participantLeft"}`},
		"published":   {of(event.Published{Stream: "str_1", Media: camera}), head + `,"streamId":"str_1"` + whose + `,"connection":"OUTBOUND"` + pixel + `,"event":"webrtcConnectionCreated"}`},
		"unpublished": {of(event.Unpublished{Stream: "str_1", Media: camera, Since: began + 1000, Reason: "unpublish"}), ended + `,"reason":"unpublish","streamId":"str_1"` + whose + `,"connection":"OUTBOUND"` + pixel + `,"event":"webrtcConnectionDestroyed"}`},
		"screen": {of(event.Published{Stream: "str_1", Media: unknown}), head + `,"streamId":"str_1"` + whose +
			`,"connection":"OUTBOUND","videoSource":"SCREEN","videoFramerate":null,"videoDimensions":null,"audioEnabled":false,"videoEnabled":true,"event":"webrtcConnectionCreated"}`},
		"voice": {of(event.Published{Stream: "str_1", Media: voice}), head + `,"streamId":"str_1"` + whose +
			`,"connection":"OUTBOUND","audioEnabled":true,"videoEnabled":false,"event":"webrtcConnectionCreated"}`},
		"LOSS-19 subscribed": {of(event.Subscribed{Stream: "str_2", Publisher: "con_Bob", Media: camera}),
			head + `,"streamId":"str_2"` + whose + `,"connection":"INBOUND","receivingFrom":"con_Bob"` + pixel + `,"event":"webrtcConnectionCreated"}`},
		"LOSS-19 unsubscribed": {of(event.Unsubscribed{Stream: "str_2", Publisher: "con_Bob", Media: camera, Since: began + 1000, Reason: "forceUnpublishByUser"}),
			ended + `,"reason":"forceUnpublishByUser","streamId":"str_2"` + whose + `,"connection":"INBOUND","receivingFrom":"con_Bob"` + pixel + `,"event":"webrtcConnectionDestroyed"}`},
		"a beginning nobody remembers": {of(event.Unpublished{Stream: "str_1", Media: voice, Reason: "disconnect"}),
			head + `,"startTime":1700000061999,"duration":0,"reason":"disconnect","streamId":"str_1"` + whose + `,"connection":"OUTBOUND","audioEnabled":true,"videoEnabled":false,"event":"webrtcConnectionDestroyed"}`},
		"signal": {of(event.SignalSent{To: []string{"con_Bob"}, Type: new("chat"), Data: new("<hi>")}),
			head + `,"from":"con_Ann","to":["con_Bob"],"type":"chat","data":"<hi>","event":"signalSent"}`},
		"signal by REST": {event.Event{At: now, Session: "demo", Began: began, Body: event.SignalSent{}},
			head + `,"from":null,"to":[],"type":null,"data":null,"event":"signalSent"}`},
		"diagnosed": {of(event.Diagnosed{Code: "AUDIO_ONE_WAY", Severity: "error", Side: "network", Stream: "str_1", Ended: true}),
			head + `,"connectionId":"con_Ann","streamId":"str_1","code":"AUDIO_ONE_WAY","severity":"error","side":"network","ended":true,"event":"diagnosis"}`},
		"everybody's": {event.Event{At: now, Body: event.Diagnosed{Code: "SERVER_UDP_BLOCKED", Severity: "warning", Side: "server"}},
			`{"timestamp":1700000061999,"code":"SERVER_UDP_BLOCKED","severity":"warning","side":"server","ended":false,"event":"diagnosis"}`},
	} {
		got, ok := Of(c.event)
		if !ok || string(got.Text) != c.want || !strings.HasSuffix(c.want, `"event":"`+got.Name+`"}`) {
			t.Errorf("%s: %v %s\n%s\nwant\n%s", name, ok, got.Name, got.Text, c.want)
		}
		if _, known := openvidu.EventNamed(got.Name); !known || !json.Valid(got.Text) {
			t.Errorf("%s: %q is not in the table, or no JSON", name, got.Name)
		}
	}
}

func TestWhatIsNotTold(t *testing.T) {
	for _, body := range []event.Body{
		event.SessionEnded{}, event.SocketLost{}, event.SocketBack{}, event.Refused{}, event.Transport{}, event.QualityChanged{},
		event.Published{Again: true}, event.Subscribed{Again: true},
	} {
		if got, ok := Of(of(body)); ok {
			t.Errorf("%s is told as %s", body.Kind(), got.Text)
		}
	}
	for _, body := range []event.Body{ann, event.Left{}, event.Subscribed{}, event.Unsubscribed{}} {
		e := of(body)
		e.Hidden = true
		if got, ok := Of(e); ok {
			t.Errorf("a recorder's %s is told as %s", body.Kind(), got.Text)
		}
	}
}

// The reasons of spec openvidu-events §6: a session ends with its last participant, whatever made that one leave.
func TestLOSS_20__ReasonsOfASession(t *testing.T) {
	for reason, want := range map[string]string{
		"disconnect": "lastParticipantLeft", "forceDisconnectByUser": "lastParticipantLeft", "forceDisconnectByServer": "lastParticipantLeft",
		"networkDisconnect": "lastParticipantLeft", "lastParticipantLeft": "lastParticipantLeft", "sessionClosedByServer": "sessionClosedByServer",
		"mediaServerDisconnect": "mediaServerDisconnect", "nodeCrashed": "nodeCrashed", "openviduServerStopped": "openviduServerStopped", "automaticStop": "automaticStop",
	} {
		got, _ := Of(of(event.SessionEnded{Reason: reason}))
		if !strings.Contains(string(got.Text), fmt.Sprintf(`"reason":%q`, want)) {
			t.Errorf("%s is told as %s", reason, got.Text)
		}
		left, _ := Of(of(event.Left{Reason: reason}))
		if !strings.Contains(string(left.Text), fmt.Sprintf(`"reason":%q`, reason)) {
			t.Errorf("a participant's %s is told as %s", reason, left.Text)
		}
	}
}
