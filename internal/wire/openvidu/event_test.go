package openvidu

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// shown are events as they travel, one golden file for each name; keys is what upstream's own tests count, "event"
// among them (OpenViduTestAppE2eTest.java).
func shown() map[string][]struct {
	keys  int
	event any
} {
	type example = struct {
		keys  int
		event any
	}
	head := EventHead{SessionID: "demo", UniqueSessionID: "demo_1700000000000", Timestamp: 1700000060500}
	end := func(reason string) *EventEnd {
		return &EventEnd{StartTime: 1700000000000, Duration: 60, Reason: reason}
	}
	node := EventNode{ID: "media_i-1234", IP: "10.0.0.2", URI: "ws://10.0.0.2:8888/kurento"}
	loaded := []EventNodeLoaded{{ID: "media_1", EnvironmentID: new("i-1"), IP: new("10.0.0.2"), Load: new(7.5), Status: "running"}, {ID: "media_2", Status: "launching"}}
	none := []EventNodeLoaded{}
	ann := EventParticipant{
		EventHead: head, ParticipantID: "con_Ann", ConnectionID: "con_Ann", Location: "Madrid, Spain", IP: "192.0.2.7",
		Platform: "Chrome 156.0.0.0 on Linux 64-bit", ClientData: new(`{"clientData":"<Ann> & co"}`),
	}
	left, camera := ann, ann
	left.EventEnd = end("disconnect")
	camera.ClientData, camera.Platform = nil, "IPCAM"
	out := EventWebRTC{
		EventHead: head, StreamID: "str_CAM_A1b2_con_Ann", ParticipantID: "con_Ann", ConnectionID: "con_Ann", Connection: EventOutbound,
		EventVideo:   &EventVideo{new("CAMERA"), new(30), new(`{"width":640,"height":480}`)},
		AudioEnabled: true, VideoEnabled: true,
	}
	in, ended, silent, ipcam := out, out, out, out
	in.ConnectionID, in.ParticipantID, in.Connection, in.ReceivingFrom = "con_Bob", "con_Bob", EventInbound, "con_Ann"
	in.EventVideo = &EventVideo{VideoSource: new("CAMERA")}
	ended.EventEnd = end("forceUnpublishByServer")
	silent.EventVideo, silent.VideoEnabled = nil, false
	ipcam.EventCamera = &EventCamera{"rtsp://10.0.0.9/live", true, 2000, true}
	individual := EventRecording{
		EventHead: head, StartTime: 1700000060500, ID: "demo", Name: "demo", OutputMode: "INDIVIDUAL", HasAudio: true, HasVideo: true, Status: "started",
	}
	stopped, ready := individual, individual
	stopped.Reason, stopped.Status = "recordingStoppedByServer", "stopped"
	ready.Reason, ready.Status, ready.Size, ready.Duration = "automaticStop", "ready", 123456, 12.34
	ready.OutputMode, ready.EventComposed = "COMPOSED", &EventComposed{"1280x720", 25, "CUSTOM", "mine", "media_1"}
	return map[string][]example{
		EventSessionCreated:    {{4, EventSession{EventHead: head}}},
		EventSessionDestroyed:  {{7, EventSession{head, end("lastParticipantLeft")}}},
		EventParticipantJoined: {{11, ann}, {11, camera}},
		EventParticipantLeft:   {{14, left}},
		EventWebRTCCreated:     {{13, out}, {14, in}, {10, silent}, {17, ipcam}},
		EventWebRTCDestroyed:   {{16, ended}},
		EventRecordingStatus:   {{13, individual}, {14, stopped}, {19, ready}},
		EventFilterDispatched:  {{10, EventFilter{head, "con_Ann", "con_Ann", "str_1", "ZBarFilter", "CodeFound", `{"value":"1"}`}}},
		EventSignalSent:        {{8, EventSignal{EventHead: head, To: []string{}}}, {8, EventSignal{head, new("con_Ann"), []string{"con_Ann", "con_Bob"}, new("chat"), new("hi")}}},
		EventMediaNodeStatus:   {{9, EventMediaNode{1700000060500, node, "cluster", nil, "launching"}}},
		EventAutoscaling: {{6, EventAutoscale{1700000060500, "cluster", "The cluster average load (75%) is above its limits", EventNodesChanged{
			EventLaunch{1, 1, none, none}, EventTerminate{0, none, none},
		}, EventSystem{EventLimits{4, 1, 70, 30}, EventCluster{2, 150, 75, loaded, none, none, none}}}}},
		EventNodeCrashed:        {{12, EventNodeLost{1700000060500, node, "medianode", []string{"demo"}, []string{}, []string{}, "cluster", 1700000060000}}},
		EventNodeRecovered:      {{8, EventNodeBack{1700000060500, node, "medianode", "cluster"}}},
		EventBroadcastStarted:   {{4, EventSession{EventHead: head}}},
		EventBroadcastStopped:   {{7, EventSession{head, end("broadcastStoppedByServer")}}},
		EventHANodeRegistered:   {{4, EventHANode{1700000060500, "master_10.0.0.1", "10.0.0.1", ""}}},
		EventHANodeDeregistered: {{5, EventHANode{1700000060500, "master_10.0.0.1", "10.0.0.1", "nodeCrashed"}}},
		EventDiagnosis: {{10, EventDiagnosed{"demo", "demo_1700000000000", 1700000060500, "con_Ann", "str_1", "AUDIO_ONE_WAY", "error", "network", false}},
			{6, EventDiagnosed{Timestamp: 1700000060500, Code: "SERVER_UDP_BLOCKED", Severity: "warning", Side: "server", Ended: true}}},
	}
}

func TestEventsAsTheyTravel(t *testing.T) {
	examples := shown()
	for _, row := range Events {
		var all bytes.Buffer
		if len(examples[row.Name]) == 0 {
			t.Errorf("%s has no example", row.Name)
		}
		for _, example := range examples[row.Name] {
			if reflect.TypeOf(example.event) != reflect.TypeOf(row.Shape) {
				t.Errorf("%s: an example is %T, the table says %T", row.Name, example.event, row.Shape)
			}
			text, err := EncodeEvent(row.Name, example.event)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(append(text, '\n'))
			var keys map[string]json.RawMessage
			if err := json.Unmarshal(text, &keys); err != nil || len(keys) != example.keys || string(keys["event"]) != `"`+row.Name+`"` {
				t.Errorf("%s: %d keys, want %d (%v): %s", row.Name, len(keys), example.keys, err, text)
			}
			var line map[string]map[string]json.RawMessage
			if err := json.Unmarshal(EventLine(row.Name, text), &line); err != nil || len(line) != 1 || len(line[row.Name]) != example.keys-1 || line[row.Name]["event"] != nil {
				t.Errorf("%s: the line is %s", row.Name, EventLine(row.Name, text))
			}
		}
		file := filepath.Join("testdata", "events", row.Name+".jsonl")
		if *update {
			if err := os.WriteFile(file, all.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(golden, all.Bytes()) {
			t.Errorf("%s (%v) has\n%s\nnow it is\n%s", file, err, golden, all.Bytes())
		}
	}
}

// The defaults are those of the jar: all but what high availability tells.
func TestDefaultEvents(t *testing.T) {
	n := 0
	for _, e := range Events {
		if e.Default {
			n++
		}
	}
	if n != 15 || len(Events) != 18 {
		t.Errorf("%d of %d events by default, want 15 of 18", n, len(Events))
	}
	if _, ok := EventNamed("recordingStarted"); ok {
		t.Error("a name before 2.3 is known")
	}
}
