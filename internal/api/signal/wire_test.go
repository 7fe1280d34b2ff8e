package signal

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"

	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
)

// wire is a socket whose client is the test.
type wire struct {
	in     chan string
	closed chan struct{}
	gone   chan struct{} // the client has vanished: reads fail
	once   sync.Once

	mu     sync.Mutex
	out    []string
	code   int
	reason string
}

func newWire() *wire {
	return &wire{in: make(chan string), closed: make(chan struct{}), gone: make(chan struct{})}
}

func (w *wire) Read(ctx context.Context) ([]byte, error) {
	select {
	case s := <-w.in:
		return []byte(s), nil
	case <-w.gone:
	case <-w.closed:
	case <-ctx.Done():
	}
	return nil, io.EOF
}

func (w *wire) Write(_ context.Context, text []byte) error {
	select {
	case <-w.gone:
		return io.ErrClosedPipe
	default:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = append(w.out, string(text))
	return nil
}

func (w *wire) Close(code int, reason string) error {
	w.once.Do(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.code, w.reason = code, reason
		close(w.closed)
	})
	return nil
}

// taken returns what the server has written since the last call.
func (w *wire) taken() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.out
	w.out = nil
	return out
}

// say sends a frame; it is lost if the socket is closed.
func (w *wire) say(frame string) {
	select {
	case w.in <- frame:
	case <-w.closed:
	}
}

// connect opens a wire to the server, as a client that asks for path.
func connect(s *Server, path string, running *sync.WaitGroup) *wire {
	w := newWire()
	from := s.identify(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	running.Go(func() {
		if s.enter(from) {
			defer s.exit(from)
			s.serve(context.Background(), w, from)
		}
	})
	return w
}

// echoNode is a media node that answers with what it was asked.
type echoNode struct{}

func (echoNode) Publish(_ context.Context, p mediactl.Publish) (mediactl.Description, error) {
	return mediactl.Description{SDP: "answer to " + p.Offer + " of " + p.Endpoint, Candidates: []mediactl.Candidate{
		{Candidate: "candidate:1 1 udp 1 192.0.2.1 4443 typ host", SDPMid: "0"},
	}}, nil
}

func (echoNode) Subscribe(_ context.Context, s mediactl.Subscribe) (mediactl.Description, error) {
	if s.Offer == "" {
		return mediactl.Description{SDP: "offer of " + s.Source}, nil
	}
	return mediactl.Description{SDP: "answer to " + s.Offer + " from " + s.Source}, nil
}

func (echoNode) Answer(context.Context, mediactl.Answer) error                   { return nil }
func (echoNode) Trickle(context.Context, mediactl.Trickle) error                 { return nil }
func (echoNode) Release(context.Context, mediactl.Release) error                 { return nil }
func (echoNode) Stats(context.Context, string) ([]mediactl.EndpointStats, error) { return nil, nil }

type turnServer struct{}

func (turnServer) TURN(_, _, _ string) []session.ICEServer {
	return []session.ICEServer{{URL: "turns:turn.example:4443?transport=tcp", Username: "user", Credential: "c0ffee"}}
}

func quiet(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}
