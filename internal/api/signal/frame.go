package signal

import (
	"context"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"tertulia/internal/api/jsonrpc"
)

// frames is a websocket as jsonrpc sees it. Clients send text; binary frames are read alike.
type frames struct{ ws *websocket.Conn }

func (f frames) Read(ctx context.Context) ([]byte, error) {
	_, text, err := f.ws.Read(ctx)
	return text, err
}

func (f frames) Write(ctx context.Context, text []byte) error {
	return f.ws.Write(ctx, websocket.MessageText, text)
}

func (f frames) Close(code int, reason string) error {
	return f.ws.Close(websocket.StatusCode(code), reason)
}

// paced is a socket whose client is read no faster than its rate, whatever it sends: requests, answers, or garbage
// that costs an error each.
type paced struct {
	jsonrpc.Socket
	rate *rate.Limiter
}

const bytesPerToken = 16 << 10 // above the first token

func (p paced) Read(ctx context.Context) ([]byte, error) {
	text, err := p.Socket.Read(ctx)
	if err != nil {
		return nil, err
	}
	return text, p.rate.WaitN(ctx, min(1+len(text)/bytesPerToken, p.rate.Burst()))
}
