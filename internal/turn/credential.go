package turn

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// credentialLife is how long a credential may be used to make an allocation; allocations made with it are kept by
// refreshing them, however long the call (spec §7: 86,400 s).
const credentialLife = 24 * time.Hour

// nonceLife is how long a nonce is good (RFC 8656 §5).
const nonceLife = time.Hour

// ICEServer is one URL a client is told of; its fields are those of OpenVidu's customIceServers (rest §4.5).
type ICEServer struct {
	URL        string // turn:HOST:PORT?transport=tcp
	Username   string // <unix expiry>:<8 hex digits>
	Credential string // 32 hex digits: an old client's token parser would spoil anything but letters and digits (spec §2.2)
}

// Credential is made for one connection of one session at a time, and good for 24 hours from then, on this node: that pair
// is who the allocations count against. It is always the same for the same arguments.
func (s *Server) Credential(session, connection string, made time.Time) (user, password string) {
	expiry := strconv.FormatInt(made.Add(credentialLife).Unix(), 10)
	user = expiry + ":" + hex.EncodeToString(mac(s.key, session, connection))[:8]
	return user, s.password(user)
}

// Credentials makes the servers one connection of one session is told of: TURN over TCP and over TLS at host, which
// is "name:port" of the front door as clients reach it, with a [Server.Credential] of now.
func (s *Server) Credentials(session, connection, host string) []ICEServer {
	user, password := s.Credential(session, connection, time.Now())
	return []ICEServer{
		{URL: fmt.Sprintf("turn:%s?transport=tcp", host), Username: user, Credential: password},
		{URL: fmt.Sprintf("turns:%s?transport=tcp", host), Username: user, Credential: password},
	}
}

// password is the only one that goes with a username, so nothing has to be remembered.
func (s *Server) password(user string) string {
	return hex.EncodeToString(mac(s.key, "password", user))[:32]
}

// expired reports whether a username's time is over; a username without a time is expired.
func expired(user string, now time.Time) bool {
	text, _, _ := strings.Cut(user, ":")
	expiry, err := strconv.ParseInt(text, 10, 64)
	return err != nil || now.Unix() > expiry
}

// derive makes this node's key, so that the secret itself, which may have other uses, signs nothing here.
func derive(secret, node string) []byte { return mac([]byte(secret), "turn", node) }

// mac signs fields; each is preceded by its length, so that no two lists of fields read the same.
func mac(key []byte, fields ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, field := range fields {
		fmt.Fprintf(h, "%d:%s", len(field), field)
	}
	return h.Sum(nil)
}

// nonce is what a client must sign with: the time, and what only we can make of it and the client's address. So nothing
// is kept for clients that have proved nothing, and it is short, as it goes to whoever an unsigned datagram claims to be from.
func (s *Server) nonce(client netip.AddrPort, now time.Time) string {
	return s.nonceOf(client, now.Unix())
}

func (s *Server) nonceOf(client netip.AddrPort, at int64) string {
	text := binary.BigEndian.AppendUint32(nil, uint32(at))
	sum := mac(s.key, "nonce", client.String(), string(text))
	return base64.RawURLEncoding.EncodeToString(append(text, sum[:8]...))
}

// fresh reports whether a nonce is ours, this client's, and of the last hour.
func (s *Server) fresh(nonce []byte, client netip.AddrPort, now time.Time) bool {
	var text [12]byte
	if len(nonce) != 16 {
		return false
	}
	if _, err := base64.RawURLEncoding.Decode(text[:], nonce); err != nil {
		return false
	}
	at := int64(binary.BigEndian.Uint32(text[:]))
	age := now.Sub(time.Unix(at, 0))
	return age >= 0 && age <= nonceLife && subtle.ConstantTimeCompare(nonce, []byte(s.nonceOf(client, at))) == 1
}
