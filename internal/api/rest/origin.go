package rest

import (
	"net/http"
	"net/url"
	"strings"

	"tertulia/internal/fault"
)

// SecretUse is a call with our secret, or a key, that a page in a browser has made: whoever opens the page can read it.
type SecretUse struct {
	Origin  string // of the page: "https://app.example"; "null" for a file or a sandbox
	Referer string // the page itself, if the browser tells; without query
	Address string // "ip:port" of the browser
	What    string // "GET /openvidu/api/sessions"
}

// pages notices a secret that comes from a page, and refuses it in strict mode.
func (a *api) pages(r *http.Request) error {
	origin := originOf(r)
	if origin == "" || ownPage(r, origin) {
		return nil
	}
	if a.SecretSeen != nil {
		a.SecretSeen(SecretUse{Origin: origin, Referer: pageOf(r), Address: r.RemoteAddr, What: r.Method + " " + r.URL.Path})
	}
	if a.Strict != nil && a.Strict() {
		return fault.New(fault.Forbidden, "the secret came from a page of %s, where everybody can read it, and STRICT is on: "+
			"call the API from a server, and give the page a token", origin)
	}
	return nil
}

// originOf is the origin of the page that sent a request, "" if no page did. Browsers leave Origin out of a GET to the
// page's own server; what they say instead no page can change or leave out (Fetch Metadata). An address that somebody
// typed in is no page, nor is Node's fetch, which tells the mode, and no site.
func originOf(r *http.Request) string {
	if origin := r.Header.Get("Origin"); origin != "" {
		return clip(origin)
	}
	if r.Header.Get("Sec-Fetch-Site") == "" || r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return ""
	}
	page, err := url.Parse(r.Header.Get("Referer"))
	if err != nil || page.Host == "" {
		return "null"
	}
	return clip(page.Scheme + "://" + page.Host)
}

// ownPage reports whether a request is of a page of ours that has to know the secret: OpenVidu's dashboard and inspector
// ask people for it, and the recording layouts have it in their address.
func ownPage(r *http.Request, origin string) bool {
	from, err := url.Parse(origin)
	if err != nil || !strings.EqualFold(from.Host, r.Host) {
		return false
	}
	page, err := url.Parse(r.Header.Get("Referer"))
	if err != nil || !strings.EqualFold(page.Host, r.Host) {
		return false
	}
	for _, own := range []string{"/dashboard", "/inspector"} {
		if page.Path == own || strings.HasPrefix(page.Path, own+"/") {
			return true
		}
	}
	return false
}

// pageOf is the Referer without what may be secret in it.
func pageOf(r *http.Request) string {
	page, err := url.Parse(r.Header.Get("Referer"))
	if err != nil || page.Host == "" {
		return ""
	}
	return clip(page.Scheme + "://" + page.Host + page.Path)
}

const maxOrigin = 200 // bytes of what a browser says of itself

func clip(text string) string {
	if len(text) > maxOrigin {
		text = text[:maxOrigin]
	}
	return strings.ToValidUTF8(text, "")
}
