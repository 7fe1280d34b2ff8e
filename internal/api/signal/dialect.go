package signal

import (
	"sync/atomic"

	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// dialect is how one joined client speaks and is spoken to: encode.go and dispatch.go translate into and from it.
type dialect struct {
	release
	mediaServer string       // as told at the join
	life        int64        // the same
	form        atomic.Value // session.SignalForm, "" until it is known
}

func newDialect(r release, mediaServer string) *dialect {
	d := &dialect{release: r, mediaServer: mediaServer}
	d.form.Store(r.signalForm())
	return d
}

// resumed is the dialect of a client that is back.
func resumed(c session.Connection) *dialect {
	d := newDialect(releaseOf(c), "")
	if c.SignalForm != "" {
		d.form.Store(c.SignalForm)
	}
	return d
}

// signalForm is how its signals' types are written, if it is known.
func (d *dialect) signalForm() session.SignalForm { return d.form.Load().(session.SignalForm) }

// clientSignal takes a signal in the words of the sender's release, and gathers which one that is: whoever writes a type
// without prefix is up to 2.8, for good. Of those who are known by then it is a third party's slip.
func (d *dialect) clientSignal(me string, p *openvidu.SendMessage) (session.Command, error) {
	s, err := openvidu.ParseSignal(p.Message)
	if err != nil {
		return nil, err
	}
	if s.Type != nil {
		kind, changed := openvidu.PrefixSignal(*s.Type)
		s.Type = &kind
		if d.release.signalForm() == "" {
			if changed {
				d.form.Store(session.RawSignals)
			} else {
				d.form.CompareAndSwap(session.SignalForm(""), session.PrefixedSignals)
			}
		}
	}
	return session.ClientSignal{Connection: me, To: s.To, Type: s.Type, Data: s.Data, Form: d.signalForm()}, nil
}

// signalType puts a type into the words of the client's release (spec §5.7), raw if that is not known and likely. One
// without a type stays so.
func (d *dialect) signalType(kind *string, likely bool) *string {
	if kind == nil {
		return nil
	}
	var s string
	if form := d.signalForm(); form == session.RawSignals || form == "" && likely {
		s = openvidu.StripSignal(*kind)
	} else if *kind != "" {
		s, _ = openvidu.PrefixSignal(*kind)
	}
	return &s
}
