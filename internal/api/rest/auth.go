package rest

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"

	"tertulia/internal/fault"
)

// authenticate checks the Basic credentials in constant time. Wrong ones count against the caller's address; missing
// ones do not, because the Java client asks without first. Right ones always pass: a flood of wrong guesses from an
// address shared with the application must not lock the application out. (Guessing is held off by the secret's length;
// the limit keeps a mistaken client from spinning.)
func (a *api) authenticate(w http.ResponseWriter, r *http.Request) error {
	user, secret, given := r.BasicAuth()
	userHash, secretHash := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(secret))
	right := subtle.ConstantTimeCompare(userHash[:], a.user[:]) & subtle.ConstantTimeCompare(secretHash[:], a.secret[:])
	if right == 1 {
		return nil
	}
	if given && !a.failures.allow(r.RemoteAddr) {
		w.Header().Set("Retry-After", "3") // seconds until the bucket holds a token again
		return fault.New(fault.RateLimited, "too many requests with wrong credentials from this address: check OPENVIDU_SECRET")
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="OpenVidu"`)
	return fault.New(fault.Unauthorized, "credentials are missing or wrong: user OPENVIDUAPP, password OPENVIDU_SECRET")
}

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
