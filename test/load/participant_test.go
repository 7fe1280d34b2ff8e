package load_test

import (
	"context"
	"testing"

	"tertulia/internal/testkit"
)

// rest makes a REST call and returns a field of the answer.
func (s *server) rest(t *testing.T, method, path, body, field string) string {
	t.Helper()
	answer := map[string]any{}
	s.read(t, method, path, body, &answer)
	value, _ := answer[field].(string)
	return value
}

// read makes a REST call and takes the answer, if there is one.
func (s *server) read(t *testing.T, method, path, body string, answer any) {
	t.Helper()
	if _, err := s.api(t.Context(), method, path, body, answer); err != nil {
		t.Fatal(err)
	}
}

// participant is a page whose every failure is the test's.
type participant struct {
	t *testing.T
	*page
}

// join makes a connection by REST and joins with its token.
func (s *server) join(ctx context.Context, t *testing.T, session string) *participant {
	t.Helper()
	p, err := s.admit(ctx, session)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return &participant{t, p}
}

// ask sends a request and returns its result, or fails the test.
func (p *participant) ask(ctx context.Context, method string, params map[string]any) map[string]any {
	p.t.Helper()
	result, err := p.request(ctx, method, params)
	if err != nil {
		p.t.Fatal(err)
	}
	return result
}

// offer offers a stream of a client and returns the server's answer.
func (p *participant) offer(ctx context.Context, camera *testkit.Client) map[string]any {
	return p.ask(ctx, "publishVideo", map[string]any{
		"sdpOffer": camera.PublishOffer(testkit.VP8), "doLoopback": false, "hasAudio": true, "hasVideo": true, "audioActive": true,
		"videoActive": true, "typeOfVideo": "CAMERA", "frameRate": 30, "videoDimensions": `{"width":640,"height":480}`,
	})
}

// text is a result's field that must be there.
func (p *participant) text(result map[string]any, field string) string {
	p.t.Helper()
	s, ok := result[field].(string)
	if !ok || s == "" {
		p.t.Fatalf("%s is %v in %v", field, result[field], result)
	}
	return s
}
