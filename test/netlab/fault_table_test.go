package netlab

import (
	"testing"
	"time"
)

// TestKMS_19a__Faults are the eight of the Kurento guide, each once; with FAULT_RUNS=20 as often as the promise asks (make
// test-long PART=faults).
func TestKMS_19a__Faults(t *testing.T) { suite(t, kurentoFaults) }

// TestFaults are those of the other sixteen that take little time; with FAULT_RUNS all of them, so that both together are the
// first half of claim D4. One browser and one session see a fault several times, each by a participant of its own.
func TestFaults(t *testing.T) {
	for _, f := range otherFaults {
		if all, _ := runs(); all > 1 || f.fast {
			t.Run(f.code, f.run)
		}
	}
}

func suite(t *testing.T, faults []fault) {
	for _, f := range faults {
		t.Run(f.code, f.run)
	}
}

const (
	// A firewall that lets go on what is there over TCP and nothing else pass.
	noUDPNoNewTCP = "meta l4proto udp drop; tcp flags & (syn|ack) == syn drop"
	noNewTCP      = "tcp flags & (syn|ack) == syn drop"
)

var kurentoFaults = []fault{
	{code: "SERVER_UDP_BLOCKED", side: "server", fix: "443", make: func(s *scene) {
		srv := s.internet.host("srv")
		s.server = s.serve(srv, settings{"HTTPS_PORT": "443"})
		srv.firewall(noUDP)
		s.well = guest{at: s.internet.router("office", portRestricted).host("well")}
		s.ill = guest{at: s.internet.router("home", portRestricted).host("ill")}
	}},
	{code: "CLIENT_UDP_BLOCKED", side: "client", fix: "443", make: func(s *scene) {
		s.plain()
		home := s.internet.router("home", portRestricted)
		home.firewall(noUDP)
		s.ill = guest{at: home.host("ill")}
	}},
	{code: "TURN_SECRET_WRONG", side: "turn", fix: "static-auth-secret", make: func(s *scene) {
		s.onlyByRelay("another-secret-16", "")
	}},
	{code: "EXTERNAL_ADDRESS_WRONG", side: "server", fix: "DOMAIN_OR_PUBLIC_IP", make: func(s *scene) {
		s.hidden(settings{"DOMAIN_OR_PUBLIC_IP": "203.0.113.99"})
		s.ill = guest{at: s.internet.host("ill"), through: s.server.reached + ":443"}
	}},
	{code: "SYMMETRIC_NAT_NO_RELAY", side: "network", fix: "relay", make: func(s *scene) {
		first, second := s.internet.host("stun1"), s.internet.host("stun2")
		s.stun(first, 3478)
		s.stun(second, 3478)
		s.hidden(settings{"OPENVIDU_WEBRTC_ICE_SERVERS": `["url=stun:` + first.ip.String() + `:3478","url=stun:` + second.ip.String() + `:3478"]`})
		s.ill = guest{at: s.internet.router("home", symmetric).host("ill")}
	}},
	{code: "MTU_BLACK_HOLE", side: "network", fix: "MTU", make: func(s *scene) {
		s.plain()
		s.ill = guest{at: s.internet.over(line{}).host("ill"), publishes: map[string]any{"noise": true}}
		s.later = true
		s.strike = func() { s.ill.at.wires[0].set(line{largest: 700}) }
		s.mend = func() { s.ill.at.wires[0].set(line{}) }
	}},
	// Chromium reports on sound each 2.5 to 7.5 s, and the report after the fault may come too soon to tell: seen at 6 to 11 s.
	{code: "AUDIO_ONE_WAY", side: "network", fix: "both directions", make: func(s *scene) {
		s.plain()
		home := s.internet.router("home", portRestricted)
		s.ill = guest{at: home.host("ill")}
		s.later = true
		// RTP (first byte 128 to 191) of Opus (payload type 111, with and without marker), towards the client.
		s.strike = func() {
			home.firewall("udp sport 443 @th,64,8 >= 128 @th,64,8 <= 191 @th,72,8 { 111, 239 } drop")
		}
		s.mend = func() { home.firewall("accept") }
	}},
	{code: "TURN_CLOCK_SKEWED", side: "turn", fix: "clock", make: func(s *scene) {
		s.onlyByRelay(turnSecret, "+2d")
	}},
}

var otherFaults = []fault{
	{code: "NET_UNREACHABLE", side: "network", fix: "443", make: func(s *scene) {
		s.plain()
		home := s.internet.router("home", portRestricted)
		s.ill = guest{at: home.host("ill")}
		s.strike = func() { home.firewall(noUDPNoNewTCP) }
		s.mend = func() { home.firewall("accept") }
	}},
	{code: "RETURN_PATH_BLOCKED", side: "network", fix: "443", make: func(s *scene) {
		s.plain()
		home := s.internet.router("home", portRestricted)
		s.ill = guest{at: home.host("ill")}
		s.strike = func() { home.firewall("udp sport 443 drop", noNewTCP) }
		s.mend = func() { home.firewall("accept") }
	}},
	{code: "ICE_CREDENTIALS_WRONG", fast: true, side: "application", fix: "sdpAnswer", make: func(s *scene) {
		s.plain()
		s.ill = guest{at: s.internet.host("ill"), before: `{
			const apply = RTCPeerConnection.prototype.setRemoteDescription;
			RTCPeerConnection.prototype.setRemoteDescription = function (d, ...rest) {
				return apply.call(this, { type: d.type, sdp: d.sdp.replace(/(a=ice-pwd:)(.)/g, (_, k, c) => k + (c === 'A' ? 'B' : 'A')) }, ...rest);
			};
		}`}
	}},
	{code: "DTLS_BLOCKED", side: "network", fix: "443", make: func(s *scene) {
		s.plain()
		home := s.internet.router("home", portRestricted)
		home.firewall("meta l4proto udp @th,64,8 >= 20 @th,64,8 <= 63 drop")
		s.ill = guest{at: home.host("ill")}
	}},
	{code: "DTLS_FINGERPRINT_MISMATCH", side: "application", fix: "SDP", make: func(s *scene) {
		s.plain()
		s.ill = guest{at: s.internet.host("ill"), before: altered(`sdp.replace(/(a=fingerprint:sha-256 )(.)/g, (_, k, c) => k + (c === 'A' ? 'B' : 'A'))`)}
	}},
	{code: "SDP_PLUS_MANGLED", fast: true, side: "application", fix: "encodeURIComponent", make: func(s *scene) {
		s.plain()
		// Offers are made anew until there is a + in them.
		s.ill = guest{at: s.internet.host("ill"), before: `{
			const make = RTCPeerConnection.prototype.createOffer;
			RTCPeerConnection.prototype.createOffer = async function (...args) {
				for (;;) {
					const offer = await make.apply(this, args);
					if (/a=ice-pwd:.*\+/.test(offer.sdp)) return offer;
					args = [{ ...args[0], iceRestart: true }];
				}
			};
		}` + altered(`sdp.replace(/a=ice-(ufrag|pwd):.*/g, (line) => line.replaceAll('+', ' '))`)}
	}},
	{code: "SDP_MANGLED", side: "application", fix: "byte by byte", make: func(s *scene) {
		s.plain()
		s.ill = guest{at: s.internet.host("ill"), before: altered(`sdp.replace(/\r\n(?=a=(?:rtcp-mux|sendonly|sendrecv))/g, '')`)}
	}},
	{code: "CODEC_MISMATCH", fast: true, side: "client", fix: "H264", make: func(s *scene) {
		s.plain()
		s.ill = guest{at: s.internet.host("ill"), before: `{
			const add = RTCPeerConnection.prototype.addTransceiver;
			RTCPeerConnection.prototype.addTransceiver = function (what, ...rest) {
				const made = add.call(this, what, ...rest);
				if ((what.kind ?? what) === 'video') made.setCodecPreferences(RTCRtpSender.getCapabilities('video').codecs.filter((c) => c.mimeType === 'video/H264'));
				return made;
			};
		}`}
	}},
	{code: "NO_MEDIA_SENT", side: "client", fix: "camera", make: func(s *scene) {
		s.plain()
		s.ill = guest{at: s.internet.host("ill"), before: `{
			const paint = pattern.video;
			pattern.video = (...args) => (window.painted = paint(...args));
		}`}
		s.later = true
		s.during = func(p *participant) { p.script(nil, "painted.stop()") } // as a camera does that is pulled out
	}},
	{code: "SOURCE_SILENT", side: "publisher", fix: "diagnosis of connection", make: func(s *scene) {
		s.plain()
		s.ill = guest{at: s.internet.host("ill")}
		s.passive, s.later = true, true
		s.strike = func() { s.well.at.firewall("meta l4proto udp drop") }
		s.mend = func() { s.well.at.firewall("accept") }
	}},
	{code: "LOSS_UPLINK", side: "client", fix: "", make: func(s *scene) {
		s.plain()
		s.ill = guest{at: s.internet.over(line{}).host("ill")}
		s.later = true
		s.strike = func() { s.ill.at.wires[0].upDown(line{loss: 0.3}, line{}) }
		s.mend = func() { s.ill.at.wires[0].set(line{}) }
	}},
	{code: "LOSS_DOWNLINK", side: "client", fix: "", make: func(s *scene) {
		s.plain()
		s.ill = guest{at: s.internet.over(line{}).host("ill")}
		s.later = true
		s.strike = func() { s.ill.at.wires[0].upDown(line{}, line{loss: 0.3}) }
		s.mend = func() { s.ill.at.wires[0].set(line{}) }
	}},
	{code: "CAMERA_BUSY", side: "client", fix: "Close the other program", make: func(s *scene) {
		s.plain()
		s.ill = guest{at: s.internet.host("ill"), publishes: map[string]any{"source": "camera"}, before: `
			navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('Could not start video source', 'NotReadableError'); }; 0`}
	}},
	{code: "PROXY_IDLE_TIMEOUT", side: "proxy", fix: "proxy_read_timeout", within: 75 * time.Second, make: func(s *scene) {
		s.plain()
		edge := s.internet.host("edge")
		s.mortal(edge, 443, s.server.node.ip.String()+":443", 30*time.Second)
		s.ill = guest{at: s.internet.host("ill"), through: edge.ip.String() + ":443"}
	}},
	{code: "NAT_IDLE_TIMEOUT", side: "network", fix: "timeout", within: 30 * time.Second, make: func(s *scene) {
		s.plain()
		home := s.internet.router("home", symmetric)
		home.must("sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=1", "net.netfilter.nf_conntrack_udp_timeout_stream=1")
		s.well = guest{} // nobody sends them anything that would keep the way open
		s.ill = guest{at: home.host("ill"), before: `{
			const add = RTCPeerConnection.prototype.addTransceiver;
			window.made = new Set();
			RTCPeerConnection.prototype.addTransceiver = function (...args) { made.add(this); return add.apply(this, args); };
		}`}
		s.during = func(p *participant) {
			p.do(nil, "call", "publishVideo", false)
			p.do(nil, "call", "publishAudio", false)
			p.script(nil, "Promise.all([...made].flatMap((pc) => pc.getSenders()).map((s) => s.replaceTrack(null))).then(() => 0)")
		}
	}},
	{code: "CLIENT_NETWORK_LOST", side: "client", fix: "comes back", make: func(s *scene) {
		s.plain()
		home := s.internet.router("home", portRestricted)
		s.ill = guest{at: home.host("ill")}
		s.later = true
		s.strike = func() { home.firewall(nothing) }
		s.mend = func() { home.firewall("accept") }
	}},
}

// altered bends the SDP of every message a page sends.
func altered(expression string) string {
	return `trace.outgoing = (message) => {
		const bend = (sdp) => ` + expression + `;
		for (const name of ['sdpOffer', 'sdpAnswer', 'sdpString']) if (message.params?.[name]) message.params[name] = bend(message.params[name]);
		return message;
	}; 0`
}

const turnSecret = "a-shared-secret-of-16"

// plain is a server on the internet and somebody who is well.
func (s *scene) plain() {
	s.server = s.serve(s.internet.host("srv"), settings{"HTTPS_PORT": "443", "OPENVIDU_BROWSER_LOGS": "debug"})
	s.well = guest{at: s.internet.host("well")}
}

// hidden is a server that only a web proxy can reach: media cannot.
func (s *scene) hidden(more settings) {
	office := s.internet.router("office", portRestricted)
	more["HTTPS_PORT"], more["TRUSTED_PROXIES"] = "443", "10.0.0.0/8"
	s.server = s.serve(office.host("srv"), more)
	edge := s.internet.host("edge")
	edge.join(office.inner)
	s.nginx(edge, "https://"+s.server.node.ip.String()+":443", newAuthority(s.t))
	s.server.at(edge.ip.String(), 443)
}

// onlyByRelay is a server with a coturn outside, and a participant that can reach nothing else of media.
func (s *scene) onlyByRelay(secretThere, clockThere string) {
	relay := s.internet.host("turn")
	s.coturn(relay, secretThere, clockThere)
	s.server = s.serve(s.internet.host("srv"), settings{
		"HTTPS_PORT": "443", "COTURN_IP": relay.ip.String(), "COTURN_PORT": "3478", "COTURN_SHARED_SECRET_KEY": turnSecret,
	})
	s.well = guest{at: s.internet.host("well")}
	home := s.internet.router("home", portRestricted)
	s.ill = guest{at: home.host("ill")}
	s.strike = func() {
		home.firewall("ip daddr "+s.server.node.ip.String()+" meta l4proto udp drop", "ip daddr "+s.server.node.ip.String()+" "+noNewTCP)
	}
	s.mend = func() { home.firewall("accept") }
}
