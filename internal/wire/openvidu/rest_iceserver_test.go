package openvidu

import "testing"

func TestRESTICEServerCheck(t *testing.T) {
	for _, url := range []string{"stun:a", "stuns:a.example", "stun:192.0.2.1:3478", "stun:[2001:db8::1]", "stun:[::1]:65535", "stun:host_1.lan."} {
		if err := (RESTICEServer{URL: url}).Check(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{"turn:a", "turns:a:443?transport=tcp", "turn:a?transport=udp"} {
		if err := (RESTICEServer{URL: url, Username: "u", Credential: "p"}).Check(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if err := (RESTICEServer{URL: url, StaticAuthSecret: "s"}).Check(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, s := range []RESTICEServer{
		{URL: ""}, {URL: "stun"}, {URL: "stun:"}, {URL: "STUN:a"}, {URL: "http:a"}, {URL: "stun://a"}, {URL: "stun:a:0"}, {URL: "stun:a:65536"},
		{URL: "stun:a:"}, {URL: "stun:a:+1"}, {URL: "stun:-a"}, {URL: "stun:a b"}, {URL: "stun:[::1"}, {URL: "stun:[1.2.3.4]"}, {URL: "stun:[::1]x"},
		{URL: "stun:[fe80::1%eth0]"}, {URL: "stun:::1"}, {URL: "stun:a?transport=udp"}, {URL: "stun:a?"},
		{URL: "stun:a", Username: "u"}, {URL: "stun:a", Credential: "p"}, {URL: "stun:a", StaticAuthSecret: "s"},
		{URL: "turn:a"}, {URL: "turn:a", Username: "u"}, {URL: "turn:a", Credential: "p"},
		{URL: "turn:a", Username: "u", Credential: "p", StaticAuthSecret: "s"}, {URL: "turn:a", Username: "u", StaticAuthSecret: "s"},
		{URL: "turn:a?transport=tls", Username: "u", Credential: "p"}, {URL: "turn:a?transport=tcp&x", Username: "u", Credential: "p"},
	} {
		if s.Check() == nil {
			t.Errorf("%+v: accepted", s)
		}
	}
}
