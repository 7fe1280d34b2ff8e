package session

import (
	"testing"

	"tertulia/internal/wire/mediactl"
)

// TestFAQ_01__ReachedAddressIsHandedOver: the media node is told by which address and port each client reached us, its own
// alone, of publishers and subscribers alike, and also after a restart of this process.
func TestFAQ_01__ReachedAddressIsHandedOver(t *testing.T) {
	w := newWorld(t, Properties{})
	for rpc, host := range map[string]string{"a": "203.0.113.5:4443", "b": "video.example.com:443"} {
		w.rest(Join{Insecure: true, LegacyRole: true, RPC: rpc, Host: host})
	}
	of := map[string]*Connection{}
	for _, c := range w.state.Connections {
		of[c.RPC] = c
	}
	peers := func() map[string]mediactl.Peer {
		found := map[string]mediactl.Peer{}
		for _, a := range w.asked {
			switch q := a.Request.(type) {
			case mediactl.Publish:
				found[q.Endpoint] = q.Peer
			case mediactl.Subscribe:
				found[q.Endpoint] = q.Peer
			}
		}
		return found
	}
	a, b := of["a"].ID, of["b"].ID
	for _, id := range []string{a, b} {
		w.client(id, "1", Publish{Connection: id, Offer: "o", Media: StreamMedia{HasAudio: true}})
	}
	if got := peers(); got[a].Reached != "203.0.113.5:4443" || got[b].Reached != "" {
		t.Errorf("publishers: %+v", got)
	}
	w.settle(a, nil)
	w.settle(b, nil)
	w.client(a, "2", Subscribe{Connection: a, Sender: b, Offer: "o"})
	w.client(b, "2", Subscribe{Connection: b, Sender: a, Offer: "o"})
	streams := map[string]string{}
	for _, c := range w.state.Connections {
		streams[c.ID] = c.Stream.ID
	}
	if got := peers(); len(got) != 2 || got[endpoint(a, streams[b])].Reached != "203.0.113.5:4443" || got[endpoint(b, streams[a])].Reached != "" {
		t.Errorf("subscribers: %+v", got)
	}
	w.restart()
	if got := w.state.find(a); got.Reached != "203.0.113.5:4443" {
		t.Errorf("after a restart: %q", got.Reached)
	}
}

// TestReached: only an address that media could be sent to, as one would write it.
func TestReached(t *testing.T) {
	for host, want := range map[string]string{
		"203.0.113.5:4443": "203.0.113.5:4443", "[2001:db8::5]:443": "[2001:db8::5]:443", "[::ffff:203.0.113.5]:443": "203.0.113.5:443",
		"127.0.0.1:8443": "127.0.0.1:8443", "video.example.com:443": "", "localhost:4443": "", "": "", "203.0.113.5": "",
		"0.0.0.0:4443": "", "[::]:4443": "", "224.0.0.1:4443": "", "[fe80::1%eth0]:443": "", "203.0.113.5:0": "", "203.0.113.5:http": "",
	} {
		if got := reached(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}
