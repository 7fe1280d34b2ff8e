package receive

import (
	"slices"
	"time"

	"tertulia/internal/media"
)

const (
	// maxMissing bounds what is asked for at any time: one second of a 2 Mbit/s stream.
	maxMissing = 256
	// A packet is asked for at once, then after 1, 2, 3 … round trips. Whoever still lacks it after giveUp shows a
	// frozen picture and is better off with a key frame.
	maxAsked = 7
	giveUp   = media.Time(time.Second)

	initialRTT = media.Time(100 * time.Millisecond)
	minRTT     = media.Time(10 * time.Millisecond)
	maxRTT     = media.Time(500 * time.Millisecond)
)

// losses is the list of packets to ask for again, in order of sequence.
type losses struct {
	missing  []missing
	ask      []uint16   // scratch of due
	rtt      media.Time // smoothed, from request to retransmission
	measured bool       // it ever was
}

type missing struct {
	sequence    uint64
	noticed     media.Time
	asked, next media.Time
	times       uint8
}

func newLosses() losses {
	return losses{rtt: initialRTT}
}

// add notes that [from, to) is missing; it refuses more than it can hold. Numbers are added in ascending order.
func (l *losses) add(now media.Time, from, to uint64) bool {
	if int64(to-from) > int64(maxMissing-len(l.missing)) {
		return false
	}
	if l.missing == nil { // the lists take 13 KiB, which a stream without loss does not need
		l.missing, l.ask = make([]missing, 0, maxMissing), make([]uint16, 0, maxMissing)
	}
	for ; from < to; from++ {
		l.missing = append(l.missing, missing{sequence: from, noticed: now, next: now})
	}
	return true
}

// found removes a packet that has arrived, by RTX or late, and tells whether it was missing. One that was asked for
// once and came by RTX measures the round trip; after a second request one could not tell which of them it answers.
func (l *losses) found(sequence uint64, now media.Time, rtx bool) bool {
	if len(l.missing) == 0 {
		return false
	}
	i, ok := slices.BinarySearchFunc(l.missing, sequence, func(m missing, s uint64) int {
		return int(int64(m.sequence - s))
	})
	if !ok {
		return false
	}
	if m := l.missing[i]; rtx && m.times == 1 {
		sample := min(max(now-m.asked, minRTT), maxRTT)
		l.rtt += (sample - l.rtt) / 4
		l.measured = true
	}
	l.missing = slices.Delete(l.missing, i, i+1)
	return true
}

// due returns what to ask for now, valid until the next call, and how many it has given up.
func (l *losses) due(now media.Time) (ask []uint16, abandoned int) {
	ask = l.ask[:0]
	kept := l.missing[:0]
	for _, m := range l.missing {
		if now >= m.next {
			if m.times == maxAsked || now-m.noticed >= giveUp {
				abandoned++
				continue
			}
			m.times++
			m.asked, m.next = now, now+media.Time(m.times)*max(l.rtt, minRTT)
			ask = append(ask, uint16(m.sequence))
		}
		kept = append(kept, m)
	}
	l.missing = kept
	return ask, abandoned
}

func (l *losses) clear() { l.missing = l.missing[:0] }
