package rest

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"tertulia/internal/fault"
)

// Credential is one pair of user and password that the API accepts.
type Credential struct {
	User, Password string
	Scope          Scope
	Name           string // of the key, for messages; "" for OPENVIDU_SECRET
}

// Scope is what a credential may do.
type Scope string

// The scopes. One that is not among them may do nothing.
const (
	ScopeAll      Scope = "all"      // everything
	ScopeSessions Scope = "sessions" // everything about sessions, nothing about the server
	ScopeRead     Scope = "read"     // look at everything but what lets one join or act as another (hide.go), change nothing
)

// ofSessions are the parts of the API, below /openvidu/api, that are about sessions.
var ofSessions = []string{"sessions", "tokens", "signal", "recordings", "broadcast", "events", "speech-to-text"}

// may reports whether a scope allows a method at a path below /openvidu/api.
func (s Scope) may(method, below string) bool {
	switch s {
	case ScopeAll:
		return true
	case ScopeRead:
		return method == http.MethodGet || method == http.MethodHead
	case ScopeSessions:
		part, _, _ := strings.Cut(strings.TrimPrefix(below, "/"), "/")
		return slices.Contains(ofSessions, part)
	}
	return false
}

// authenticate checks the Basic credentials, each of them in constant time, and what they may do: fault.Unauthorized,
// fault.Forbidden. Wrong ones count against the caller's address; missing ones do not, because the Java client asks
// without first. Right ones always pass: a flood of wrong guesses from an address shared with the application must not
// lock the application out. (Guessing is held off by the secret's length; the limit keeps a mistaken client from
// spinning.)
func (a *api) authenticate(w http.ResponseWriter, r *http.Request, below string) (*Credential, error) {
	user, password, given := r.BasicAuth()
	if who := Find(a.credentials(), user, password); given && who != nil {
		if err := a.pages(r); err != nil {
			return nil, err
		}
		if !who.Scope.may(r.Method, below) {
			return nil, fault.New(fault.Forbidden, "API key %q has the scope %q, which does not cover %s %s: use one of another scope, or OPENVIDU_SECRET",
				who.Name, who.Scope, r.Method, clip(r.URL.Path))
		}
		return who, nil
	}
	if given && !a.failures.allow(r.RemoteAddr) {
		w.Header().Set("Retry-After", "3") // seconds until the bucket holds a token again
		return nil, fault.New(fault.RateLimited, "too many requests with wrong credentials from this address: check OPENVIDU_SECRET")
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="OpenVidu"`)
	return nil, fault.New(fault.Unauthorized, "credentials are missing or wrong: user OPENVIDUAPP, password OPENVIDU_SECRET")
}

// Find returns the credential of a list that a user and password are, nil if there is none. It takes as long for any
// guess, and an empty password is none.
func Find(list []Credential, user, password string) (found *Credential) {
	userHash, passwordHash := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(password))
	for i := range list {
		wantUser, wantPassword := sha256.Sum256([]byte(list[i].User)), sha256.Sum256([]byte(list[i].Password))
		same := subtle.ConstantTimeCompare(userHash[:], wantUser[:]) & subtle.ConstantTimeCompare(passwordHash[:], wantPassword[:])
		if same == 1 && list[i].Password != "" && found == nil {
			found = &list[i]
		}
	}
	return found
}

func (a *api) credentials() []Credential {
	if a.Credentials != nil {
		return a.Credentials()
	}
	return []Credential{{User: User, Password: a.Secret, Scope: ScopeAll}}
}

// User is the name that all official clients use.
const User = "OPENVIDUAPP"

const (
	failuresPerMinute = 20
	maxAddresses      = 4096
)

// failures counts wrong credentials per address; an IPv6 caller is its /64. The zero value is ready.
type failures struct {
	mu        sync.Mutex
	byAddress map[netip.Prefix]*rate.Limiter
}

// allow takes one token from the bucket of an address ("ip:port"); when the table is full and none can be forgotten,
// new addresses share the bucket of the zero prefix.
func (f *failures) allow(remote string) bool {
	key := addressKey(remote)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byAddress == nil {
		f.byAddress = map[netip.Prefix]*rate.Limiter{}
	}
	bucket, ok := f.byAddress[key]
	if !ok && len(f.byAddress) >= maxAddresses {
		f.forget()
		if len(f.byAddress) >= maxAddresses {
			key = netip.Prefix{}
			bucket, ok = f.byAddress[key]
		}
	}
	if !ok {
		bucket = rate.NewLimiter(failuresPerMinute/60.0, failuresPerMinute)
		f.byAddress[key] = bucket
	}
	return bucket.Allow()
}

// left says whether an address may still be wrong once.
func (f *failures) left(remote string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	bucket := f.byAddress[addressKey(remote)]
	return bucket == nil || bucket.Tokens() >= 1
}

// forget drops the buckets that are full again, which are as good as new ones.
func (f *failures) forget() {
	for key, bucket := range f.byAddress {
		if bucket.Tokens() >= failuresPerMinute {
			delete(f.byAddress, key)
		}
	}
}

func addressKey(remote string) netip.Prefix {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	ip := ap.Addr().Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	key, _ := ip.Prefix(bits)
	return key
}
