package turn

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/fault"
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

// key is what credentials are made of.
type key struct {
	text  []byte
	until time.Time // of one that is no more in force, its credentials end then at the latest; zero: it is
}

// maxKeys bounds how many keys are good at a time, the one in force among them.
const maxKeys = 8

// Rekey makes credentials of another secret from now on. Those of the secrets before, and of the ones that are named, are
// good until they expire: clients in calls have no others, and ask for allocations as they meet new publishers. It may be
// called at any time; Invalid is a secret of less than 16 bytes, and changes nothing.
func (s *Server) Rekey(secret string, previous ...string) error {
	if len(secret) < 16 {
		return fault.New(fault.Invalid, "the TURN secret has %d characters; use at least 16", len(secret))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	last := now.Add(credentialLife)
	list := []key{{text: derive(secret, s.config.Node)}}
	add := func(k key) {
		known := slices.ContainsFunc(list, func(other key) bool { return bytes.Equal(other.text, k.text) })
		if !known && now.Before(k.until) && len(list) < maxKeys {
			list = append(list, k)
		}
	}
	for _, old := range previous {
		add(key{derive(old, s.config.Node), last})
	}
	if before := s.keys.Load(); before != nil {
		for _, k := range *before {
			if k.until.IsZero() {
				k.until = last
			}
			add(k)
		}
	}
	s.keys.Store(&list)
	return nil
}

// key is the one in force.
func (s *Server) key() []byte { return (*s.keys.Load())[0].text }

// authentic is the integrity that a request of a user is signed with, nil if none of ours. A name that ends later than its
// key was made by somebody who knows an old secret.
func (s *Server) authentic(m *stun.Message, user string, now time.Time) stun.MessageIntegrity {
	ends, ok := expiry(user)
	if !ok || now.After(ends) {
		return nil
	}
	for _, k := range *s.keys.Load() {
		integrity := stun.NewLongTermIntegrity(user, s.config.Realm, passwordOf(k.text, user))
		if integrity.Check(m) == nil && (k.until.IsZero() || !ends.After(k.until)) {
			return integrity
		}
	}
	return nil
}

// Credential is made for one connection of one session at a time, and good for 24 hours from then, on this node: that pair
// is who the allocations count against. It is the same for the same arguments until the secret is another.
func (s *Server) Credential(session, connection string, made time.Time) (user, password string) {
	key := s.key()
	user = strconv.FormatInt(made.Add(credentialLife).Unix(), 10) + ":" + hex.EncodeToString(mac(key, session, connection))[:8]
	return user, passwordOf(key, user)
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

// passwordOf is the only one that goes with a username, so nothing has to be remembered.
func passwordOf(key []byte, user string) string {
	return hex.EncodeToString(mac(key, "password", user))[:32]
}

// expiry is when a username's time is over; one without a time is none of ours.
func expiry(user string) (ends time.Time, ok bool) {
	text, _, _ := strings.Cut(user, ":")
	at, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(at, 0), err == nil
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
	sum := mac(s.key(), "nonce", client.String(), string(text))
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
