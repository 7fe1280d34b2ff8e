package rest

import (
	"context"
	"strings"
	"testing"

	"tertulia/internal/wire/openvidu"
)

func TestAFailedCheckMakesTheHealthDown(t *testing.T) {
	h, _ := server(t, func(c *Config) {
		c.Checks = func(context.Context) []openvidu.RESTCheck {
			return []openvidu.RESTCheck{{Name: "store", Code: "STORE_FULL"}}
		}
	})
	if w := do(h, "GET /openvidu/api/health", ""); w.Code != 503 || !strings.Contains(w.Body.String(), `"status":"DOWN"`) || !strings.Contains(w.Body.String(), "STORE_FULL") {
		t.Errorf("health: %d %s", w.Code, w.Body)
	}
	if w := do(h, "GET /readyz", ""); w.Code != 503 || strings.Contains(w.Body.String(), "STORE") {
		t.Errorf("readyz, which is public: %d %s", w.Code, w.Body)
	}
	if w := do(h, "GET /livez", ""); w.Code != 200 {
		t.Errorf("livez: %d", w.Code)
	}
}

func TestABearableFaultMakesTheHealthUnstable(t *testing.T) {
	h, _ := server(t, func(c *Config) {
		c.Checks = func(context.Context) []openvidu.RESTCheck {
			return []openvidu.RESTCheck{{Name: "udp", Code: "SERVER_UDP_BLOCKED", Fix: "ufw allow 4443/udp", Bearable: true}, {Name: "tcp", OK: true}}
		}
	})
	if w := do(h, "GET /openvidu/api/health", ""); w.Code != 409 || !strings.Contains(w.Body.String(), `"status":"UNSTABLE"`) || !strings.Contains(w.Body.String(), "ufw allow 4443/udp") {
		t.Errorf("health: %d %s", w.Code, w.Body)
	}
	if w := do(h, "GET /readyz", ""); w.Code != 200 {
		t.Errorf("readyz: %d, calls go on", w.Code)
	}
}
