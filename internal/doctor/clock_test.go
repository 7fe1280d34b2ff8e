package doctor

import (
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"time"

	"tertulia/internal/config"
)

// packet is an answer with the times of receiving and sending.
func packet(request []byte, there, back uint64) []byte {
	p := make([]byte, ntpSize)
	p[0], p[1] = 4<<3|ntpServerMode, 1
	copy(p[24:32], request[40:48])
	binary.BigEndian.PutUint64(p[32:], there)
	binary.BigEndian.PutUint64(p[40:], back)
	return p
}

func TestTheOffset(t *testing.T) {
	request := make([]byte, ntpSize)
	copy(request[40:], "nonce123")
	sent := time.Unix(1_000_000_000, 0)
	at := func(second int64) uint64 { return uint64(second+ntpEpochToUnix) << 32 }
	// One second there, one back, answered within one: the server is 10 s ahead.
	got, err := ntpOffset(request, packet(request, at(1_000_000_011), at(1_000_000_012)), sent, sent.Add(3*time.Second))
	if err != nil || got != 10*time.Second {
		t.Errorf("%v, %v", got, err)
	}
	half := packet(request, at(1_000_000_000)|1<<31, at(1_000_000_000)|1<<31)
	if got, err := ntpOffset(request, half, sent, sent); err != nil || got != 500*time.Millisecond {
		t.Errorf("half a second: %v, %v", got, err)
	}
	if got := ntpTime([]byte{0, 0, 0, 5, 0, 0, 0, 0}); got.UTC().Year() != 2036 {
		t.Errorf("a time after the turn of 2036 is in %v", got)
	}
}

func TestAnswersThatAreNoTime(t *testing.T) {
	request := make([]byte, ntpSize)
	copy(request[40:], "nonce123")
	for name, spoil := range map[string]func([]byte) []byte{
		"short":          func(p []byte) []byte { return p[:47] },
		"empty":          func([]byte) []byte { return nil },
		"a request":      func(p []byte) []byte { p[0] = ntpClient; return p },
		"another nonce":  func(p []byte) []byte { p[24]++; return p },
		"kiss of death":  func(p []byte) []byte { p[1] = 0; return p },
		"stratum 16":     func(p []byte) []byte { p[1] = 16; return p },
		"unsynchronised": func(p []byte) []byte { p[0] |= ntpUnset << 6; return p },
	} {
		if got, err := ntpOffset(request, spoil(packet(request, 0, 0)), time.Now(), time.Now()); err == nil {
			t.Errorf("%s: an offset of %v", name, got)
		}
	}
}

// TestOneAnswerIsEnough: a server that is down and one that is silent do not matter beside one that answers.
func TestOneAnswerIsEnough(t *testing.T) {
	silent := listenUDP(t)
	good := listenUDP(t)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		request := make([]byte, 512)
		n, from, err := good.ReadFrom(request)
		if err != nil {
			return
		}
		now := uint64(time.Now().Unix()+ntpEpochToUnix) << 32
		_, _ = good.WriteTo(packet(request[:n], now, now), from)
	}()
	h := &host{Options: Options{Config: config.Config{NTPServers: []string{"127.0.0.1:1", silent.LocalAddr().String(), good.LocalAddr().String()}}}}
	c := checkClock(t.Context(), h)
	<-answered
	if c.Verdict != Fine || !strings.Contains(c.Evidence[0], good.LocalAddr().String()) {
		t.Errorf("%+v", c)
	}
}

func listenUDP(t *testing.T) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
