package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// A node tries itself, over its real port: everything answers, through the relay too.
func TestKMS_18a__ANodeTriesItself(t *testing.T) {
	r := start(t, t.TempDir(), "0")
	tried := func() (done bool) {
		health := r.rest("GET", "/openvidu/api/health", "", http.StatusOK)
		names, answered := []string{}, 0
		for _, item := range health["checks"].([]any) {
			check := item.(map[string]any)
			names = append(names, check["name"].(string))
			if check["ok"] != true {
				t.Fatalf("%v", check)
			}
			said, _ := check["text"].(string)
			if strings.Contains(said, "answers us") || strings.Contains(said, "good until ") || strings.Contains(said, "clients of this network reach us at") || strings.Contains(said, "clients reach us at") {
				answered++
			}
		}
		if got := strings.Join(names, " "); got != "sessions media config domain udp tcp turn certificate disk store" {
			t.Fatalf("the checks are %s", got)
		}
		return answered == 5
	}
	until := time.Now().Add(20 * time.Second)
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for !tried() {
		if time.Now().After(until) {
			t.Fatalf("not all has been tried: %v", r.rest("GET", "/openvidu/api/health", "", http.StatusOK))
		}
		<-pause.C
	}
}
