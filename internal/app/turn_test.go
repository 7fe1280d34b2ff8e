package app

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/reach"
	"tertulia/internal/turn"
)

func relayServer(t *testing.T) *turn.Server {
	t.Helper()
	server, err := turn.New(turn.Config{
		Secret: "0123456789abcdef", MediaAddresses: func() []netip.AddrPort { return nil },
		OpenRelay: func(netip.AddrPort, func(netip.AddrPort, []byte)) turn.Relay { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func TestWhereClientsAreToldTURNIs(t *testing.T) {
	for _, test := range []struct {
		domain, host, own string
		overTLS           bool
		want              string
	}{
		{"", "192.168.1.5:4443", "", false, "turn:192.168.1.5:4443?transport=tcp"},
		{"", "", "", false, "turn:localhost:4443?transport=tcp"},
		{"call.example", "192.168.1.5:4443", "", true, "turns:call.example:4443?transport=tcp"},
		{"2001:db8::7", "", "", false, "turn:[2001:db8::7]:4443?transport=tcp"},
		{"", "[2001:db8::9]:4443", "", false, "turn:[2001:db8::9]:4443?transport=tcp"},
		{"", "192.168.1.5:4443", "3478", false, "turn:192.168.1.5:3478?transport=udp turn:192.168.1.5:4443?transport=tcp"},
		{"2001:db8::7", "", "3478", true, "turn:[2001:db8::7]:3478?transport=udp turns:[2001:db8::7]:4443?transport=tcp"},
	} {
		c := &credentials{server: relayServer(t), port: 4443, domain: test.domain, overTLS: func() bool { return test.overTLS }, own: test.own}
		var urls []string
		for _, s := range c.TURN("ses_A", "con_A", test.host) {
			urls = append(urls, s.URL)
			if s.Username == "" || s.Credential == "" {
				t.Errorf("%s without credential", s.URL)
			}
		}
		if got := strings.Join(urls, " "); got != test.want {
			t.Errorf("domain %q, reached by %q: %s, want %s", test.domain, test.host, got, test.want)
		}
	}
}

// TestTURNInTokens: clients before 2.16 ask port 3478 of the token's host, so that they are told of TURN only if it is
// there. Every answer has the same.
func TestTURNInTokens(t *testing.T) {
	made := time.Now().Add(-time.Hour)
	for _, test := range []struct {
		own, outside string
		told         bool
	}{{"3478", "", true}, {"", "", false}, {"3479", "", false}, {"3478", "turn.example:3478", false}} {
		c := &credentials{server: relayServer(t), own: test.own, outside: test.outside}
		username, credential := c.inToken("ses_A", "con_A", made)
		if told := username != "" && credential != ""; told != test.told {
			t.Errorf("COTURN_PORT=%s, outside %q: told %q %q", test.own, test.outside, username, credential)
		}
		if again, _ := c.inToken("ses_A", "con_A", made); again != username {
			t.Errorf("%q and then %q", username, again)
		}
		expiry, _, _ := strings.Cut(username, ":")
		if test.told && expiry != strconv.FormatInt(made.Add(24*time.Hour).Unix(), 10) {
			t.Errorf("it ends at %s", expiry)
		}
	}
}

// An outside coturn's credentials are those of its use-auth-secret, good for a day.
func TestAnOutsideCoturn(t *testing.T) {
	for host, want := range map[[2]string]string{
		{"turn.example", ""}: "turn:turn.example:3478", {"192.0.2.7", "5000"}: "turn:192.0.2.7:5000", {"2001:db8::7", ""}: "turn:[2001:db8::7]:3478",
	} {
		c := config.Config{TURNHost: host[0], TURNPort: host[1], CoturnSecret: "the secret of both"}
		running, ctx := newParts(t.Context())
		told, err := serveTURN(ctx, c, relayServer(t), 4443, func() bool { return false }, nil, nil, running, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		list := told.TURN("ses_A", "con_A", "here:4443")
		if len(list) != 2 || list[0].URL != want || list[1].URL != want+"?transport=tcp" {
			t.Fatalf("told %+v, want %s", list, want)
		}
		mac := hmac.New(sha1.New, []byte("the secret of both"))
		mac.Write([]byte(list[0].Username))
		expiry, name, _ := strings.Cut(list[0].Username, ":")
		seconds, err := strconv.ParseInt(expiry, 10, 64)
		if left := time.Until(time.Unix(seconds, 0)); err != nil || left < 23*time.Hour || left > 24*time.Hour || len(name) != 8 {
			t.Errorf("user %s", list[0].Username)
		}
		if list[0].Credential != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			t.Errorf("credential %s", list[0].Credential)
		}
		if again := told.TURN("ses_A", "con_B", ""); again[0].Username == list[0].Username {
			t.Error("two connections have one user")
		}
		probed := elsewhere(c)
		if len(probed) != 2 || probed[0].URL != want || probed[0].Secret != c.CoturnSecret {
			t.Errorf("probed are %+v", probed)
		}
		c.ICEServers = []config.ICEServer{{URL: "stun:x"}, {URL: "turns:y", StaticAuthSecret: "s"}, {URL: "turn:z", Username: "u", Credential: "p"}}
		if probed = elsewhere(c); len(probed) != 2 || probed[0].URL != "turns:y" || probed[1].Credential != "p" {
			t.Errorf("with ICE servers, probed are %+v", probed)
		}
		if err := running.stop(); err != nil {
			t.Error(err)
		}
	}
}

// COTURN_PORT is open for UDP and TCP; one that is taken holds nobody up, and is taken over when it is free.
func TestAPortForTURN(t *testing.T) {
	running, ctx := newParts(t.Context())
	r := &reached{seen: &reach.Seen{}}
	plenty := newFiles(1000, func() int { return 0 })
	quiet := slog.New(slog.DiscardHandler)
	told, err := serveTURN(ctx, config.Config{TURNPort: "0"}, relayServer(t), 4443, nil, r, plenty, running, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := net.ListenPacket("udp", ":"+told.own); err == nil {
		t.Error("the UDP port is free")
	}
	logged := make(lines, 8)
	next, ctx := newParts(t.Context())
	again, err := serveTURN(ctx, config.Config{TURNPort: told.own}, relayServer(t), 4443, nil, r, plenty, next, slog.New(slog.NewTextHandler(logged, nil)))
	if err != nil || again.own != told.own {
		t.Fatalf("a taken port: %+v, %v", again, err)
	}
	if line := <-logged; !strings.Contains(line, "PORT_TAKEN") || !strings.Contains(line, "COTURN_PORT") {
		t.Errorf("the log says %q", line)
	}
	if err := running.stop(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		stream, err := net.Dial("tcp", "127.0.0.1:"+told.own)
		if err == nil {
			_ = stream.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a port that is free was not taken")
		}
	}
	if err := next.stop(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	conn, err := net.ListenPacket("udp", fmt.Sprintf(":%s", told.own))
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	conn.Close()
}
