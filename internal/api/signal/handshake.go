package signal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"tertulia/internal/session"
)

// caller is what the handshake says of a client.
type caller struct {
	opened   time.Time  // when it asked for the socket: a client asks for the next one later, however long this one takes
	address  netip.Addr // its own: the front door has looked behind proxies
	loopback bool       // it came over the loopback interface
	origin   string     // of the page that opened it; "" for what is no browser
	host     string     // the "name:port" it reached us by
	userID   string     // finalUserId: the same for all sockets of one browser profile
	first    bool       // it is a 1.x client
	query    bool       // its URL names the session, as from 2.17 on
}

// group is what limits by address count: an IPv4 address, or the /64 that an IPv6 host owns.
func (c caller) group() netip.Prefix {
	bits := 32
	if c.address.Is6() {
		bits = 64
	}
	p, _ := c.address.Prefix(bits) // the zero address has none, and counts as one
	return p
}

// identify reads the handshake and sets the cookie that tells browser profiles apart.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) caller {
	c := caller{opened: time.Now(), first: r.URL.Path == "/room", query: r.URL.Query().Has("sessionId"), host: reached(r), origin: cut(r.Header.Get("Origin"), maxOrigin)}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.address = peer.Addr().Unmap()
	}
	c.loopback = c.address.IsLoopback()
	c.userID = s.userID(w, r)
	return c
}

// reached is the Host of a request with the port that browsers leave out; "" if no URL could hold it.
func reached(r *http.Request) string {
	host := r.Host
	if host == "" || len(host) > 255 || strings.ContainsAny(host, "?&=#@/ \"<>") {
		return ""
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	port := "80"
	if r.TLS != nil {
		port = "443"
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}

const (
	maxOrigin  = 300
	userCookie = "OVJSESSIONID"
	userIDLen  = 16      // of the cookie's value; the rest proves that we made it
	userIdle   = 30 * 60 // seconds without a handshake after which a browser is somebody else (rest §1.2)
)

// userID returns the user id of the cookie, or a new one, and gives the cookie its time anew. The cookie says itself
// that it is ours: nothing is kept, and a restart changes nothing.
func (s *Server) userID(w http.ResponseWriter, r *http.Request) string {
	id := ""
	if c, err := r.Cookie(userCookie); err == nil && len(c.Value) > userIDLen {
		if known := c.Value[:userIDLen]; hmac.Equal([]byte(c.Value), []byte(s.sign(known))) {
			id = known
		}
	}
	if id == "" {
		id = strings.ToUpper(session.RandomID("", userIDLen))
	}
	http.SetCookie(w, &http.Cookie{
		Name: userCookie, Value: s.sign(id), MaxAge: userIdle, Path: "/", HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
	return id
}

func (s *Server) sign(id string) string {
	mac := hmac.New(sha256.New, []byte("OVJSESSIONID\x00"+s.cfg.Secret))
	mac.Write([]byte(id))
	return id + base32.HexEncoding.EncodeToString(mac.Sum(nil)[:10])
}
