package signal

import (
	"sync/atomic"

	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// dialect is how one joined client speaks and is spoken to: encode.go and dispatch.go translate into and from it.
type dialect struct {
	release
	mediaServer string      // as told at the join
	life        int64       // the same
	raw         atomic.Bool // it is known to be of a release up to 2.8, whose signal types have no prefix
}

func newDialect(r release, mediaServer string) *dialect {
	d := &dialect{release: r, mediaServer: mediaServer}
	d.raw.Store(r.upTo24())
	return d
}

// clientSignal takes a signal in the words of the sender's release. A type without prefix gives the sender away as up
// to 2.8; from 2.21 on, which say what they are, it is a third party's slip.
func (d *dialect) clientSignal(me string, p *openvidu.SendMessage) (session.Command, error) {
	s, err := openvidu.ParseSignal(p.Message)
	if err != nil {
		return nil, err
	}
	if s.Type != nil {
		kind, changed := openvidu.PrefixSignal(*s.Type)
		s.Type = &kind
		if changed && d.sdk == "" {
			d.raw.Store(true)
		}
	}
	return session.ClientSignal{Connection: me, To: s.To, Type: s.Type, Data: s.Data}, nil
}

// signalType puts a type into the words of the client's release (spec §5.7). One without a type stays so.
func (d *dialect) signalType(kind *string) *string {
	if kind == nil {
		return nil
	}
	var s string
	if d.raw.Load() {
		s = openvidu.StripSignal(*kind)
	} else if *kind != "" {
		s, _ = openvidu.PrefixSignal(*kind)
	}
	return &s
}
