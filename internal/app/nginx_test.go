package app_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/testkit"
)

// inFront are the location blocks of guides: a host of its own, and a path below one.
const inFront = `listen LISTEN;
	proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto https;
	proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_ssl_verify off;
	location / { proxy_pass UPSTREAM; }
	location /taken/ { proxy_pass UPSTREAM/; }
	location /kept/ { proxy_pass UPSTREAM; proxy_set_header X-Forwarded-Prefix /kept;
		proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https; }`

// TestBehindNginx: REST, the call page and the websocket work through a real nginx, by HTTP and by HTTPS to us, at the
// root and below a path that it keeps or takes off; we know the client's address and host, not nginx's.
func TestBehindNginx(t *testing.T) {
	node := start(t, t.TempDir(), "0")
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			upstream := scheme + "://127.0.0.1" + node.url[strings.LastIndex(node.url, ":"):]
			front := testkit.Nginx(t, strings.ReplaceAll(inFront, "UPSTREAM", upstream))
			dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
			transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
			browser := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			for path, want := range map[string]int{
				"/": 200, "/livez": 200, "/openvidu/accept-certificate": 200, "/openvidu/api/config/openvidu-publicurl": 200,
				"/taken/livez": 200, "/taken/openvidu/api/config/openvidu-publicurl": 200,
				"/kept/livez": 200, "/kept/openvidu/api/config/openvidu-publicurl": 200, "/kept/nothing": 404,
			} {
				response, err := browser.Get("http://" + front + path)
				if err != nil {
					t.Fatal(err)
				}
				text, _ := io.ReadAll(response.Body)
				_ = response.Body.Close()
				unbuilt := path == "/" && response.StatusCode == http.StatusServiceUnavailable // the page of this build
				if response.StatusCode != want && !unbuilt {
					t.Errorf("GET %s: %s %s", path, response.Status, text)
				}
				if strings.HasSuffix(path, "publicurl") && string(text) != "https://"+front+"/" {
					t.Errorf("%s is answered with %s", path, text)
				}
			}

			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			through := running{t: t, url: "http://" + front}
			room := "room-" + scheme
			through.rest("POST", "/kept/openvidu/api/sessions", `{"customSessionId":"`+room+`"}`, http.StatusOK)
			made := through.rest("POST", "/taken/openvidu/api/sessions/"+room+"/connection", "{}", http.StatusOK)
			token := text(t, made, "token")
			if !strings.HasPrefix(token, "wss://"+front+"?sessionId="+room) {
				t.Errorf("the token is %s", token)
			}
			socket, _, err := websocket.Dial(ctx, "ws://"+front+"/openvidu?sessionId="+room, &websocket.DialOptions{HTTPClient: browser})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = socket.CloseNow() }()
			c := &client{running: through, socket: socket}
			c.ask(ctx, "joinRoom", map[string]any{"token": token, "session": room, "platform": "Chrome", "sdkVersion": "2.32.2", "metadata": "", "secret": "", "recorder": false})
			shown := through.rest("GET", "/openvidu/api/sessions/"+room+"/connection/"+text(t, made, "id"), "", http.StatusOK)
			if shown["ip"] != "127.0.0.2" {
				t.Errorf("the client's address is %v", shown["ip"])
			}
		})
	}
}
