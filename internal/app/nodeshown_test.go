package app_test

import (
	"testing"
)

// TestLOSS_24__HealthListsNodes: health names the media node there is, under the id that media-nodes and sessions have.
func TestLOSS_24__HealthListsNodes(t *testing.T) {
	node := start(t, t.TempDir(), "0")
	list, _ := node.rest("GET", "/openvidu/api/health", "", 200)["mediaNodes"].([]any)
	if len(list) != 1 {
		t.Fatalf("health lists %v", list)
	}
	listed, _ := list[0].(map[string]any)
	id, _ := listed["id"].(string)
	if listed["status"] != "running" || listed["connected"] != true || listed["object"] != "mediaNode" || listed["load"] == nil {
		t.Errorf("health lists %v", listed)
	}
	alone := node.rest("GET", "/openvidu/api/media-nodes/"+id+"?extra-info=true&sessions=true&recordings=true", "", 200)
	if info, _ := alone["kurentoInfo"].(map[string]any); info["memory"] == 0.0 || alone["uri"] != node.url || alone["ip"] == nil {
		t.Errorf("the node is %v", alone)
	}
	node.rest("GET", "/openvidu/api/media-nodes/media_Another1", "", 404)
	node.rest("DELETE", "/openvidu/api/media-nodes/"+id, "", 405)

	made := node.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"Room"}`, 200)
	if made["mediaNodeId"] != nil {
		t.Errorf("a session that nobody has joined is on %v", made["mediaNodeId"])
	}
	node.rest("POST", "/openvidu/api/sessions/Room/connection", "", 200)
	token, _ := node.rest("POST", "/openvidu/api/tokens", `{"session":"Room"}`, 200)["token"].(string)
	client := node.dial(t.Context(), "Room")
	client.ask(t.Context(), "joinRoom", map[string]any{"token": token, "session": "Room", "platform": "test", "metadata": "", "secret": "", "recorder": false})
	if joined := node.rest("GET", "/openvidu/api/sessions/Room", "", 200); joined["mediaNodeId"] != id {
		t.Errorf("the session is on %v, want %s", joined["mediaNodeId"], id)
	}
	carried := node.rest("GET", "/openvidu/api/media-nodes/"+id+"?sessions=true", "", 200)
	if sessions, _ := carried["sessions"].([]any); len(sessions) != 1 {
		t.Errorf("the node carries %v", carried["sessions"])
	}
}
