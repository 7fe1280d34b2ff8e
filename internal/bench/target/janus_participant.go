package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// janusParticipant is one websocket with one session, and a plugin handle for each transport, as VideoRoom wants it.
type janusParticipant struct {
	*line
	server     *janus
	room, name string
	session    uint64
	feed       string // its id as a publisher; "" while it is none
	handle     uint64 // of its publishing transport

	// these are the line's notes
	next    int                     // number of the next transaction
	answers map[string]janusMessage // zero of those that are awaited
	up      map[uint64]bool         // handles whose transport is connected
}

// janusMessage is what comes from Janus, as far as it is of interest.
type janusMessage struct {
	Janus       string `json:"janus"` // success, error, ack, event, webrtcup, hangup, …
	Transaction string `json:"transaction"`
	Sender      uint64 `json:"sender"`
	Made        struct {
		ID uint64 `json:"id"`
	} `json:"data"`
	Error  *janusError `json:"error"`
	Plugin struct {
		Answer struct {
			VideoRoom string `json:"videoroom"`
			ID        string `json:"id"`
			ErrorCode int    `json:"error_code"`
			Error     string `json:"error"`
		} `json:"data"`
	} `json:"plugindata"`
	Description janusSDP `json:"jsep"`
}

type janusError struct {
	Code   int    `json:"code"`
	Reason string `json:"reason"`
}

func (e *janusError) Error() string { return fmt.Sprintf("%s (error %d)", e.Reason, e.Code) }

type janusSDP struct {
	Type string `json:"type"`
	SDP  string `json:"sdp"`
}

const (
	janusPlugin     = "janus.plugin.videoroom"
	janusRoomExists = 427
	// A session that is silent for 60 s is closed.
	janusKeepalive = 25 * time.Second
)

func (s *janus) Join(ctx context.Context, room, name string) (Participant, error) {
	if s.process == nil {
		return nil, errNotRunning
	}
	l, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	p := &janusParticipant{line: l, server: s, room: room, name: name, answers: map[string]janusMessage{}, up: map[uint64]bool{}}
	l.listen(p.take)
	if err := p.enter(ctx); err != nil {
		l.close()
		return nil, err
	}
	return p, nil
}

func (p *janusParticipant) enter(ctx context.Context) error {
	made, err := p.call(ctx, map[string]any{"janus": "create"})
	if err != nil {
		return err
	}
	p.session = made.Made.ID
	return p.pulse(janusKeepalive, func() error {
		_, err := p.send(map[string]any{"janus": "keepalive", "session_id": p.session}, false)
		return err
	})
}

// attach makes a handle of the VideoRoom plugin.
func (p *janusParticipant) attach(ctx context.Context) (uint64, error) {
	made, err := p.call(ctx, map[string]any{"janus": "attach", "session_id": p.session, "plugin": janusPlugin})
	return made.Made.ID, err
}

// ask sends a plugin request, with a description if it has text.
func (p *janusParticipant) ask(ctx context.Context, handle uint64, body map[string]any, sdp janusSDP) (janusMessage, error) {
	request := map[string]any{"janus": "message", "session_id": p.session, "handle_id": handle, "body": body}
	if sdp.SDP != "" {
		request["jsep"] = sdp
	}
	m, err := p.call(ctx, request)
	if answer := m.Plugin.Answer; err == nil && answer.ErrorCode != 0 {
		err = &janusError{answer.ErrorCode, answer.Error}
	}
	if err != nil {
		return m, fmt.Errorf("%s: %w", body["request"], err)
	}
	return m, nil
}

// makeRoom makes the room unless it is there: for any number of publishers, without a cap on their bitrate.
func (p *janusParticipant) makeRoom(ctx context.Context, handle uint64) error {
	_, err := p.ask(ctx, handle, map[string]any{
		"request": "create", "room": p.room, "publishers": 10_000, "bitrate": 0, "videocodec": "vp8", "audiocodec": "opus",
	}, janusSDP{})
	if refused, ok := errors.AsType[*janusError](err); ok && refused.Code == janusRoomExists {
		return nil
	}
	return err
}

func (p *janusParticipant) Publish(ctx context.Context, t Transport) error {
	handle, err := p.attach(ctx)
	if err != nil {
		return err
	}
	if err := p.makeRoom(ctx, handle); err != nil {
		return err
	}
	offer, err := t.Offer()
	if err != nil {
		return err
	}
	if err := p.server.reaches(offer); err != nil {
		return err
	}
	body := map[string]any{"request": "joinandconfigure", "ptype": "publisher", "room": p.room, "display": p.name}
	m, err := p.ask(ctx, handle, body, janusSDP{"offer", offer})
	if err != nil {
		return err
	}
	p.feed, p.handle = m.Plugin.Answer.ID, handle
	return t.Accept(m.Description.SDP)
}

// Subscribe waits for the publisher's transport first: Janus knows no feed before it is connected.
func (p *janusParticipant) Subscribe(ctx context.Context, from Participant, t Transport) error {
	publisher, ok := from.(*janusParticipant)
	if !ok {
		return errOtherServer
	}
	if publisher.feed == "" {
		return errNoStream
	}
	if err := publisher.wait(ctx, "the publisher's transport", func() bool { return publisher.up[publisher.handle] }); err != nil {
		return err
	}
	handle, err := p.attach(ctx)
	if err != nil {
		return err
	}
	m, err := p.ask(ctx, handle, map[string]any{
		"request": "join", "ptype": "subscriber", "room": p.room, "streams": []any{map[string]any{"feed": publisher.feed}},
	}, janusSDP{})
	if err != nil {
		return err
	}
	answer, err := t.Answer(m.Description.SDP)
	if err != nil {
		return err
	}
	if err := p.server.reaches(answer); err != nil {
		return err
	}
	_, err = p.ask(ctx, handle, map[string]any{"request": "start"}, janusSDP{"answer", answer})
	return err
}

func (p *janusParticipant) Leave() error {
	defer p.close()
	ctx, cancel := context.WithTimeout(context.Background(), leavePatience)
	defer cancel()
	_, err := p.call(ctx, map[string]any{"janus": "destroy", "session_id": p.session})
	return err
}

// call sends a request and waits for what it leads to: an ack says only that it has come in.
func (p *janusParticipant) call(ctx context.Context, request map[string]any) (janusMessage, error) {
	transaction, err := p.send(request, true)
	if err != nil {
		return janusMessage{}, err
	}
	var m janusMessage
	err = p.wait(ctx, fmt.Sprint("the answer to ", request["janus"]), func() bool {
		m = p.answers[transaction]
		return m.Janus != ""
	})
	p.note(func() { delete(p.answers, transaction) })
	if err == nil && m.Error != nil {
		err = m.Error
	}
	return m, err
}

func (p *janusParticipant) send(request map[string]any, awaited bool) (transaction string, err error) {
	p.note(func() {
		transaction = strconv.Itoa(p.next)
		p.next++
		if awaited {
			p.answers[transaction] = janusMessage{}
		}
	})
	request["transaction"] = transaction
	text, err := json.Marshal(request)
	if err != nil {
		return "", err
	}
	return transaction, p.write(text)
}

// take is the line's reader.
func (p *janusParticipant) take(text []byte) {
	var m janusMessage
	if json.Unmarshal(text, &m) != nil {
		return // whoever waits says what is missing
	}
	p.note(func() {
		switch m.Janus {
		case "ack":
		case "webrtcup":
			p.up[m.Sender] = true
		case "hangup":
			delete(p.up, m.Sender)
		default:
			if _, awaited := p.answers[m.Transaction]; awaited {
				p.answers[m.Transaction] = m
			}
		}
	})
}
