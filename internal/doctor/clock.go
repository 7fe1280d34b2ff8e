package doctor

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"tertulia/internal/diagnosis"
)

// tolerated is how far a clock may be off before somebody notices.
const tolerated = 5 * time.Second

func checkClock(ctx context.Context, h *host) Check { return Clock(ctx, h.Config.NTPServers) }

// Clock asks time servers ("host:port"), all at once and for 3 s at most, and believes the first that answers.
func Clock(ctx context.Context, servers []string) Check {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel() // the slower ones give up
	type answer struct {
		server string
		offset time.Duration
		err    error
	}
	answers := make(chan answer, len(servers))
	for _, server := range servers {
		asking.Go(func() {
			offset, err := clockOffset(ctx, server)
			answers <- answer{server, offset, err}
		})
	}
	var silent []string
	for range servers {
		result := <-answers
		if result.err != nil {
			silent = append(silent, result.server+": "+result.err.Error())
			continue
		}
		if result.offset.Abs() > tolerated {
			return faulty(diagnosis.ClockSkewed, values{"seconds": fmt.Sprintf("%.1f", result.offset.Abs().Seconds()), "source": result.server})
		}
		return fine(fmt.Sprintf("within %d ms of %s", result.offset.Abs().Milliseconds()+1, result.server))
	}
	return unchecked("no time server answers: " + strings.Join(silent, "; "))
}

// Numbers of SNTP (RFC 4330 §4, §5): a packet is 48 bytes, times count 2^-32 s from 1900.
const (
	ntpSize        = 48
	ntpClient      = 4<<3 | 3 // version 4, mode client
	ntpServerMode  = 4
	ntpUnset       = 3 // leap indicator: the server has no time itself
	ntpEpochToUnix = 2_208_988_800
)

// clockOffset is how far the server's clock is ahead of ours (RFC 4330 §5).
func clockOffset(ctx context.Context, server string) (time.Duration, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", server)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })() // ends Read
	// The transmit time is a nonce: the answer repeats it, and nobody else needs to know our clock.
	request := make([]byte, ntpSize)
	request[0] = ntpClient
	if _, err := rand.Read(request[40:]); err != nil {
		return 0, err
	}
	sent := time.Now()
	if _, err := conn.Write(request); err != nil {
		return 0, err
	}
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	if err != nil {
		return 0, err
	}
	return ntpOffset(request, answer[:n], sent, time.Now())
}

// ntpOffset checks an answer and reads it.
func ntpOffset(request, answer []byte, sent, received time.Time) (time.Duration, error) {
	if len(answer) < ntpSize || answer[0]&7 != ntpServerMode || string(answer[24:32]) != string(request[40:48]) {
		return 0, errors.New("it sends something else than the time")
	}
	if stratum := answer[1]; stratum == 0 || stratum > 15 || answer[0]>>6 == ntpUnset {
		return 0, errors.New("it has no time itself, or refuses us")
	}
	there, back := ntpTime(answer[32:]), ntpTime(answer[40:])
	return (there.Sub(sent) + back.Sub(received)) / 2, nil
}

// ntpTime reads a time; from 2036 on the first bit is 0 (RFC 4330 §3).
func ntpTime(b []byte) time.Time {
	seconds, fraction := int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:]))
	if seconds&(1<<31) == 0 {
		seconds += 1 << 32
	}
	return time.Unix(seconds-ntpEpochToUnix, fraction*1_000_000_000>>32)
}
