package load_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
)

// actor plays several pages, one thing after the other.
type actor struct {
	server         *server
	chance         *rand.Rand
	camera, screen string // offers
	pages, dark    []*page
	did            map[string]int // steps that succeeded, and why others did not
}

// step is something an actor may do. A room is where, a page who.
type step struct {
	name   string
	often  int // in comparison with the others
	inRoom func(ctx context.Context, a *actor, room string) error
	asPage func(ctx context.Context, a *actor, p *page) error
}

var steps = []step{
	{name: "join", often: 12, inRoom: join},
	{name: "resume", often: 6, inRoom: resume},
	{name: "leave", often: 3, asPage: func(ctx context.Context, a *actor, p *page) error { a.drop(p); return p.leave(ctx) }},
	{name: "cut", often: 6, asPage: func(_ context.Context, a *actor, p *page) error {
		a.drop(p)
		p.kill()
		a.dark = append(a.dark, p)
		return nil
	}},
	{name: "signal", often: 8, asPage: func(ctx context.Context, _ *actor, p *page) error { return p.say(ctx, "x") }},
	{name: "ping", often: 4, asPage: func(ctx context.Context, _ *actor, p *page) error {
		_, err := p.request(ctx, "ping", map[string]any{"interval": 5000})
		return err
	}},
	{name: "publish", often: 6, asPage: func(ctx context.Context, a *actor, p *page) error {
		_, err := p.request(ctx, "publishVideo", map[string]any{
			"sdpOffer": a.camera, "doLoopback": false, "hasAudio": true, "hasVideo": true, "audioActive": true, "videoActive": true,
			"typeOfVideo": "CAMERA", "frameRate": 30, "videoDimensions": `{"width":640,"height":480}`,
		})
		return err
	}},
	{name: "unpublish", often: 2, asPage: func(ctx context.Context, _ *actor, p *page) error {
		_, err := p.request(ctx, "unpublishVideo", nil)
		return err
	}},
	{name: "watch", often: 8, asPage: func(ctx context.Context, a *actor, p *page) error {
		if p.seen == "" {
			return errNobody
		}
		_, err := p.request(ctx, "receiveVideoFrom", map[string]any{"sender": p.seen, "sdpOffer": a.screen})
		return err
	}},
	{name: "unwatch", often: 2, asPage: func(ctx context.Context, _ *actor, p *page) error {
		if p.seen == "" {
			return errNobody
		}
		_, err := p.request(ctx, "unsubscribeFromVideo", map[string]any{"sender": p.seen})
		return err
	}},
	{name: "signal by REST", often: 4, inRoom: func(ctx context.Context, a *actor, room string) error {
		_, err := a.server.api(ctx, "POST", "/signal", fmt.Sprintf(`{"session":%q,"type":"y","data":"d"}`, room), nil)
		return err
	}},
	{name: "unpublish by REST", often: 2, asPage: func(ctx context.Context, a *actor, p *page) error {
		if p.seen == "" {
			return errNobody
		}
		_, err := a.server.api(ctx, "DELETE", "/sessions/"+p.session+"/stream/"+p.seen, "", nil)
		return err
	}},
	{name: "put out by REST", often: 2, asPage: func(ctx context.Context, a *actor, p *page) error {
		_, err := a.server.api(ctx, "DELETE", "/sessions/"+p.session+"/connection/"+p.name, "", nil)
		return err
	}},
	{name: "close by REST", often: 1, inRoom: func(ctx context.Context, a *actor, room string) error {
		_, err := a.server.api(ctx, "DELETE", "/sessions/"+room, "", nil)
		return err
	}},
}

var errNobody = errors.New("nobody is there to do it")

// act does one step.
func (a *actor) act(ctx context.Context) error {
	all := 0
	for _, s := range steps {
		all += s.often
	}
	pick, i := a.chance.IntN(all), 0
	for ; pick >= steps[i].often; i++ {
		pick -= steps[i].often
	}
	s := steps[i]
	var p *page
	err := errNobody
	switch {
	case s.inRoom != nil:
		err = s.inRoom(ctx, a, fmt.Sprint("room", a.chance.IntN(rooms)))
	case len(a.pages) > 0:
		p = a.pages[a.chance.IntN(len(a.pages))]
		err = s.asPage(ctx, a, p)
	}
	if err == nil {
		a.did[s.name]++
		return nil
	}
	if err = a.excuse(ctx, p, err); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// excuses are failures that others cause meanwhile: the room is closed (400 where it is above another id in the path, as
// the original has it), the page put out, the stream ended.
var excuses = []int{http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, 102, 105, 106, 202, 203, 303, 401}

// excuse returns nil for a failure that may be. A page whose socket has ended, or who is unknown, must not sit there still.
func (a *actor) excuse(ctx context.Context, p *page, err error) error {
	var rest *refused
	var rpc *fault
	switch {
	case errors.Is(err, errNobody):
		return nil
	case errors.As(err, &rest):
		a.did[fmt.Sprint(rest.status)]++
		if slices.Contains(excuses, rest.status) {
			return nil
		}
		return err
	case errors.As(err, &rpc):
		a.did[fmt.Sprint(rpc.Code)]++
		if slices.Contains(excuses, rpc.Code) {
			return nil
		}
	}
	if p == nil {
		return err
	}
	var shown struct{ Status string }
	_, missing := a.server.api(ctx, "GET", "/sessions/"+p.session+"/connection/"+p.name, "", &shown)
	if errors.As(missing, &rest) && slices.Contains(excuses, rest.status) {
		a.drop(p)
		p.kill()
		return nil
	}
	return fmt.Errorf("%w, and %s is %q (%w)", err, p.name, shown.Status, missing)
}

func (a *actor) drop(p *page) {
	a.pages = slices.DeleteFunc(a.pages, func(other *page) bool { return other == p })
}

// forget gives up those that are cut off: they never come back.
func (a *actor) forget() { a.dark = nil }

// join comes to a room, which is made if it is not there.
func join(ctx context.Context, a *actor, room string) error {
	if len(a.pages) >= atMost {
		return errNobody
	}
	status, err := a.server.api(ctx, "POST", "/sessions", fmt.Sprintf(`{"customSessionId":%q}`, room), nil)
	if err != nil && status != http.StatusConflict {
		return err
	}
	p, err := a.server.admit(ctx, room)
	if err == nil {
		a.pages = append(a.pages, p)
	}
	return err
}

// resume brings back one that was cut off.
func resume(ctx context.Context, a *actor, _ string) error {
	if len(a.dark) == 0 {
		return errNobody
	}
	p := a.dark[0]
	a.dark = a.dark[1:]
	err := p.resume(ctx)
	if err == nil {
		a.pages = append(a.pages, p)
		return nil
	}
	return a.excuse(ctx, p, err)
}
