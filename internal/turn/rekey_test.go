package turn

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/fault"
)

// TestFAQ_04__TURNFollowsTheSecret: once the secret has changed, credentials are of the new one. Who holds one of the old is
// served until that ends; who knows the old secret gets no further.
func TestFAQ_04__TURNFollowsTheSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := newServer(t, Limits{})
		old := server.Credentials("ses_A", "con_A", "h")[0]
		oldKey := server.key()
		call, _ := relayed(t, server, "198.51.100.9:5000")
		time.Sleep(5 * time.Minute)
		if err := server.Rekey("fedcba9876543210"); err != nil {
			t.Fatal(err)
		}
		fresh := server.Credentials("ses_A", "con_A", "h")[0]
		if fresh.Credential == old.Credential || fresh.Credential == passwordOf(oldKey, fresh.Username) {
			t.Error("credentials are still of the old secret")
		}
		want(t, "the new credential", allocateAs(t, server, fresh.Username, fresh.Credential), 0)
		want(t, "the old one, of a call", allocateAs(t, server, old.Username, old.Credential), 0)
		forged := "99999999999:abcdefgh"
		want(t, "one made of the old secret, for ever", allocateAs(t, server, forged, passwordOf(oldKey, forged)), stun.CodeUnauthorized)
		refresh := func() {
			response := call.ask(stun.MethodRefresh, addLifetime(time.Hour))
			if codeOf(response) == stun.CodeStaleNonce {
				_ = call.nonce.GetFrom(response)
				response = call.ask(stun.MethodRefresh, addLifetime(time.Hour))
			}
			want(t, "Refresh of the call", response, 0)
		}
		for range 60 { // hours, half by half
			refresh()
			time.Sleep(30 * time.Minute)
		}
		if err := server.Rekey("fedcba9876543211"); err != nil { // forgets the first
			t.Fatal(err)
		}
		refresh()
		if len(*server.keys.Load()) != 2 {
			t.Errorf("%d keys are good, want the two of the last day", len(*server.keys.Load()))
		}
		want(t, "the old one, a day later", allocateAs(t, server, old.Username, old.Credential), stun.CodeUnauthorized)
		want(t, "end", call.ask(stun.MethodRefresh, addLifetime(0)), 0)
	})
}

// TestPreviousSecrets are as good at a start, which remembers no others; going back to one is no change to who holds its
// credentials; and however often the secret changes, little is kept.
func TestPreviousSecrets(t *testing.T) {
	before, _ := newServer(t, Limits{})
	held := before.Credentials("ses_A", "con_A", "h")[0]
	config := before.config
	config.Secret, config.Previous = "fedcba9876543210", []string{config.Secret}
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "of a secret before", allocateAs(t, server, held.Username, held.Credential), 0)
	if err := server.Rekey("short"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short secret: %v", err)
	}
	if err := server.Rekey(before.config.Secret); err != nil {
		t.Fatal(err)
	}
	if user, password := server.Credential("ses_A", "con_A", time.Now()); password != passwordOf(before.key(), user) {
		t.Error("the secret has not come back")
	}
	want(t, "of the secret that has come back", allocateAs(t, server, held.Username, held.Credential), 0)
	for i := range 3 * maxKeys {
		if err := server.Rekey("0123456789abcde" + string(rune('A'+i))); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(*server.keys.Load()); n != maxKeys {
		t.Errorf("%d keys are kept, want %d", n, maxKeys)
	}
}

func allocateAs(t *testing.T, server *Server, user, password string) *stun.Message {
	t.Helper()
	c := dial(t, server, "198.51.100.10:5000").as(server, user, password)
	defer c.stream.Close()
	return c.allocate()
}
