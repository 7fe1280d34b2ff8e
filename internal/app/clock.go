package app

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/doctor"
	"tertulia/internal/wire/openvidu"
)

// askTime is how often time servers are asked.
const askTime = 15 * time.Minute

// clock compares this machine's with time servers'.
type clock struct {
	servers []string // none: it is not compared
	log     *slog.Logger
	latest  atomic.Pointer[doctor.Check]
}

// newClock asks nobody on the default settings if nobody outside is to be asked for anything.
func newClock(c config.Config, log *slog.Logger) *clock {
	k := &clock{log: log}
	if c.AddressDiscovery != "off" || c.Place("NTP_SERVERS") != "" {
		k.servers = c.NTPServers
	}
	return k
}

// Run asks at once and then now and again until ctx ends.
func (k *clock) Run(ctx context.Context) error {
	ticker := time.NewTicker(askTime)
	defer ticker.Stop()
	for len(k.servers) > 0 {
		found := doctor.Clock(ctx, k.servers)
		if before := k.latest.Swap(&found); found.Verdict == doctor.Faulty && (before == nil || before.Verdict != doctor.Faulty) {
			k.log.Warn("this machine's clock is wrong", "code", found.Code, "evidence", strings.Join(found.Evidence, " "), "fix", found.Fix)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
	<-ctx.Done()
	return nil
}

// checks are what health says of it, if it is compared.
func (k *clock) checks() []openvidu.RESTCheck {
	if len(k.servers) == 0 {
		return nil
	}
	check := openvidu.RESTCheck{Name: "clock", OK: true, Bearable: true, Text: "no time server was asked yet"}
	if found := k.latest.Load(); found != nil {
		check.OK, check.Code, check.Fix = found.Verdict != doctor.Faulty, string(found.Code), found.Fix
		check.Text = strings.Join(found.Evidence, " ")
	}
	return []openvidu.RESTCheck{check}
}
