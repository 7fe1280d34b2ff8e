package peer_test

import (
	"testing"

	"github.com/pion/stun/v4"

	"tertulia/internal/media/peer"
)

func TestAClientOfAClosedEndpointIsToldAtOnce(t *testing.T) {
	s, tp, ctx := tapped(t)
	e, known := s.receiving(ctx, "alice")
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
	c := s.talk(tp.LocalAddr())
	wrong := known
	wrong.pwd = "not the password at all"
	if _, err := c.Write(wrong.request(t, nominate)); err != nil {
		t.Fatal(err)
	}
	m := c.ask(known.request(t, nominate))
	var code stun.ErrorCodeAttribute
	if err := code.GetFrom(m); err != nil || m.Type != stun.BindingError || code.Code != stun.CodeForbidden {
		t.Errorf("answered with %v, code %v, %v; want 403", m.Type, code, err)
	}
	// A browser believes an error only with our integrity.
	if err := stun.NewShortTermIntegrity(known.pwd).Check(m); err != nil {
		t.Error(err)
	}
	if got := must[peer.Counters](t)(s.Counters(ctx)); got.Disowned != 1 || got.Unauthenticated != 1 {
		t.Errorf("counters %+v, want one disowned and one unauthenticated", got)
	}
}
