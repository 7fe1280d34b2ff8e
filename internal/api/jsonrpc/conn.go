package jsonrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Socket is a connection that keeps the boundaries of messages. Read and Write run side by side, each in one goroutine;
// Close makes both return.
type Socket interface {
	// Read returns the next message; its size is limited by the socket. The end of the context cuts the connection.
	Read(context.Context) ([]byte, error)
	Write(context.Context, []byte) error
	Close(code int, reason string) error
}

// Config bounds a Conn; zero values mean the defaults named.
type Config struct {
	Queue        int           // messages waiting to be written: 64
	MaxDepth     int           // nesting of a frame: DefaultMaxDepth
	WriteTimeout time.Duration // a client that takes longer to read one message is given up: 10 s
	CloseTimeout time.Duration // a client that does not answer the goodbye is cut off: 1 s
}

// Closing is why a Conn ended, if one side decided it: Run sends code and reason to the other side.
type Closing struct {
	Code   int
	Reason string
}

func (c *Closing) Error() string { return fmt.Sprintf("closed: %d %s", c.Code, c.Reason) }

// The close codes used here (RFC 6455 §7.4.1).
const (
	StatusNormal    = 1000
	StatusGoingAway = 1001
)

// errEnded is what sending on a Conn that has ended returns.
var errEnded = errors.New("jsonrpc: the connection has ended")

// Conn is one JSON-RPC connection. Its sending methods may be used from any goroutine; they wait while the queue is
// full and fail once the Conn has ended.
type Conn struct {
	socket Socket
	cfg    Config
	queue  chan frame
	ended  chan struct{}
}

// frame is an encoded message, or the request to close once all before it is written.
type frame struct {
	text  []byte
	close *Closing
}

// New makes a Conn; Run starts it.
func New(socket Socket, cfg Config) *Conn {
	if cfg.Queue == 0 {
		cfg.Queue = 64
	}
	if cfg.MaxDepth == 0 {
		cfg.MaxDepth = DefaultMaxDepth
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = 10 * time.Second
	}
	if cfg.CloseTimeout == 0 {
		cfg.CloseTimeout = time.Second
	}
	return &Conn{socket: socket, cfg: cfg, queue: make(chan frame, cfg.Queue), ended: make(chan struct{})}
}

// Run reads and writes until the socket fails, Close is called or ctx ends, then closes the socket and returns why. A
// *[Closing] as the cause of ctx gives the close code; without one it is 1001. serve gets every well-formed message, in
// order, in one goroutine, and its time is the reader's; malformed ones are answered here.
func (c *Conn) Run(ctx context.Context, serve func(context.Context, Message)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// The end of ctx does not cut the socket: Close says goodbye first.
	io, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var wg sync.WaitGroup
	wg.Go(func() { stop(c.read(ctx, io, serve)) })
	wg.Go(func() { stop(c.write(ctx, io)) })
	<-ctx.Done()
	close(c.ended)
	cause := context.Cause(ctx)
	code, reason := StatusGoingAway, ""
	if end, ok := errors.AsType[*Closing](cause); ok {
		code, reason = end.Code, end.Reason
	}
	patience := time.AfterFunc(c.cfg.CloseTimeout, cut)
	c.socket.Close(code, reason) // its error says only that the peer was faster
	patience.Stop()
	wg.Wait()
	return cause
}

func (c *Conn) read(ctx, io context.Context, serve func(context.Context, Message)) error {
	for {
		text, err := c.socket.Read(io)
		if err != nil {
			return err
		}
		m, bad := Parse(text, c.cfg.MaxDepth)
		if bad == nil {
			serve(ctx, m)
		} else if err := c.Fail(m.ID, bad); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

func (c *Conn) write(ctx, io context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case f := <-c.queue:
			if f.close != nil {
				return f.close
			}
			limited, cancel := context.WithTimeout(io, c.cfg.WriteTimeout)
			err := c.socket.Write(limited, f.text)
			cancel()
			if err != nil {
				return err
			}
		}
	}
}

// Reply answers a request; result must not encode to null, which clients do not take for an answer.
func (c *Conn) Reply(id json.RawMessage, result any) error {
	return c.send(struct {
		ID      json.RawMessage `json:"id"`
		Result  any             `json:"result"`
		Version string          `json:"jsonrpc"`
	}{id, result, "2.0"})
}

// Fail answers a request with an error; with a nil id the error goes to nobody in particular (id null).
func (c *Conn) Fail(id json.RawMessage, e *Error) error {
	return c.send(struct {
		ID      json.RawMessage `json:"id"`
		Error   *Error          `json:"error"`
		Version string          `json:"jsonrpc"`
	}{id, e, "2.0"})
}

// Notify sends a message that is not answered.
func (c *Conn) Notify(method string, params any) error {
	return c.send(struct {
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
		Version string `json:"jsonrpc"`
	}{method, params, "2.0"})
}

// Ask sends a request; the response, if one comes, is a message like any other.
func (c *Conn) Ask(id int64, method string) error {
	return c.send(struct {
		ID      int64  `json:"id"`
		Method  string `json:"method"`
		Version string `json:"jsonrpc"`
	}{id, method, "2.0"})
}

// Close ends the Conn once everything sent before is written.
func (c *Conn) Close(code int, reason string) {
	_ = c.put(frame{close: &Closing{Code: code, Reason: reason}}) // fails when it is closed already
}

func (c *Conn) send(message any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(message); err != nil {
		return fmt.Errorf("jsonrpc: %w", err)
	}
	return c.put(frame{text: bytes.TrimRight(text.Bytes(), "\n")})
}

func (c *Conn) put(f frame) error {
	select {
	case <-c.ended: // first: the select below may take either
		return errEnded
	default:
	}
	select {
	case c.queue <- f:
		return nil
	case <-c.ended:
		return errEnded
	}
}
