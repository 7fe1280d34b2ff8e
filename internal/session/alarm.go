package session

import (
	"slices"
	"time"
)

// alarms are the commands a session has armed, soonest first, on one timer.
type alarms struct {
	timer *time.Timer
	list  []alarm
}

type alarm struct {
	at      time.Time
	command Command
}

func newAlarms() alarms {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return alarms{timer: t}
}

func (a *alarms) add(at time.Time, c Command) {
	i := len(a.list)
	for i > 0 && at.Before(a.list[i-1].at) {
		i--
	}
	a.list = slices.Insert(a.list, i, alarm{at, c})
	a.timer.Reset(time.Until(a.list[0].at))
}

// due takes the commands whose time has come.
func (a *alarms) due(now time.Time) []Command {
	var commands []Command
	for len(a.list) > 0 && !a.list[0].at.After(now) {
		commands = append(commands, a.list[0].command)
		a.list = slices.Delete(a.list, 0, 1)
	}
	if len(a.list) > 0 {
		a.timer.Reset(a.list[0].at.Sub(now))
	}
	return commands
}
