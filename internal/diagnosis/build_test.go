package diagnosis

import (
	"net/netip"

	"tertulia/internal/wire/mediactl"
)

// A participant in order, for tests that break one thing of it. Its facts are those of Chromium 5 to 20 s after joining,
// as the media node counts them.

const (
	start  = int64(1_700_000_000_000)
	stream = "str_CAM_abc1_con_ann"
)

// candidates of a browser behind one interface and a NAT; the second never works.
var candidates = []string{
	"candidate:1 1 udp 2122260223 192.168.1.20 50000 typ host generation 0",
	"candidate:2 1 udp 2122194687 172.17.0.1 50001 typ host generation 0",
	"candidate:3 1 udp 1686052607 198.51.100.7 50000 typ srflx raddr 192.168.1.20 rport 50000 generation 0",
	"candidate:4 1 tcp 1518280447 192.168.1.20 9 typ host tcptype active generation 0",
}

func host() *Host {
	return &Host{Port: 4443, Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.5")}}
}

// reading makes counts that were taken ms before now.
func (e *Endpoint) reading(now, ms int64, tracks ...mediactl.TrackFacts) {
	e.Past = append(e.Past, Reading{At: now - ms, Tracks: tracks})
}

// publisher is ann, connected for 15 s, who sends sound and picture.
func publisher() *Endpoint {
	e := &Endpoint{
		Name: "con_ann", Stream: stream, owner: "con_ann", Read: start,
		Checked: start - 15_000, Nominated: start - 15_000, Connected: start - 15_000,
		Announced: Announced{Known: true, Audio: true, Video: true},
		Facts: mediactl.Facts{
			Session: "s", Endpoint: "con_ann", State: "connected", Age: 15_500, Consent: 1200, Heard: 15, Hellos: 3, Attempts: 1,
			Cipher: "SRTP_AEAD_AES_128_GCM", Signalled: candidates,
			Offered: []string{"candidate:1 1 udp 2130706431 203.0.113.5 4443 typ host", "candidate:2 1 tcp 1526726911 203.0.113.5 4443 typ host tcptype passive"},
			Paths: []mediactl.Path{
				{Protocol: "udp", Local: "203.0.113.5:4443", Remote: "198.51.100.7:50000", Checks: 20, Nominated: true, Selected: true, Heard: 15},
				{Protocol: "tcp", Local: "203.0.113.5:4443", Remote: "198.51.100.7:40112", Checks: 2, Heard: 14_000},
			},
			Tracks: []mediactl.TrackFacts{
				{Kind: "audio", Codec: "opus", Packets: 750, Octets: 60_000, Latest: 15, Largest: 120},
				{Kind: "video", Codec: "VP8", Packets: 1500, Octets: 1_500_000, Latest: 20, Largest: 1180, Keyframes: 2, Asked: 1},
			},
		},
	}
	e.reading(start, 5000,
		mediactl.TrackFacts{Kind: "audio", Codec: "opus", Packets: 500, Octets: 40_000, Latest: 15, Largest: 120},
		mediactl.TrackFacts{Kind: "video", Codec: "VP8", Packets: 1000, Octets: 1_000_000, Latest: 20, Largest: 1180, Keyframes: 2, Asked: 1})
	return e
}

// viewer is ben, who receives ann's stream.
func viewer() *Endpoint {
	e := &Endpoint{
		Name: "con_ben_" + stream, Stream: stream, Publisher: "con_ann", owner: "con_ben", Read: start,
		Checked: start - 12_000, Nominated: start - 12_000, Connected: start - 12_000, Source: publisher(),
		Announced: Announced{},
		Facts: mediactl.Facts{
			Session: "s", Endpoint: "con_ben_" + stream, Source: "con_ann", State: "connected", Age: 12_500, Consent: 900, Heard: 400,
			Hellos: 3, Attempts: 1, Cipher: "SRTP_AEAD_AES_128_GCM", Signalled: candidates,
			Paths: []mediactl.Path{
				{Protocol: "udp", Local: "203.0.113.5:4443", Remote: "198.51.100.7:50002", Checks: 12, Nominated: true, Selected: true, Heard: 400},
			},
			Tracks: []mediactl.TrackFacts{
				{Kind: "audio", Codec: "opus", Sends: true, Packets: 600, Octets: 48_000, Latest: 15, Largest: 120, Reports: 2, Report: mediactl.Report{Age: 2000, Sent: 500, Heard: 498}},
				{Kind: "video", Codec: "VP8", Sends: true, Packets: 1200, Octets: 1_200_000, Latest: 20, Largest: 1180, Reports: 11, Report: mediactl.Report{Age: 600, Sent: 1140, Heard: 1138}, Asked: 1},
			},
		},
	}
	e.reading(start, 5000,
		mediactl.TrackFacts{Kind: "audio", Codec: "opus", Sends: true, Packets: 350, Octets: 28_000, Reports: 1, Report: mediactl.Report{Age: 1000, Sent: 300, Heard: 300}},
		mediactl.TrackFacts{Kind: "video", Codec: "VP8", Sends: true, Packets: 700, Octets: 700_000, Largest: 1180, Reports: 6, Report: mediactl.Report{Age: 600, Sent: 640, Heard: 640}, Asked: 1})
	e.reading(start, 2000,
		mediactl.TrackFacts{Kind: "audio", Codec: "opus", Sends: true, Packets: 500, Octets: 40_000, Reports: 2, Report: mediactl.Report{Age: 0, Sent: 500, Heard: 498}},
		mediactl.TrackFacts{Kind: "video", Codec: "VP8", Sends: true, Packets: 1000, Octets: 1_000_000, Largest: 1180, Reports: 9, Report: mediactl.Report{Age: 600, Sent: 940, Heard: 940}, Asked: 1})
	return e
}

// unreached is a publisher whose checks never come.
func unreached() *Endpoint {
	e := publisher()
	e.Checked, e.Nominated, e.Connected, e.Past = 0, 0, 0, nil
	f := &e.Facts
	f.State, f.Age, f.Consent, f.Heard, f.Hellos, f.Attempts, f.Cipher, f.Paths = "new", 8000, -1, -1, 0, 0, "", nil
	for i := range f.Tracks {
		f.Tracks[i] = mediactl.TrackFacts{Kind: f.Tracks[i].Kind, Codec: f.Tracks[i].Codec, Latest: -1}
	}
	return e
}

// seen is a view of one endpoint's connection.
func seen(e *Endpoint) *View {
	return &View{
		Now: start, Session: "s", Connection: e.owner, Reached: "203.0.113.5:4443", Socket: Socket{Silent: 1200},
		Endpoints: []*Endpoint{e}, Others: Others{UDP: 2, Lately: 3}, Host: host(),
	}
}

// of returns a track of an endpoint's facts.
func of(e *Endpoint, kind string) *mediactl.TrackFacts {
	for i := range e.Facts.Tracks {
		if e.Facts.Tracks[i].Kind == kind {
			return &e.Facts.Tracks[i]
		}
	}
	return nil
}

// report makes the latest report on a track we send: how old it is, in milliseconds, and how many packets it knows of.
func report(e *Endpoint, kind string, age, highest int64) {
	t := of(e, kind)
	rate := int64(t.Packets-before(e, kind).Packets) / 5 // the earlier reading is of 5 s ago
	t.Report.Age, t.Report.Sent, t.Report.Heard = age, t.Packets-uint64(rate*age/1000), highest
}

// before returns a track of its earlier reading.
func before(e *Endpoint, kind string) *mediactl.TrackFacts {
	for i := range e.Past[0].Tracks {
		if e.Past[0].Tracks[i].Kind == kind {
			return &e.Past[0].Tracks[i]
		}
	}
	return nil
}

// way makes an endpoint use another protocol than UDP.
func way(e *Endpoint, protocol string) {
	e.Facts.Paths = []mediactl.Path{{
		Protocol: protocol, Local: "203.0.113.5:4443", Remote: "198.51.100.7:40112", Checks: 9, Nominated: true, Selected: true, Heard: 15,
	}}
}
