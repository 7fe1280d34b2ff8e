package session

import (
	"strings"
	"testing"
)

func push(t *testing.T, o *outbox, n int) {
	t.Helper()
	for range n {
		if !o.push(Message{Notice: Signal{}}) {
			t.Fatal("the outbox is full")
		}
	}
}

// drain reads all there is, and returns the numbers.
func drain(o *outbox, a *Attachment) (numbers []uint64) {
	for {
		m, changed, ok := o.next(a)
		if !ok || changed != nil {
			return numbers
		}
		numbers = append(numbers, m.Seq)
	}
}

func TestOutboxAck(t *testing.T) {
	o, a := newOutbox("rpc"), new(Attachment)
	o.hold(a)
	push(t, o, 3)
	o.ack(a, 2) // not read yet: that it was received cannot be
	if got := drain(o, a); len(got) != 3 || got[0] != 1 {
		t.Fatalf("read %v", got)
	}
	o.ack(a, 2)
	o.ack(a, 1)
	o.ack(a, 99)
	push(t, o, 1)
	if got := drain(o, a); len(got) != 1 || got[0] != 4 {
		t.Fatalf("read %v", got)
	}
	if len(o.messages) != 1 || o.weight != (Message{Notice: Signal{}}).weight() {
		t.Fatalf("%d messages of weight %d are kept", len(o.messages), o.weight)
	}
}

// TestOutboxTakeover: the next socket gets what was not acknowledged, but no answers, under new numbers.
func TestOutboxTakeover(t *testing.T) {
	o, a, b := newOutbox("rpc"), new(Attachment), new(Attachment)
	o.hold(a)
	push(t, o, 1)
	o.push(Message{Reply: &Answered{Request: "1"}})
	push(t, o, 2)
	o.push(Message{Reply: &Answered{Request: "2"}})
	for range 3 { // the last notice and the second answer are not read
		o.next(a)
	}
	o.ack(a, 1)
	if !o.release(a) || o.held() || o.release(a) {
		t.Fatal("a does not let go once")
	}
	o.hold(b)
	o.ack(b, 2) // of the older socket
	if got := drain(o, b); len(got) != 2 || got[0] != 3 || got[1] != 4 {
		t.Fatalf("read %v, want the two notices under the numbers 3 and 4", got)
	}
	if _, _, ok := o.next(a); ok {
		t.Fatal("a reads on")
	}
	o.ack(b, 4)
	if len(o.messages) != 0 || o.weight != 0 {
		t.Fatalf("%d messages of weight %d are kept", len(o.messages), o.weight)
	}
}

// TestOutboxForgetsAnswers: what has been read of them is not kept, whether the client acknowledges or not.
func TestOutboxForgetsAnswers(t *testing.T) {
	o, a := newOutbox("rpc"), new(Attachment)
	o.hold(a)
	big := strings.Repeat("x", 1<<20)
	for range 3 * maxMessages {
		if !o.push(Message{Reply: &Answered{Result: SubscribeResult{SDP: big}}}) {
			t.Fatal("the outbox is full")
		}
		if m, _, _ := o.next(a); m.Reply == nil || m.Seq != 0 {
			t.Fatalf("read %+v", m)
		}
	}
	if len(o.messages) != 0 || o.weight != 0 {
		t.Fatalf("%d messages of weight %d are kept", len(o.messages), o.weight)
	}
}

func TestOutboxEnd(t *testing.T) {
	o, a := newOutbox("rpc"), new(Attachment)
	o.hold(a)
	push(t, o, 1)
	o.end()
	push(t, o, 1) // dropped
	if got := drain(o, a); len(got) != 1 {
		t.Fatalf("read %v", got)
	}
	if _, _, ok := o.next(a); ok || o.release(a) {
		t.Fatal("the outbox has not ended")
	}
}

func TestOutboxLimits(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	for _, m := range []Message{
		{Notice: Signal{Data: &big}}, {Notice: Signal{Type: &big}}, {Notice: Joined{Metadata: big}},
		{Notice: StreamChanged{NewValue: big}}, {Notice: StreamChanged{Reason: big}}, {Notice: ForcedOffer{SDP: big}},
		{Reply: &Answered{Result: PublishResult{Answer: big}}}, {Reply: &Answered{Result: SubscribeResult{SDP: big}}},
		{Reply: &Answered{Result: JoinResult{Others: make([]*Connection, 2048)}}},
	} {
		o, n := newOutbox("rpc"), 0
		for n < 100 && o.push(m) {
			n++
		}
		if n != 7 {
			t.Errorf("%d messages of 1 MiB were taken: %T%+v", n, m.Notice, m.Reply != nil)
		}
	}
	o, n := newOutbox("rpc"), 0
	for o.push(Message{}) {
		n++
	}
	if n != maxMessages {
		t.Errorf("%d messages were taken", n)
	}
}
