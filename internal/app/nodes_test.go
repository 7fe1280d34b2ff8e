package app

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/config"
)

func TestMediaNodeID(t *testing.T) {
	form, seen := regexp.MustCompile(`^media_[A-Z][A-Z2-7]{7}$`), map[string]bool{}
	for i := range 1000 {
		id := mediaNodeID([]byte{byte(i), byte(i >> 8)})
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("%d: %s", i, id)
		}
		seen[id] = true
	}
	if got := mediaNodeID([]byte("a")); got != "media_ZKLYCEWK" {
		t.Errorf("it was another in the release before: %s", got)
	}
}

func TestShareOfProcessors(t *testing.T) {
	for _, c := range []struct {
		spent, passed time.Duration
		processors    int
		want          float64
	}{
		{time.Second, 4 * time.Second, 2, 12.5}, {8 * time.Second, 4 * time.Second, 1, 100}, {0, time.Second, 1, 0},
		{time.Second, 0, 1, 0}, {-time.Second, time.Second, 1, 0},
	} {
		if got := share(c.spent, c.passed, c.processors); got != c.want {
			t.Errorf("%v in %v on %d: %v, want %v", c.spent, c.passed, c.processors, got, c.want)
		}
	}
}

func TestLoadIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMediaNode(config.Config{}, 443, []byte("a"), func() netip.Addr { return netip.MustParseAddr("192.0.2.1") })
		done := make(chan error, 1)
		go func() { done <- n.Run(t.Context()) }()
		for before := processorTime(); processorTime()-before < 20*time.Millisecond; { // no time passes in here, but the process works
		}
		time.Sleep(loadEvery)
		synctest.Wait()
		shown := n.list()[0]
		if shown.Load <= 0 || shown.Load > 100 || *shown.IP != "192.0.2.1" || shown.MediaServer != "kurento" || shown.KurentoInfo.Memory <= 0 || !shown.Connected {
			t.Errorf("%+v", shown)
		}
		t.Cleanup(func() {
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	})
}

// TestSettingsShown: what depends on a setting is there with it, and no credential is.
func TestSettingsShown(t *testing.T) {
	keys := func(c config.Config) string {
		text, err := json.Marshal(settings(c, 443))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	plain := keys(config.Config{})
	for _, absent := range []string{"OPENVIDU_CDR_PATH", "OPENVIDU_WEBHOOK_ENDPOINT", "ELASTICSEARCH_HOST", "NETWORK_QUALITY_INTERVAL"} {
		if strings.Contains(plain, absent) {
			t.Errorf("%s is in %s", absent, plain)
		}
	}
	full := keys(config.Config{
		CDR: config.CDR{Path: "/cdr"}, Webhook: config.Webhook{Endpoint: "https://h"}, NetworkQuality: 5,
		Elastic: config.Elastic{URL: "https://u:hidden@e:9200", Kibana: "https://u:hidden@k:5601", Username: "u", Password: "hidden", ClusterID: "c"},
	})
	for _, there := range []string{
		`"OPENVIDU_CDR":true,"OPENVIDU_CDR_PATH":"/cdr/"`, `"OPENVIDU_WEBHOOK":true,"OPENVIDU_WEBHOOK_ENDPOINT":"https://h","OPENVIDU_WEBHOOK_HEADERS":[]`,
		`"OPENVIDU_PRO_ELASTICSEARCH_HOST":"https://e:9200"`, `"OPENVIDU_PRO_KIBANA_HOST":"https://k:5601"`, `"OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL":5`,
	} {
		if !strings.Contains(full, there) {
			t.Errorf("no %s in %s", there, full)
		}
	}
	if strings.Contains(full, "hidden") {
		t.Errorf("a password is shown: %s", full)
	}
}
