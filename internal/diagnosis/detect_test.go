package diagnosis

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/wire/mediactl"
)

// codes are those found, in order of the alphabet.
func codes(v *View) []Code {
	list := []Code{}
	for _, f := range Detect(v) {
		list = append(list, f.Code)
	}
	slices.Sort(list)
	return list
}

// Every case breaks one thing of a healthy participant; only the code that explains it is found.
func TestFaults(t *testing.T) {
	for name, c := range faults() {
		t.Run(name, func(t *testing.T) {
			v := c.view()
			found := Detect(v)
			if len(found) != 1 || found[0].Code != c.want {
				t.Fatalf("found %v, want %s alone", codes(v), c.want)
			}
			r := found[0].record(v)
			row, ok := Of(c.want)
			if !ok || r.Side != row.Side || r.Title == "" || len(r.Evidence) == 0 || r.Connection != v.Connection || r.Session != "s" {
				t.Errorf("record %+v", r)
			}
			for _, text := range append([]string{r.Fix, r.Title}, r.Evidence...) {
				if strings.ContainsAny(text, "{}") || strings.Contains(text, "(unknown ") {
					t.Errorf("not filled in: %q", text)
				}
			}
			if c.severity == "" {
				c.severity = row.Severity
			}
			if r.Severity != c.severity {
				t.Errorf("severity %s, want %s", r.Severity, c.severity)
			}
			for _, word := range c.words {
				if all := r.Title + strings.Join(r.Evidence, " ") + r.Fix; !strings.Contains(all, word) {
					t.Errorf("%q is not told: %s", word, all)
				}
			}
		})
	}
}

type faulty struct {
	view     func() *View
	want     Code
	severity Severity
	words    []string
}

func with(e *Endpoint, change func(v *View, e *Endpoint)) func() *View {
	return func() *View {
		v := seen(e)
		change(v, e)
		return v
	}
}

func faults() map[string]faulty {
	all := map[string]faulty{}
	for _, some := range []map[string]faulty{transportFaults(), detourFaults(), mediaFaults(), clientFaults()} {
		for name, f := range some {
			all[name] = f
		}
	}
	return all
}

func transportFaults() map[string]faulty {
	symmetric := []string{
		"candidate:1 1 udp 2122260223 192.168.1.20 50000 typ host",
		"candidate:3 1 udp 1686052607 198.51.100.7 61001 typ srflx raddr 192.168.1.20 rport 50000",
		"candidate:3 1 udp 1686052607 198.51.100.7 61002 typ srflx raddr 192.168.1.20 rport 50000",
	}
	return map[string]faulty{
		"nothing reaches us": {want: NetUnreachable, words: []string{"8.0 s", "4443/udp", "203.0.113.5", "2 networks over UDP"}, view: with(unreached(), func(*View, *Endpoint) {})},
		"nor a viewer": {want: NetUnreachable, view: func() *View {
			e := viewer()
			source := unreached()
			e.Facts, e.Connected, e.Checked = source.Facts, 0, 0
			return seen(e)
		}},
		"cut in a call": {want: NetUnreachable, words: []string{"websocket is in order"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			e.Facts.Consent, e.Facts.Heard = 7000, 7100
		})},
		"the network is gone": {want: ClientNetworkLost, words: []string{"7.0 s", "8.0 s"}, view: with(publisher(), func(v *View, e *Endpoint) {
			e.Facts.Consent, e.Facts.Heard, v.Socket.Silent = 7000, 7100, 8000
		})},
		"the network is gone, and the socket was ended for it": {want: ClientNetworkLost, view: with(publisher(), func(v *View, e *Endpoint) {
			e.Facts.Consent, e.Facts.Heard = 20_000, 20_100
			v.Socket = Socket{Lost: start - 1000, Quiet: true, Silent: -1}
		})},
		"checks with a wrong password": {want: ICECredentialsWrong, words: []string{"12 checks"}, view: with(unreached(), func(_ *View, e *Endpoint) {
			e.Facts.Age, e.Facts.WrongPassword = 3000, 12
		})},
		"checks with another fragment": {want: ICECredentialsWrong, words: []string{"fragment"}, view: with(unreached(), func(_ *View, e *Endpoint) {
			e.Facts.Age, e.Facts.WrongFragment = 3000, 12
		})},
		"another certificate": {want: DTLSFingerprint, view: with(publisher(), func(_ *View, e *Endpoint) {
			e.Facts.State, e.Facts.Fingerprint, e.Facts.Cipher, e.Connected = "failed", true, "", 0
		})},
		"answers do not arrive": {want: ReturnPathBlocked, words: []string{"30 verified checks", "198.51.100.7:50000"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			noKeys(e)
			e.Nominated, e.Checked, e.Facts.Paths[0].Nominated, e.Facts.Paths[0].Checks, e.Facts.Paths[0].Heard = 0, start-4500, false, 30, 200
		})},
		"answers do not arrive at Firefox, whose transport before was connected": {want: ReturnPathBlocked, view: with(publisher(), func(v *View, e *Endpoint) {
			noKeys(e)
			e.Checked, e.Nominated, e.Facts.Paths[0].Checks, e.Facts.Paths[0].Heard = start-5000, start-5000, 11, 900
			v.Clues.ICE = map[string]State{publisherClue: {Word: "connected", At: start - 60_000}}
		})},
		"answers do not arrive at Firefox": {want: ReturnPathBlocked, words: []string{`"checking"`}, view: with(publisher(), func(v *View, e *Endpoint) {
			noKeys(e)
			e.Checked, e.Nominated, e.Facts.Paths[0].Checks, e.Facts.Paths[0].Heard = start-5000, start-5000, 11, 900
			v.Clues.ICE = map[string]State{publisherClue: {Word: "checking", At: start - 5000}}
		})},
		"DTLS does not come": {want: DTLSBlocked, words: []string{"no DTLS record"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			noKeys(e)
			e.Checked, e.Nominated, e.Facts.Paths[0].Checks = start-4800, start-4600, 4
		})},
		"DTLS does not end": {want: DTLSBlocked, words: []string{"6 DTLS records", "timed out"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			noKeys(e)
			e.Checked, e.Nominated, e.Facts.Hellos, e.Facts.Attempts, e.Facts.Handshake = start-4800, start-4600, 6, 1, "timed out"
		})},
		"a wrong address, we know better": {want: ExternalAddressWrong, words: []string{"203.0.113.99", "DOMAIN_OR_PUBLIC_IP to 203.0.113.5"}, view: with(unreached(), func(v *View, _ *Endpoint) {
			configured(v, "203.0.113.99")
			v.Host.Verified = []netip.Addr{netip.MustParseAddr("203.0.113.5")}
		})},
		"a wrong address, the client knows better": {want: ExternalAddressWrong, words: []string{"203.0.113.99", "203.0.113.5:4443"}, view: with(unreached(), func(v *View, _ *Endpoint) {
			configured(v, "203.0.113.99")
		})},
		"symmetric NAT": {want: SymmetricNATNoRelay, words: []string{"port 61001", "port 61002"}, view: with(unreached(), func(_ *View, e *Endpoint) {
			e.Facts.Signalled = symmetric
		})},
		"symmetric NAT of a browser that hides its addresses": {want: SymmetricNATNoRelay, view: with(unreached(), func(_ *View, e *Endpoint) {
			e.Facts.Signalled = []string{
				"candidate:1 1 udp 2113937151 0b1e5f4a.local 50000 typ host",
				"candidate:3 1 udp 1677729535 198.51.100.7 61001 typ srflx raddr 0.0.0.0 rport 0",
				"candidate:3 1 udp 1677729535 198.51.100.7 61002 typ srflx raddr 0.0.0.0 rport 0",
			}
		})},
		"TURN does not know our secret": {want: TURNSecretWrong, severity: Error, words: []string{"turn:t.example:3478", "401"}, view: with(unreached(), func(v *View, e *Endpoint) {
			e.Facts.Signalled = symmetric
			v.Host.TURN = []TURNState{{URL: "turn:t.example:3478", Code: TURNSecretWrong, Text: "401 whatever the lifetime"}}
		})},
		"TURN's clock": {want: TURNClockSkewed, severity: Error, view: with(unreached(), func(v *View, _ *Endpoint) {
			v.Host.TURN = []TURNState{{URL: "turn:ok.example:3478"}, {URL: "turn:t.example:3478", Code: TURNClockSkewed, Text: "401, and not with a longer lifetime"}}
		})},
	}
}

func noKeys(e *Endpoint) {
	f := &e.Facts
	f.State, f.Hellos, f.Attempts, f.Cipher, f.Heard, e.Connected = "checking", 0, 0, "", -1, 0
	for i := range f.Tracks {
		f.Tracks[i].Packets, f.Tracks[i].Latest = 0, -1
	}
}

func configured(v *View, address string) {
	v.Host.Configured, v.Host.Resolved = address, []netip.Addr{netip.MustParseAddr(address)}
}

func detourFaults() map[string]faulty {
	return map[string]faulty{
		"all over TCP": {want: ServerUDPBlocked, words: []string{"TCP", "2 networks"}, view: with(publisher(), func(v *View, e *Endpoint) {
			way(e, "tcp")
			v.Others = Others{Other: 2}
		})},
		"the only one, over a relay": {want: ServerUDPBlocked, words: []string{"a relay"}, view: with(publisher(), func(v *View, e *Endpoint) {
			way(e, "relay")
			v.Others = Others{Other: 1}
		})},
		"one over TCP": {want: ClientUDPBlocked, words: []string{"TCP", "2 other networks"}, view: with(publisher(), func(_ *View, e *Endpoint) { way(e, "tcp") })},
		"one over TCP, the others have left": {want: ClientUDPBlocked, view: with(publisher(), func(v *View, e *Endpoint) {
			way(e, "tcp")
			v.Others = Others{Lately: 1, Other: 1}
		})},
		"one over a TURN server of its own": {want: ClientUDPBlocked, words: []string{"a relay"}, view: with(viewer(), func(_ *View, e *Endpoint) {
			way(e, "udp")
			e.Facts.Paths[0].Remote = "192.0.2.33:49200"
			e.Facts.Signalled = append(slices.Clone(candidates), "candidate:9 1 udp 41885695 192.0.2.33 49200 typ relay raddr 198.51.100.7 rport 40000")
		})},
		"around a wrong address": {want: ExternalAddressWrong, severity: Warning, view: with(publisher(), func(v *View, e *Endpoint) {
			way(e, "tcp")
			configured(v, "203.0.113.99")
		})},
		"a NAT that forgets": {want: NATIdleTimeout, words: []string{"30 s", "2 times"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			e.NAT = Idle{Seconds: 30, Times: 2, At: start - 2000}
		})},
		"a proxy that hangs up": {want: ProxyIdleTimeout, words: []string{"60 s", "2 times", "Media flows on"}, view: with(publisher(), func(v *View, _ *Endpoint) {
			v.Idle = Idle{Seconds: 60, Times: 2, At: start - 3000}
		})},
	}
}

func mediaFaults() map[string]faulty {
	return map[string]faulty{
		"no picture ever": {want: NoMediaSent, words: []string{"video", "has ever come"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			*of(e, "video") = mediactl.TrackFacts{Kind: "video", Codec: "VP8", Latest: -1}
			e.Past = nil
		})},
		"the picture stopped": {want: NoMediaSent, words: []string{"6.0 s"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			of(e, "video").Latest = 6000
		})},
		"neither sound nor picture": {want: NoMediaSent, words: []string{"with audio and video as active"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			for _, kind := range kinds {
				*of(e, kind) = mediactl.TrackFacts{Kind: kind, Latest: -1}
			}
			e.Facts.Heard, e.Past = -1, nil
		})},
		"the viewer of a silent publisher": {want: SourceSilent, words: []string{"con_ann"}, view: with(viewer(), func(_ *View, e *Endpoint) {
			of(e.Source, "video").Latest, of(e.Source, "audio").Latest = 6000, 6000
			resent(e)
		})},
		"the viewer of one who never came": {want: SourceSilent, view: with(viewer(), func(_ *View, e *Endpoint) {
			e.Source = unreached()
			resent(e)
		})},
		"large packets of the publisher vanish": {want: MTUBlackHole, words: []string{"700 bytes"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			*of(e, "video") = mediactl.TrackFacts{Kind: "video", Packets: 100, Octets: 40_000, Latest: 30, Largest: 700, Lost: 300, Fraction: 180, Asked: 5}
			*before(e, "video") = mediactl.TrackFacts{Kind: "video", Packets: 40, Octets: 16_000, Largest: 700, Lost: 100, Asked: 2}
		})},
		"large packets vanish in the call": {want: MTUBlackHole, view: with(publisher(), func(_ *View, e *Endpoint) {
			v, b := of(e, "video"), before(e, "video")
			v.Packets, v.Octets, v.Lost, v.Asked, v.Fraction = b.Packets+60, b.Octets+24_000, b.Lost+250, b.Asked+4, 200
		})},
		"all packets of the picture are too large": {want: MTUBlackHole, view: with(publisher(), func(v *View, e *Endpoint) {
			*of(e, "video") = mediactl.TrackFacts{Kind: "video", Latest: -1}
			v.Clues.Sent = map[string]Sent{"video": {Packets: 900, Before: 500, At: start - 1000}}
		})},
		"large packets to the viewer vanish": {want: MTUBlackHole, words: []string{"60 %"}, view: with(viewer(), func(_ *View, e *Endpoint) {
			v, b := of(e, "video"), before(e, "video")
			v.Fraction, v.Lost, v.Asked, v.NACKed = 154, b.Lost+300, b.Asked+5, 400
		})},
		"the viewer gets no sound": {want: AudioOneWay, words: []string{"audio was sent", "latest 250 packets"}, view: with(viewer(), func(_ *View, e *Endpoint) {
			of(e, "audio").Report.Heard = 250
		})},
		"the viewer never got any sound": {want: AudioOneWay, words: []string{"audio"}, view: with(viewer(), func(_ *View, e *Endpoint) {
			a := of(e, "audio")
			a.Report.Heard, a.Reports, a.Report.Age = -1, 0, -1
			a.Packets, before(e, "audio").Packets = 750, 500 // for 15 s
			before(e, "audio").Reports, before(e, "audio").Report.Heard = 0, -1
		})},
		"the viewer gets nothing any more": {want: ReturnPathBlocked, words: []string{"audio and video"}, view: with(viewer(), func(_ *View, e *Endpoint) {
			report(e, "audio", 500, 250)
			report(e, "video", 500, 700)
		})},
		"the viewer gets no picture any more": {want: AudioOneWay, words: []string{"video was sent"}, view: with(viewer(), func(_ *View, e *Endpoint) {
			report(e, "video", 600, 700)
			report(e, "audio", 100, 590)
		})},
		"the publisher sends, by its own reports, what does not come": {want: AudioOneWay, words: []string{"audio and video"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			for _, kind := range kinds {
				of(e, kind).Packets, of(e, kind).Octets, of(e, kind).Latest = before(e, kind).Packets, before(e, kind).Octets, 5600
				came := uint32(of(e, kind).Packets)
				before(e, kind).Claimed, of(e, kind).Claimed = came, came+200
			}
		})},
		"the last report tells late of what has come": {want: NoMediaSent, view: with(publisher(), func(_ *View, e *Endpoint) {
			of(e, "video").Packets, of(e, "video").Octets, of(e, "video").Latest = before(e, "video").Packets, before(e, "video").Octets, 6000
			of(e, "video").Claimed = uint32(of(e, "video").Packets)
			before(e, "video").Claimed = of(e, "video").Claimed - 30
		})},
		"the last report tells of what was lost long ago": {want: NoMediaSent, view: with(publisher(), func(_ *View, e *Endpoint) {
			of(e, "video").Packets, of(e, "video").Octets, of(e, "video").Latest = before(e, "video").Packets, before(e, "video").Octets, 6000
			of(e, "video").Claimed = uint32(of(e, "video").Packets) + 50
			before(e, "video").Claimed = of(e, "video").Claimed
		})},
		"the picture is sent, by the client's reports, and does not come": {want: MTUBlackHole, view: with(publisher(), func(_ *View, e *Endpoint) {
			of(e, "video").Packets, of(e, "video").Octets, of(e, "video").Latest = before(e, "video").Packets, before(e, "video").Octets, 4600
			before(e, "video").Claimed, of(e, "video").Claimed = 1000, 1400
		})},
		"the publisher is not heard any more": {want: AudioOneWay, words: []string{"audio and video"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			of(e, "audio").Latest, of(e, "video").Latest, e.Facts.Heard = 6000, 6000, 6000
		})},
		"the publisher was never heard, and says it sends": {want: AudioOneWay, view: with(publisher(), func(v *View, e *Endpoint) {
			for _, kind := range kinds {
				*of(e, kind) = mediactl.TrackFacts{Kind: kind, Latest: -1}
			}
			v.Clues.Sent = map[string]Sent{"audio": {Packets: 300, Before: 100, At: start - 2000}}
		})},
		"loss on the way up": {want: LossUplink, words: []string{"30 % of audio", "30 % of video"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			of(e, "audio").Lost, of(e, "video").Lost = 107, 214
		})},
		"loss on the way down": {want: LossDownlink, words: []string{"30 % of audio", "30 % of video"}, view: with(viewer(), func(_ *View, e *Endpoint) {
			of(e, "audio").Lost, of(e, "audio").Fraction = 60, 77
			of(e, "video").Lost, of(e, "video").Fraction = 150, 77
		})},
	}
}

// resent is a viewer who is sent nothing, since nothing comes.
func resent(e *Endpoint) {
	for _, kind := range kinds {
		*of(e, kind) = *before(e, kind)
		of(e, kind).Latest = 6000
	}
}

func clientFaults() map[string]faulty {
	return map[string]faulty{
		"plus became space": {want: SDPPlusMangled, words: []string{"Line 7", "encodeURIComponent"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			e.Facts.Repairs = []mediactl.Repair{{Line: 7, What: "plus"}}
		})},
		"lines ran together": {want: SDPMangled, severity: Notice, words: []string{"Line 1"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			e.Facts.Repairs = []mediactl.Repair{{Line: 1, What: "lines"}}
		})},
		"a description was refused": {want: SDPMangled, words: []string{"line 4"}, view: with(publisher(), func(v *View, _ *Endpoint) {
			v.Refused = map[string]Refusal{"receiveVideoFrom": {Code: "sdp_invalid", Text: "SDP offer: line 4: no type"}}
		})},
		"no codec, and refused": {want: CodecMismatch, words: []string{"offered=[H264] allowed=[VP8]", "forcedVideoCodec H264"}, view: func() *View {
			return &View{Now: start, Session: "s", Connection: "con_ann", Host: host(), Refused: map[string]Refusal{"publishVideo": {
				Stream: stream, Code: "codec_mismatch", Text: "SDP offer: no section can be received: audio opus, video H264 H264; allowed video: [VP8]",
			}}}
		}},
		"no codec, and left out": {want: CodecMismatch, words: []string{"offered=[H264] allowed=[VP8]", "audio alone"}, view: with(publisher(), func(_ *View, e *Endpoint) {
			e.Video = VideoTerms{Missing: true, Offered: []string{"H264", "H264"}, Allowed: []string{"VP8"}}
			e.Facts.Tracks, e.Announced.Video = e.Facts.Tracks[:1], true
		})},
		"the camera is taken": {want: CameraBusy, words: []string{"NotReadableError"}, view: with(publisher(), func(v *View, e *Endpoint) {
			v.Clues.CameraBusy, v.Clues.Device = start-4000, "NotReadableError: Could not start video source"
			e.Facts.Tracks, e.Announced.Video = e.Facts.Tracks[:1], false
		})},
		"a stream that does not play": {want: AutoplayBlocked, words: []string{"NO_STREAM_PLAYING_EVENT", "packets of video", "4.0 s ago"}, view: with(viewer(), func(v *View, e *Endpoint) {
			v.Clues.Unplayed = map[string]int64{e.Stream: start - 4000}
		})},
	}
}

// All 25 codes of calls are found by some case.
func TestEveryFaultOfCallsIsFound(t *testing.T) {
	missing := map[Code]bool{}
	for _, f := range Catalogue {
		missing[f.Code] = f.Scope == InCall
	}
	for _, c := range faults() {
		delete(missing, c.want)
	}
	for code, inCall := range missing {
		if inCall {
			t.Errorf("%s has no detector that is tested", code)
		}
	}
}

// What is no fault, however odd it looks.
func TestHealthyParticipants(t *testing.T) {
	for name, view := range healthy() {
		if got := codes(view()); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func healthy() map[string]func() *View {
	list := map[string]func() *View{
		"publishing": with(publisher(), func(*View, *Endpoint) {}),
		"viewing":    with(viewer(), func(*View, *Endpoint) {}),
		"muted picture": with(publisher(), func(_ *View, e *Endpoint) {
			of(e, "video").Latest, e.Announced.Video = 60_000, false
		}),
		"muted from the start": with(publisher(), func(_ *View, e *Endpoint) {
			*of(e, "audio") = mediactl.TrackFacts{Kind: "audio", Latest: -1}
			e.Announced.Audio = false
		}),
		"viewing who is muted": with(viewer(), func(_ *View, e *Endpoint) {
			of(e.Source, "video").Latest, e.Source.Announced.Video = 60_000, false
			*of(e, "video") = *before(e, "video")
		}),
		"a screen that rests": with(publisher(), func(_ *View, e *Endpoint) {
			of(e, "video").Latest, e.Announced.Screen = 20_000, true
		}),
		"joined a moment ago": with(unreached(), func(_ *View, e *Endpoint) { e.Facts.Age = 5000 }),
		"no answer yet":       with(unreached(), func(_ *View, e *Endpoint) { e.Facts.Age = -1 }),
		"handshake under way": with(publisher(), func(_ *View, e *Endpoint) {
			noKeys(e)
			e.Checked, e.Nominated, e.Facts.Hellos, e.Facts.Attempts, e.Facts.Paths[0].Checks = start-2500, start-2400, 2, 1, 5
		}),
		"slow answers": with(publisher(), func(_ *View, e *Endpoint) {
			noKeys(e)
			e.Checked, e.Nominated, e.Facts.Paths[0].Nominated, e.Facts.Paths[0].Checks = start-3000, 0, false, 12
		}),
		"a forged check": with(publisher(), func(_ *View, e *Endpoint) { e.Facts.WrongPassword = 1000 }),
		"gone by itself": with(publisher(), func(v *View, e *Endpoint) {
			e.Facts.Consent, e.Facts.Heard, v.Socket = 8000, 8000, Socket{Lost: start - 8000, Silent: -1}
		}),
		"never reached, and gone": with(unreached(), func(v *View, _ *Endpoint) { v.Socket = Socket{Lost: start - 500, Silent: -1} }),
		"over TCP by choice": with(publisher(), func(_ *View, e *Endpoint) {
			way(e, "tcp")
			e.Facts.Signalled = []string{candidates[3]}
		}),
		"over a relay by choice": with(publisher(), func(_ *View, e *Endpoint) {
			way(e, "relay")
			e.Facts.Signalled = []string{"candidate:9 1 udp 41885695 203.0.113.5 49200 typ relay raddr 198.51.100.7 rport 40000"}
		}),
		"over TCP for a moment": with(publisher(), func(_ *View, e *Endpoint) {
			way(e, "tcp")
			e.Connected = start - 2000
		}),
		"over TCP with UDP beside": with(publisher(), func(_ *View, e *Endpoint) {
			e.Facts.Paths[0].Selected, e.Facts.Paths[1].Selected = false, true
		}),
		"one loss in a thousand": with(publisher(), func(_ *View, e *Endpoint) { of(e, "video").Lost = 5 }),
		"a key frame is awaited": with(publisher(), func(_ *View, e *Endpoint) { of(e, "video").Asked += 3 }),
		"small pictures":         with(publisher(), func(_ *View, e *Endpoint) { of(e, "video").Octets = before(e, "video").Octets + 100_000 }),
		"no picture, and the report on sound is still to come": with(viewer(), func(_ *View, e *Endpoint) {
			of(e, "video").Report.Heard = 750
			report(e, "audio", 4500, 373)
		}),
		"a camera that is slow, by its own reports as well": with(publisher(), func(_ *View, e *Endpoint) {
			of(e, "video").Latest = 4000
			of(e, "video").Claimed, before(e, "video").Claimed = 1500, 1000
		}),
		"no picture, and the report on sound came too soon": with(viewer(), func(_ *View, e *Endpoint) {
			of(e, "video").Report.Heard = 750
			report(e, "audio", 3000, 440)
		}),
		"sound whose first report was lost": with(viewer(), func(_ *View, e *Endpoint) {
			a := of(e, "audio")
			a.Report.Heard, a.Reports, a.Report.Age = -1, 0, -1 // after 12 s
			before(e, "audio").Reports, before(e, "audio").Report.Heard = 0, -1
		}),
		"sound that waits for its report": with(viewer(), func(_ *View, e *Endpoint) {
			report(e, "audio", 6500, 270)
		}),
		"a screen that changes after a rest": with(viewer(), func(_ *View, e *Endpoint) {
			e.Facts.Tracks = e.Facts.Tracks[1:]
			e.Past[1].Tracks[1].Packets, e.Past[1].Tracks[1].Report.Heard = 700, 700
			v := of(e, "video")
			v.Packets, v.Report.Age, v.Report.Sent, v.Report.Heard = 1000, 300, 1000, 700
		}),
		"a pause after words, before the report of them": with(viewer(), func(_ *View, e *Endpoint) {
			e.Facts.Tracks = e.Facts.Tracks[:1]
			a := of(e, "audio")
			e.reading(start, 0)
			e.Past[0].At, e.Past[1].At, e.Past[2].At = start-7000, start-3700, start
			e.Past[0].Tracks[0].Packets, e.Past[1].Tracks[0].Packets = 350, 500
			a.Packets, a.Report.Age, a.Report.Sent, a.Report.Heard = 508, 6000, 351, 350
		}),
		"a screen at rest whose line is probed": with(publisher(), func(_ *View, e *Endpoint) {
			e.Facts.Tracks = e.Facts.Tracks[1:]
			e.Announced.Audio, e.Announced.Screen = false, true
			of(e, "video").Packets, of(e, "video").Octets, of(e, "video").Latest = before(e, "video").Packets, before(e, "video").Octets, 20_000
			before(e, "video").Claimed, of(e, "video").Claimed = 1000, 1040
		}),
		"a screen at rest whose line is probed, with sound": with(publisher(), func(_ *View, e *Endpoint) {
			e.Announced.Screen = true
			of(e, "video").Packets, of(e, "video").Octets, of(e, "video").Latest = before(e, "video").Packets, before(e, "video").Octets, 20_000
			before(e, "video").Claimed, of(e, "video").Claimed = 1000, 1040
		}),
		"a client that never reports": with(viewer(), func(_ *View, e *Endpoint) {
			for _, kind := range kinds {
				for _, track := range []*mediactl.TrackFacts{of(e, kind), before(e, kind)} {
					track.Reports, track.Report.Age, track.Report.Heard = 0, -1, -1
				}
			}
		}),
		"loss that is the publisher's": with(viewer(), func(_ *View, e *Endpoint) {
			of(e, "video").Lost, of(e, "video").Fraction = 150, 77
			of(e.Source, "video").Fraction = 77
		}),
		"a camera that was free again": with(publisher(), func(v *View, _ *Endpoint) {
			v.Clues.CameraBusy, v.Clues.Device, v.Filmed = start-30_000, "NotReadableError", start-20
		}),
		"one NAT move": with(publisher(), func(_ *View, e *Endpoint) { e.NAT = Idle{Seconds: 30, Times: 1} }),
		"a right address": with(unreached(), func(v *View, e *Endpoint) {
			configured(v, "203.0.113.5")
			e.Facts.Age = 100
		}),
	}
	return list
}

// The address is not blamed where it may be right: a 1:1 NAT nobody has seen from outside.
func TestAnAddressBehindNATIsNotBlamed(t *testing.T) {
	for name, reached := range map[string]string{"by that address": "203.0.113.77:4443", "by a name": "calls.example:4443", "unknown": ""} {
		e := unreached()
		v := seen(e)
		configured(v, "203.0.113.77")
		v.Reached = reached
		if got := codes(v); !slices.Equal(got, []Code{NetUnreachable}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// One participant has one record per cause, however many streams it receives.
func TestOneRecordForManyStreams(t *testing.T) {
	v := seen(unreached())
	for i := range 9 {
		e := unreached()
		e.Name, e.Publisher, e.Stream = fmt.Sprint("con_ann_str_", i), "con_x", fmt.Sprint("str_", i)
		v.Endpoints = append(v.Endpoints, e)
	}
	if got := codes(v); !slices.Equal(got, []Code{NetUnreachable}) {
		t.Errorf("found %v", got)
	}
}

// What one endpoint says of the network is not said while another of the same client is in order.
func TestOneEndpointIsNotTheNetwork(t *testing.T) {
	cut, fine := publisher(), viewer()
	cut.Facts.Consent, cut.Facts.Heard = 9000, 9000
	v := seen(cut)
	v.Endpoints, v.Socket.Silent = append(v.Endpoints, fine), 9000
	if got := codes(v); !slices.Equal(got, []Code{NetUnreachable}) {
		t.Errorf("found %v", got)
	}
}

// What a client names a codec is in the record, and is no more than a name there.
func TestARecordIsBoundedAndClean(t *testing.T) {
	e := publisher()
	e.Video = VideoTerms{Missing: true, Offered: []string{"X\x1b[2J" + strings.Repeat("Y", 5000)}, Allowed: []string{"VP8"}}
	v := seen(e)
	r := codecLeftOut(v, e).record(v)
	for _, text := range append(r.Evidence, r.Title, r.Fix) {
		if strings.ContainsRune(text, 0x1b) || len(text) > maxText {
			t.Errorf("%d bytes: %.80q", len(text), text)
		}
	}
	for _, row := range Catalogue {
		if row.Fix != clean(row.Fix, maxText) || row.Title != clean(row.Title, maxText) {
			t.Errorf("%s does not survive: %q", row.Code, clean(row.Fix, maxText))
		}
	}
}

func TestFillSaysWhatIsMissing(t *testing.T) {
	for text, want := range map[string]string{
		"{a} and {b}": "1 and (unknown b)", "{a": "a", "none": "none", "}{a}": "}1", "": "",
	} {
		if got := fill(text, map[string]string{"a": "1"}); got != want {
			t.Errorf("fill(%q) is %q, want %q", text, got, want)
		}
	}
}
