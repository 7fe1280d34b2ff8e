package diagnosis

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// networks is by what ways the clients of each network come: /24 of IPv4, /48 of IPv6. It belongs to one goroutine.
type networks struct {
	known   map[string]*network
	alarms  map[string]*Record // by network, "" for everybody
	counted int64              // when Others was counted
	sum     Others
}

// network is one of them.
type network struct {
	outside    bool
	udp, other int64 // when it was last seen to use UDP, or TCP or a relay; Unix milliseconds
	// Arrivals on a way: connections that are new, and those that changed it.
	arrivals []arrival
	nat      silences
}

type arrival struct {
	at  int64
	udp bool
}

// Limits, and what makes an alarm (promise KMS-19b).
const (
	maxNetworks = 10_000
	maxArrivals = 200
	stillUsed   = 15_000 // milliseconds: looks at healthy endpoints are 3 s apart
	lately      = 10 * 60_000
	shareOver   = 60_000 // milliseconds of arrivals that are compared with those before
	baseOver    = 30 * 60_000
	shareLeast  = 4   // arrivals
	shareJump   = 0.3 // of those on other ways than UDP
	shareMany   = 0.5 // of a network that is affected
)

func newNetworks() *networks {
	return &networks{known: map[string]*network{}, alarms: map[string]*Record{}}
}

// prefixOf names the network of an address, with or without port; "" if it is none.
func prefixOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	a, err := netip.ParseAddr(strings.Trim(address, "[]"))
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// of returns a network, nil if its name is empty or there are too many.
func (n *networks) of(prefix string) *network {
	k := n.known[prefix]
	if k != nil || prefix == "" || len(n.known) >= maxNetworks {
		return k
	}
	p, err := netip.ParsePrefix(prefix)
	k = &network{outside: err == nil && !p.Addr().IsLoopback()}
	n.known[prefix] = k
	return k
}

// use notes that a client of a network uses UDP, or another way; anew says that it did not a moment ago.
func (k *network) use(now int64, udp, anew bool) {
	if udp {
		k.udp = now
	} else {
		k.other = now
	}
	if anew {
		if len(k.arrivals) >= maxArrivals {
			k.arrivals = k.arrivals[1:]
		}
		k.arrivals = append(k.arrivals, arrival{now, udp})
	}
}

// others counts how the clients come. Of the network named, UDP counts if somebody has used it later than mine: then that
// was another.
func (n *networks) others(now int64, own string, mine int64) Others {
	if now-n.counted >= 1000 || now < n.counted {
		n.counted, n.sum = now, Others{}
		for _, k := range n.known {
			n.sum.add(k, now, 1)
		}
	}
	sum := n.sum
	if k := n.known[own]; k != nil && k.udp <= mine {
		other := sum.Other
		sum.add(k, now, -1)
		sum.Other = other // its own included
		sum.UDP, sum.Lately = max(sum.UDP, 0), max(sum.Lately, 0)
	}
	return sum
}

func (o *Others) add(k *network, now int64, by int) {
	if !k.outside {
		return
	}
	if k.udp != 0 && now-k.udp <= stillUsed {
		o.UDP += by
	}
	if k.udp != 0 && now-k.udp <= lately {
		o.Lately += by
	}
	if k.other != 0 && now-k.other <= stillUsed {
		o.Other += by
	}
}

// share is what part of some arrivals did not come over UDP.
type share struct{ all, other int }

func (s share) of() float64 { return float64(s.other) / float64(max(s.all, 1)) }

func (s *share) add(more share) { s.all, s.other = s.all+more.all, s.other+more.other }

// shares of the latest minute, and of what was before it.
func (k *network) shares(now int64) (latest, before share) {
	for _, a := range k.arrivals {
		one := share{all: 1}
		if !a.udp {
			one.other = 1
		}
		switch age := now - a.at; {
		case age <= shareOver:
			latest.add(one)
		case age <= baseOver:
			before.add(one)
		}
	}
	return latest, before
}

// alarm is one change of the alarms: begun, or ended.
type alarm struct {
	record *Record
	ended  bool
}

// judge compares how clients have come in the latest minute with how they came before, network by network, and as a whole.
func (n *networks) judge(v *View) []alarm {
	var all, before share
	affected := map[string]string{}
	for name, k := range n.known {
		latest, past := k.shares(v.Now)
		all.add(latest)
		before.add(past)
		usedUDP := past.all - past.other + latest.all - latest.other // a network that never did is no change
		if latest.other >= shareLeast/2 && usedUDP >= shareLeast/2 && latest.all+past.all >= shareLeast &&
			latest.of() >= shareMany && latest.of()-past.of() >= shareJump {
			affected[name] = fmt.Sprintf("%s: %d of the %d connections that came or changed their way in the latest minute use TCP or a relay; before, %d of %d.",
				name, latest.other, latest.all, past.other, past.all)
		}
	}
	wanted := map[string]Finding{}
	names := slices.Sorted(maps.Keys(affected))
	if len(affected) >= 2 && all.other == all.all && before.of() <= 1-shareJump {
		f := Finding{Code: ServerUDPBlocked, Evidence: []string{"The blocked transport is UDP; affected is everybody."}}
		for _, name := range names[:min(len(names), 10)] {
			f.Evidence = append(f.Evidence, affected[name])
		}
		wanted[""] = f
	} else {
		for _, name := range names {
			wanted[name] = Finding{Code: ClientUDPBlocked, Severity: Warning, Evidence: []string{
				"The blocked transport is UDP; affected is the network " + name + ".", affected[name],
			}}
		}
	}
	return n.settle(v, wanted)
}

// settle begins the alarms that are wanted and ends the others, once their minute is over.
func (n *networks) settle(v *View, wanted map[string]Finding) []alarm {
	var changes []alarm
	for name, f := range wanted {
		if n.alarms[name] == nil {
			r := f.record(v)
			n.alarms[name] = r
			changes = append(changes, alarm{record: r})
		}
	}
	for name, r := range n.alarms {
		if _, still := wanted[name]; still {
			continue
		}
		if k := n.known[name]; k != nil && k.udp < k.other && v.Now-k.other <= stillUsed {
			continue // nobody comes anew, and those who are there still go around
		}
		if sum := n.others(v.Now, "", 0); name == "" && sum.UDP == 0 && sum.Other > 0 {
			continue
		}
		delete(n.alarms, name)
		changes = append(changes, alarm{record: r, ended: true})
	}
	return changes
}

// sweep forgets networks nobody has come from for long.
func (n *networks) sweep(now int64) {
	maps.DeleteFunc(n.known, func(name string, k *network) bool {
		return now-max(k.udp, k.other) > baseOver && n.alarms[name] == nil
	})
}
