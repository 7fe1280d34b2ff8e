package doctor

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/config"
	"tertulia/internal/diagnosis"
)

func TestWhichTURNServersAreProbed(t *testing.T) {
	for name, c := range map[string]struct {
		settings []string
		named    []TURNServer
		want     string
	}{
		"the built-in one":    {nil, nil, ""},
		"an outside coturn":   {[]string{"--coturn-ip=turn.example"}, nil, "turn:turn.example:3478?transport=udp turn:turn.example:3478?transport=tcp"},
		"its port, over IPv6": {[]string{"--coturn-ip=[2001:db8::1]", "--coturn-port=443"}, nil, "turn:[2001:db8::1]:443?transport=udp turn:[2001:db8::1]:443?transport=tcp"},
		"ICE servers": {[]string{"--coturn-ip=turn.example", `--openvidu-webrtc-ice-servers=["url=stun:s:1","url=turns:a,staticAuthSecret=x","url=turn:b?transport=tcp,username=u,credential=p"]`}, nil,
			"turns:a turn:b?transport=tcp"},
		"STUN alone": {[]string{`--openvidu-webrtc-ice-servers=["url=stun:s:1"]`}, nil, ""},
		"named":      {[]string{"--coturn-ip=turn.example"}, []TURNServer{{URL: "turn:n:1"}}, "turn:n:1?transport=udp turn:n:1?transport=tcp"},
	} {
		h := hostOf(t, c.settings...)
		h.TURN = c.named
		var got []string
		for _, s := range h.turnServers() {
			got = append(got, s.URL)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %s", name, got, c.want)
		}
	}
}

// TestTheRunningServerIsAsked over its own port, with our secret and nobody else's.
func TestTheRunningServerIsAsked(t *testing.T) {
	health, status := "", http.StatusOK
	var ports []net.Listener
	for range 2 {
		listener, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, listener)
	}
	slices.SortFunc(ports, func(a, b net.Listener) int { return a.Addr().(*net.TCPAddr).Port - b.Addr().(*net.TCPAddr).Port })
	listener := ports[1]
	// A flag has given the server a port for plain HTTP that is not in our settings.
	plain := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s is asked for in the clear", r.URL) }))
	plain.Listener.Close()
	plain.Listener = ports[0]
	plain.Config.ErrorLog = log.New(io.Discard, "", 0)
	plain.Start()
	defer plain.Close()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, secret, _ := r.BasicAuth(); user != "OPENVIDUAPP" || secret != "Sesame" || r.URL.Path != "/openvidu/api/health" {
			status = http.StatusUnauthorized
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, health)
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Config.ErrorLog = plain.Config.ErrorLog // of handshakes that end there
	server.StartTLS()
	defer server.Close()
	h := hostOf(t, "--openvidu-secret=Sesame")
	h.server = os.Getpid()
	for _, c := range []struct {
		status  int
		health  string
		verdict Verdict
		code    diagnosis.Code
		says    string
	}{
		{200, `{"checks":[{"name":"media","ok":true},{"name":"turn","ok":true,"text":"relayed 3 s ago"}]}`, Fine, "", "relayed 3 s ago"},
		{503, `{"checks":[{"name":"turn","ok":false,"code":"TURN_FAULTY","text":"it does not relay","fix":"Restart."}]}`, Faulty, diagnosis.TURNFaulty, "built-in: TURN_FAULTY: it does not relay\nRestart."},
		{409, `{"checks":[{"name":"turn","ok":false,"code":"TURN_FAULTY","text":"it does not relay","fix":"Look."}]}`, Faulty, diagnosis.TURNFaulty, "it does not relay\nLook."},
		{200, `{"checks":[]}`, Unchecked, "", "does not test its TURN"},
		{200, `<html>`, Unchecked, "", "something else"},
		{404, ``, Unchecked, "", "404"},
	} {
		health, status = c.health, c.status
		want(t, checkTURN(t.Context(), h), c.verdict, c.code, c.says)
	}
	h.Config.Secret = "another"
	want(t, checkTURN(t.Context(), h), Unchecked, "", "401")
	h.Config = config.Config{}
	h.server = 1 << 30
	want(t, checkTURN(t.Context(), h), Unchecked, "", errNoServer.Error())
}
