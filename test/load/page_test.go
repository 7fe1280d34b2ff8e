package load_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"
)

var insecure = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: side * 4}

// refused is an answer of REST that is no success.
type refused struct {
	status int
	text   string
}

func (r *refused) Error() string { return fmt.Sprintf("%d %s", r.status, r.text) }

// api makes a REST call and takes the answer, if there is one; a refusal is a *refused.
func (s *server) api(ctx context.Context, method, path, body string, answer any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, method, s.url+"/openvidu/api"+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.SetBasicAuth("OPENVIDUAPP", secret)
	request.Header.Set("Content-Type", "application/json")
	response, err := s.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
	case response.StatusCode >= 300:
		err = &refused{response.StatusCode, string(text)}
	case len(bytes.TrimSpace(text)) > 0 && answer != nil:
		err = json.Unmarshal(text, answer)
	}
	if err != nil {
		return response.StatusCode, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return response.StatusCode, nil
}

// page is a client that signals: a websocket that speaks JSON-RPC. One goroutine at a time uses it.
type page struct {
	server    *server
	socket    *websocket.Conn
	session   string
	name, rpc string // connection id and RPC session id, once it has joined
	id        int    // of the latest request
	seen      string // stream of another, the latest
	heard     bool   // the latest signal was its own name
}

// admit makes a connection by REST and joins with its token.
func (s *server) admit(ctx context.Context, session string) (*page, error) {
	token, err := s.token(ctx, session)
	if err != nil {
		return nil, err
	}
	p, err := s.dial(ctx, session)
	if err != nil {
		return nil, err
	}
	if err := p.join(ctx, token); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

func (s *server) token(ctx context.Context, session string) (string, error) {
	var made struct{ Token string }
	_, err := s.api(ctx, "POST", "/sessions/"+session+"/connection", "{}", &made)
	return made.Token, err
}

// dialled counts sockets, for their addresses.
var dialled atomic.Uint32

// dial opens a socket; each comes from the next of 200 addresses, as the port has a limit for one.
func (s *server) dial(ctx context.Context, session string) (*page, error) {
	p := &page{server: s, session: session}
	return p, p.open(ctx, "")
}

func (p *page) open(ctx context.Context, more string) error {
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+dialled.Add(1)%200))}}
	alone := &http.Transport{TLSClientConfig: insecure.TLSClientConfig, DialContext: from.DialContext} // a connection of its own, as every client has
	defer alone.CloseIdleConnections()
	url := "wss" + strings.TrimPrefix(p.server.url, "https") + "/openvidu?sessionId=" + p.session + more
	socket, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: alone}})
	if err != nil {
		return err
	}
	socket.SetReadLimit(1 << 20)
	p.socket = socket
	return nil
}

// join joins with a token.
func (p *page) join(ctx context.Context, token string) error {
	joined, err := p.request(ctx, "joinRoom", map[string]any{
		"token": token, "session": p.session, "platform": "Chrome", "sdkVersion": "2.32.2", "metadata": "", "secret": "", "recorder": false,
	})
	if err == nil {
		p.name, _ = joined["id"].(string)
		p.rpc, _ = joined["sessionId"].(string)
	}
	return err
}

// kill ends the socket without a word.
func (p *page) kill() {
	if p != nil && p.socket != nil {
		_ = p.socket.CloseNow()
	}
}

// resume takes the connection up again on a new socket, as clients do within the grace time.
func (p *page) resume(ctx context.Context) error {
	p.kill()
	if err := p.open(ctx, "&reconnect=true"); err != nil {
		return err
	}
	_, err := p.request(ctx, "connect", map[string]any{"sessionId": p.rpc, "reconnect": true})
	return err
}

// publishAgain makes the stream anew that a page had, as clients do that are back and have lost their media.
func (p *page) publishAgain(ctx context.Context, camera string) error {
	var shown struct{ Publishers []struct{ StreamID string } }
	if _, err := p.server.api(ctx, "GET", "/sessions/"+p.session+"/connection/"+p.name, "", &shown); err != nil || len(shown.Publishers) == 0 {
		return err
	}
	_, err := p.request(ctx, "reconnectStream", map[string]any{"stream": shown.Publishers[0].StreamID, "sdpString": camera})
	return err
}

// leave says goodbye and closes the socket as clients do.
func (p *page) leave(ctx context.Context) error {
	defer p.kill()
	_, err := p.request(ctx, "leaveRoom", nil)
	return err
}

// fault is an answer that is an error.
type fault struct {
	method  string
	Code    int
	Message string
}

func (f *fault) Error() string { return fmt.Sprintf("%s: %d %s", f.method, f.Code, f.Message) }

// request sends a request and returns its result; a refusal is a *fault.
func (p *page) request(ctx context.Context, method string, params map[string]any) (map[string]any, error) {
	p.id++
	if err := p.send(ctx, map[string]any{"jsonrpc": "2.0", "id": p.id, "method": method, "params": params}); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	for {
		m, err := p.next(ctx)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", method, err)
		case m.Method != "" || m.ID == nil || *m.ID != p.id:
		case m.Error != nil:
			m.Error.method = method
			return nil, m.Error
		default:
			return m.Result, nil
		}
	}
}

func (p *page) send(ctx context.Context, message map[string]any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	return p.socket.Write(ctx, websocket.MessageText, text)
}

// message is what a page reads.
type message struct {
	ID     *int
	Method string
	Params struct {
		Data, ConnectionID string
		Streams            []struct{ ID string }
	}
	Result map[string]any
	Error  *fault
}

var errEvicted = errors.New("was put out")

// next reads a message; pulls are answered as the client's library does.
func (p *page) next(ctx context.Context) (message, error) {
	var m message
	_, text, err := p.socket.Read(ctx)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s: %w", text, err)
	}
	switch m.Method {
	case "pull":
		err = p.send(ctx, map[string]any{"jsonrpc": "2.0", "id": *m.ID, "result": "push"})
	case "sendMessage":
		p.heard = m.Params.Data == p.name
	case "participantEvicted": // a request that is under way then is not answered
		if m.Params.ConnectionID == p.name {
			err = errEvicted
		}
	case "participantPublished":
		p.seen = m.Params.Streams[0].ID
	}
	return m, err
}

// sideBySide calls do with the numbers below n, a few at a time, and returns what failed.
func sideBySide(n int, do func(i int) error) error {
	var next atomic.Int64
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	for range side * 2 {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					mu.Lock()
					failed = append(failed, err)
					n := len(failed)
					mu.Unlock()
					if n >= 10 {
						return
					}
				}
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}
