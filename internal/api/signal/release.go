package signal

import (
	"regexp"
	"strings"

	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// release is what is known of a client's release when it joins (spec §12.3); it decides what the client is told, and
// in which words.
type release struct {
	platform string // since 2.5
	sdk      string // since 2.21
	first    bool   // 1.x
	query    bool   // since 2.17
}

// releaseOf recalls the release of a connection that is taken up again.
func releaseOf(c session.Connection) release {
	return release{platform: c.Platform, sdk: c.SDKVersion}
}

// android: not openvidu-browser but a client of its own, which offers always and never reconnects (spec §8.8).
func (r release) android() bool { return strings.HasPrefix(r.platform, "Android ") }

// upTo24 is 1.x and 2.0 to 2.4. Those up to 2.2 are among them and cannot be told apart: they read active flags as has
// flags, and do not know that they are evicted. All want one common msid, and raw signal types.
func (r release) upTo24() bool { return r.first || r.platform == "" && r.sdk == "" }

// signalForm is how it writes the types of signals; "" for 2.5 to 2.16, whose requests are the same but for that (2.8 and 2.9:
// to the letter).
func (r release) signalForm() session.SignalForm {
	switch {
	case r.upTo24():
		return session.RawSignals
	case r.sdk != "" || r.query:
		return session.PrefixedSignals
	}
	return ""
}

// upTo215 is what was a publisher when it joined with the secret (2.16 too, which changes nothing for it).
func (r release) upTo215() bool { return r.upTo24() || r.sdk == "" && !r.query }

// answersPull: the clients that come back after a drop are openvidu-browser from 2.8 on, whose library answers the
// request "pull".
func (r release) answersPull() bool { return r.platform != "" && !r.android() }

// offered is the mediaServer that joinRoom answers: whom it tells "mediasoup", we send offers (design decision 10).
func (r release) offered(override string) string {
	switch {
	case override != "":
		return override
	case r.sdk != "" && !r.android():
		return "mediasoup"
	}
	return "kurento"
}

var semver = regexp.MustCompile(`^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})(-[0-9A-Za-z.-]{1,32})?$`)

// version is what joinRoom answers: the client's own, so that it has nothing to warn of.
func (r release) version() string {
	if semver.MatchString(r.sdk) {
		return r.sdk
	}
	return openvidu.Version
}
