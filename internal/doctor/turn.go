package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"

	"tertulia/internal/diagnosis"
	"tertulia/internal/reach"
)

// TURNServer is one to probe: with a username and its credential, or with the secret that credentials are made from.
type TURNServer struct{ URL, Username, Credential, Secret string }

// checkTURN allocates and relays over every transport of the servers that clients are told of. The built-in one tests
// itself while the server runs.
func checkTURN(ctx context.Context, h *host) Check {
	targets := h.turnServers()
	if len(targets) == 0 {
		return h.builtInTURN(ctx)
	}
	probes := make([]reach.Probe, len(targets))
	var probing sync.WaitGroup
	for i, s := range targets {
		probing.Go(func() {
			probes[i] = reach.ProbeTURN(ctx, reach.Target{URL: s.URL, Username: s.Username, Credential: s.Credential, Secret: s.Secret})
		})
	}
	probing.Wait()
	var good, bad, fixes []string
	for _, p := range probes {
		if p.Code == "" {
			good = append(good, fmt.Sprintf("%s relays, %d ms", p.URL, p.RTT.Milliseconds()+1))
			continue
		}
		bad = append(bad, p.URL+": "+p.Code+": "+p.Text)
		fixes = append(fixes, p.Fix)
	}
	if len(bad) == 0 {
		return fine(good...)
	}
	return faulty(diagnosis.TURNFaulty, values{"remedy": strings.Join(unique(fixes), "\n")}, append(bad, good...)...)
}

func unique(list []string) []string {
	var kept []string
	for _, text := range list {
		if text != "" && !strings.Contains(strings.Join(kept, "\n"), text) {
			kept = append(kept, text)
		}
	}
	return kept
}

// turnServers are all but the built-in one, a URL for each transport.
func (h *host) turnServers() []TURNServer {
	c := h.Config
	named := h.TURN
	if len(named) == 0 && len(c.ICEServers) > 0 {
		for _, s := range c.ICEServers {
			if strings.HasPrefix(s.URL, "turn") {
				named = append(named, TURNServer{s.URL, s.Username, s.Credential, s.StaticAuthSecret})
			}
		}
	} else if len(named) == 0 && c.TURNHost != "" {
		port := c.TURNPort
		if port == "" {
			port = "3478"
		}
		named = []TURNServer{{URL: "turn:" + net.JoinHostPort(c.TURNHost, port), Secret: c.CoturnSecret}}
	}
	var list []TURNServer
	for _, s := range named {
		if strings.HasPrefix(s.URL, "turns:") || strings.Contains(s.URL, "?transport=") {
			list = append(list, s)
			continue
		}
		for _, transport := range []string{"udp", "tcp"} {
			one := s
			one.URL += "?transport=" + transport
			list = append(list, one)
		}
	}
	return list
}

// builtInTURN is what the running server says of its own.
func (h *host) builtInTURN(ctx context.Context) Check {
	server, err := h.reach(ctx)
	if err != nil {
		return unchecked("the built-in TURN is tested while it runs: " + err.Error())
	}
	text, err := server.get(ctx, "/openvidu/api/health")
	if err != nil {
		return unchecked("the running server does not say: " + err.Error())
	}
	var health struct {
		Checks []struct {
			Name, Code, Text, Fix string
			OK                    bool
		} `json:"checks"`
	}
	if err := json.Unmarshal(text, &health); err != nil {
		return unchecked("the running server says something else than its health")
	}
	for _, c := range health.Checks {
		switch {
		case c.Name != "turn":
		case c.OK:
			return fine(oneLine("the running server's test of itself: " + c.Text))
		default:
			return faulty(diagnosis.TURNFaulty, values{"url": "built-in", "what": c.Code + ": " + c.Text, "remedy": c.Fix})
		}
	}
	return unchecked("the running server does not test its TURN")
}
