package session

import (
	"time"

	"tertulia/internal/event"
)

// Effect is one thing a rule wants done. The runner carries a rule's effects out in their order.
type Effect interface{ effect() }

type (
	// Reply answers a command. A reply to a connection that has ended is dropped.
	Reply struct {
		To     Origin
		Result any
		Err    error
	}
	// Notify appends a notice to the outbox of each connection named.
	Notify struct {
		To     []string
		Notice Notice
	}
	// Admit gives the caller of Registry.Join or Resume an attachment. With a result, the connection is new: its
	// outbox is made, and the result is its first message.
	Admit struct {
		To         Origin
		Connection *Connection // a copy
		Result     *JoinResult
	}
	// Dismiss ends a connection's outbox, once read, and forgets its RPC session id.
	Dismiss struct{ Connection, RPC string }
	// Ask sends a request to the media node; the result comes back as a settled command that holds this Ask.
	// Requests for one endpoint are carried out in order, those of different endpoints side by side.
	Ask struct {
		Request    any // mediactl.Publish, Subscribe or Answer
		Connection string
		Stream     string
		Serial     uint64
		To         Origin // who waits for it; zero: nobody
	}
	// Tell sends a request whose result nobody waits for, in order with those asked for the same endpoint.
	Tell struct {
		Request any // mediactl.Trickle or Release
	}
	// Arm has a command delivered later. Alarms are never taken back: the command names what it was armed for.
	Arm struct {
		After   time.Duration
		Command Command
	}
	// Happened is told to observers, and to no client. At is Unix milliseconds.
	Happened struct {
		At         int64
		Connection string // "": of the session alone
		Body       event.Body
	}
	// Save writes the record, behind and coalesced.
	Save struct{}
	// End ends the session: its media are released, its record is deleted. Reason is of spec §1.4, "" if it was
	// collected without ever being joined.
	End struct{ Reason string }
)

func (Reply) effect()    {}
func (Notify) effect()   {}
func (Admit) effect()    {}
func (Dismiss) effect()  {}
func (Ask) effect()      {}
func (Tell) effect()     {}
func (Arm) effect()      {}
func (Happened) effect() {}
func (Save) effect()     {}
func (End) effect()      {}

// Env is what the rules may know of the world.
type Env struct {
	Now   int64                                     // Unix milliseconds
	NewID func(prefix string, n int) string         // prefix, an upper-case letter and n-1 letters or digits
	TURN  func(connection, host string) []ICEServer // nil: TURN is off
	Rules Rules
}

// Rules are the numbers the rules go by.
type Rules struct {
	Grace          time.Duration // between Drop and eviction
	RestartGrace   time.Duration // the same after a restart of this process
	Park           time.Duration // how long a subscription waits for its stream; below the clients' time-out of 10 s
	MaxConnections int           // of one session, pending ones included
	MaxRecvKbps    int           // video taken from a publisher that has no kurentoOptions; 0: unlimited
	MinRecvKbps    int           // the least it is asked for, if its line can carry it
	MaxSendKbps    int           // video sent to a subscriber that has none; 0: unlimited
}
