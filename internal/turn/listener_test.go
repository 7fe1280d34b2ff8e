package turn

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"tertulia/internal/testkit"
)

func TestAPortOfItsOwn(t *testing.T) {
	server, media := newServer(t, Limits{PerAddress: 2})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.ServeListener(ctx, listener) }()
	address := listener.Addr().String()
	credential := server.Credentials("ses_A", "con_A", "h")[0]
	c := pionClient(t, address, credential.Username, credential.Credential, false)
	relay, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	exchange(t, relay, media)
	second, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	third, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	_ = third.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := third.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("one too many of an address: %v, want EOF", err)
	}
	_ = relay.Close()
	c.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if now := server.Stats(); now.Allocations != 0 || now.Connections != 0 || now.OverQuota != 1 {
		t.Errorf("left behind: %+v", now)
	}
	testkit.NoGoroutines(t, "internal/turn.(*")
}

func TestAListenerThatFails(t *testing.T) {
	server, _ := newServer(t, Limits{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if err := server.ServeListener(t.Context(), listener); err == nil {
		t.Error("it goes on")
	}
}
