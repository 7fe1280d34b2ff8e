package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	api = "/openvidu/api"
	// maxAnswer bounds an answer: 1,000 connections with statistics are a few megabytes.
	maxAnswer = 64 << 20
	// answerTime is how long a call may take if its context has no deadline.
	answerTime = 30 * time.Second
)

// Client makes the calls. It may be used from many goroutines.
type Client struct {
	base   string // URL without a slash at its end
	secret string
	http   *http.Client
}

// Option changes how a [Client] works.
type Option func(*Client)

// HTTP has calls made by another http.Client: with a proxy, with a certificate authority of yours, or with none checked
// where the server's certificate is self-signed.
func HTTP(c *http.Client) Option { return func(own *Client) { own.http = c } }

// New makes a client of the server at an address such as "https://calls.example.com:4443". The secret is OPENVIDU_SECRET,
// or a key of API_KEYS.
func New(address, secret string, options ...Option) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("address %q is not https://HOST[:PORT]", address)
	}
	c := &Client{base: strings.TrimRight(u.Scheme+"://"+u.Host+u.Path, "/"), secret: secret, http: &http.Client{}}
	for _, o := range options {
		o(c)
	}
	return c, nil
}

// call sends a request with a JSON body, unless that is nil, and decodes the answer into result, unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, body, result any) error {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, answerTime)
		defer cancel()
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+api+path, content)
	if err != nil {
		return err
	}
	request.SetBasicAuth("OPENVIDUAPP", c.secret)
	request.Header.Set("Content-Type", "application/json")
	answer, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it has been read, or is given up
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("%s %s: %w", method, path, err)
	case answer.StatusCode/100 != 2:
		return refusal(method, path, answer.StatusCode, text)
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(text, result); err != nil {
		return fmt.Errorf("%s %s: the answer cannot be read: %w", method, path, err)
	}
	return nil
}

// at makes a path of names, which may hold anything.
func at(names ...string) string {
	var path strings.Builder
	for _, name := range names {
		path.WriteString("/" + url.PathEscape(name))
	}
	return path.String()
}

// list is how the API answers with several.
type list[T any] struct {
	Content []T `json:"content"`
}

// moment reads Unix milliseconds, of which 0 and null are the zero time.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(text []byte) error {
	var ms *int64
	if err := json.Unmarshal(text, &ms); err != nil {
		return err
	}
	if ms != nil && *ms != 0 {
		m.Time = time.UnixMilli(*ms)
	}
	return nil
}
