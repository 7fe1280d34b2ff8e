package target

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/api/jsonrpc"
	"tertulia/internal/wire/openvidu"
)

// tertuliaParticipant speaks as openvidu-browser does in Kurento mode: it offers what it publishes and what it receives.
type tertuliaParticipant struct {
	*line
	id string // of the connection

	// these are the line's notes
	next       int                        // id of the next request
	answers    map[string]jsonrpc.Message // nil of those that are awaited
	candidates map[string][]string        // by connection id of the publisher
	stream     string                     // what it publishes
	others     map[string]Stream          // what others publish, by id; nil of those that do not follow
}

func (s *tertulia) Join(ctx context.Context, room, name string) (Participant, error) {
	if s.process == nil {
		return nil, errNotRunning
	}
	return s.join(ctx, room, name, nil)
}

// join makes a participant; with others not nil it keeps them up to date.
func (s *tertulia) join(ctx context.Context, room, name string, others map[string]Stream) (*tertuliaParticipant, error) {
	token, err := s.token(ctx, room, name)
	if err != nil {
		return nil, err
	}
	l, err := dial(ctx, "wss://"+s.host+"/openvidu?sessionId="+room, websocket.MessageText, websocket.DialOptions{HTTPClient: s.client})
	if err != nil {
		return nil, err
	}
	p := &tertuliaParticipant{line: l, answers: map[string]jsonrpc.Message{}, candidates: map[string][]string{}, others: others}
	l.listen(p.take)
	if err := p.enter(ctx, token, room, name, s.cfg.Ping); err != nil {
		l.close()
		return nil, err
	}
	return p, nil
}

func (p *tertuliaParticipant) enter(ctx context.Context, token, room, name string, ping time.Duration) error {
	interval := int(ping.Milliseconds())
	first := any(openvidu.Ping{Interval: &interval})
	err := p.pulse(ping, func() error {
		_, err := p.send("ping", first)
		first = nil
		return err
	})
	if err != nil {
		return err
	}
	metadata, err := json.Marshal(map[string]string{"clientData": name})
	if err != nil {
		return err
	}
	var joined openvidu.Joining
	err = p.call(ctx, &joined, "joinRoom", openvidu.JoinRoom{
		Token: token, Session: room, Platform: "tertulia bench", Metadata: string(metadata),
	})
	p.id = joined.ID
	p.note(func() {
		for _, there := range joined.Value {
			p.add(there.ID, there.Streams)
		}
	})
	return err
}

func (p *tertuliaParticipant) Publish(ctx context.Context, t Transport) error {
	offer, err := t.Offer()
	if err != nil {
		return err
	}
	yes := true
	var made openvidu.Publishing
	err = p.call(ctx, &made, "publishVideo", openvidu.PublishVideo{
		SDPOffer: offer, HasAudio: &yes, HasVideo: &yes, AudioActive: &yes, VideoActive: &yes, TypeOfVideo: "CAMERA",
	})
	if err != nil {
		return err
	}
	p.note(func() { p.stream = made.ID })
	return p.accept(ctx, t, made.SDPAnswer, p.id)
}

func (p *tertuliaParticipant) Subscribe(ctx context.Context, from Participant, t Transport) error {
	publisher, ok := from.(*tertuliaParticipant)
	if !ok {
		return errOtherServer
	}
	var stream string
	publisher.note(func() { stream = publisher.stream })
	if stream == "" {
		return errNoStream
	}
	return p.receive(ctx, Stream{stream, publisher.id}, t)
}

var (
	errOtherServer = errors.New("the publisher is on another server")
	errNoStream    = errors.New("the participant publishes nothing")
)

// accept hands over an answer, together with a candidate that came beside it if it has none of its own.
func (p *tertuliaParticipant) accept(ctx context.Context, t Transport, answer, endpoint string) error {
	var candidates []string
	err := p.wait(ctx, "a candidate", func() bool {
		candidates = p.candidates[endpoint]
		return hasCandidate(answer) || len(candidates) > 0
	})
	if err != nil {
		return err
	}
	return t.Accept(withCandidates(answer, candidates))
}

func (p *tertuliaParticipant) Leave() error {
	defer p.close()
	ctx, cancel := context.WithTimeout(context.Background(), leavePatience)
	defer cancel()
	return p.call(ctx, nil, "leaveRoom", struct{}{})
}

// call sends a request and decodes its result.
func (p *tertuliaParticipant) call(ctx context.Context, into any, method string, params any) error {
	id, err := p.send(method, params)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	var m jsonrpc.Message
	err = p.wait(ctx, "the answer to "+method, func() bool {
		m = p.answers[id]
		return m.Result != nil || m.Failure != nil
	})
	p.note(func() { delete(p.answers, id) })
	switch {
	case err != nil:
		return err
	case m.Failure != nil:
		return fmt.Errorf("%s: %s", method, m.Failure)
	case into == nil:
		return nil
	}
	return json.Unmarshal(m.Result, into)
}

// send writes a request; without params it is one whose answer nobody wants.
func (p *tertuliaParticipant) send(method string, params any) (id string, err error) {
	request := struct {
		Version string `json:"jsonrpc"`
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
		ID      int    `json:"id"`
	}{Version: "2.0", Method: method, Params: params}
	p.note(func() {
		request.ID = p.next
		p.next++
		id = strconv.Itoa(request.ID)
		if method != "ping" {
			p.answers[id] = jsonrpc.Message{}
		}
	})
	text, err := json.Marshal(request)
	if err != nil {
		return "", err
	}
	return id, p.write(text)
}

// notification is how the server's notifications begin, of which only candidates matter. In a room of many they are most
// of what comes in: those are not parsed.
var (
	notification = []byte(`{"method":"`)
	candidate    = []byte(`{"method":"` + openvidu.NameCandidate + `"`)
)

// take is the line's reader. What it does not understand it passes over: the requests that wait say what is missing.
func (p *tertuliaParticipant) take(text []byte) {
	if p.others == nil && bytes.HasPrefix(text, notification) && !bytes.HasPrefix(text, candidate) {
		return
	}
	m, bad := jsonrpc.Parse(text, jsonrpc.DefaultMaxDepth)
	switch {
	case bad != nil:
	case m.Method == openvidu.NameCandidate:
		var c openvidu.ICECandidate
		if json.Unmarshal(m.Params, &c) == nil && strings.HasPrefix(c.Candidate, "candidate:") {
			p.note(func() { p.candidates[c.SenderConnectionID] = append(p.candidates[c.SenderConnectionID], c.Candidate) })
		}
	case p.others != nil && p.follow(m):
	case m.Method == openvidu.Pull && m.ID != nil:
		_ = p.write([]byte(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":"push"}`)) // the reader sees the end
	case m.IsResponse():
		p.note(func() {
			if _, awaited := p.answers[string(m.ID)]; awaited {
				p.answers[string(m.ID)] = m
			}
		})
	}
}
