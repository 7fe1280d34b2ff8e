package elastic

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

// Config is OPENVIDU_PRO_ELASTICSEARCH….
type Config struct {
	URL                string // "": nothing is exported
	Username, Password string // stronger than those of the URL
	ClusterID          string
	MaxDays            int      // that documents are kept; 0: for ever
	Secrets            []string // texts that are taken out of log lines
}

// Options are what stays as it is. Zeros are defaults.
type Options struct {
	Master, Node string        // ids of this process: master_…, media_…
	Timeout      time.Duration // of one request; 10 s
	Pause        time.Duration // to collect a batch, and the first after a failure, which doubles; 1 s
	Longest      time.Duration // pause; 30 s
	Clean        time.Duration // between two looks for what is too old; 24 h
	Log          *slog.Logger  // must not be one that [Tee] made; nil discards
}

// target is a Config that can be used.
type target struct {
	Config
	base   string // without credentials and slash at the end
	where  string // for people: scheme and host
	secret *strings.Replacer
}

// Exporter makes documents of what happens, and sends them. Its methods may be called from any goroutine and wait for
// nobody; Run is called once.
type Exporter struct {
	*sender
	summaries summaries
	began     int64 // makes the ids of documents those of this process
	number    atomic.Uint64
}

// New makes an exporter that is off.
func New(o Options) *Exporter {
	for _, d := range []struct {
		is *time.Duration
		to time.Duration
	}{{&o.Timeout, 10 * time.Second}, {&o.Pause, time.Second}, {&o.Longest, 30 * time.Second}, {&o.Clean, 24 * time.Hour}} {
		if *d.is == 0 {
			*d.is = d.to
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Exporter{sender: newSender(o), began: time.Now().UnixMilli(), summaries: summaries{open: map[call]*gathered{}}}
}

// Adopt takes other settings from the next request on, or refuses them with fault.Invalid and goes on as before. It asks
// nobody whether they are right.
func (e *Exporter) Adopt(c Config) error {
	if c.URL == "" {
		e.target.Store(nil)
		e.queue.forget()
		e.summaries.forget()
		e.outcome("", false)
		e.wake()
		return nil
	}
	t, err := newTarget(c)
	if err != nil {
		return err
	}
	e.target.Store(t)
	e.wake()
	return nil
}

// newTarget reads a URL: with or without port, path, slash at the end and credentials.
func newTarget(c Config) (*target, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.New(fault.Invalid, "OPENVIDU_PRO_ELASTICSEARCH_HOST cannot be used → give a URL such as https://elastic.example.com:9200")
	}
	if u.User != nil && c.Username == "" {
		c.Username = u.User.Username()
		c.Password, _ = u.User.Password()
	}
	t := &target{Config: c, where: u.Scheme + "://" + u.Host}
	u.User, u.RawQuery, u.Fragment, u.RawPath = nil, "", "", ""
	u.Path = strings.TrimRight(u.Path, "/")
	t.base = u.String()
	var pairs []string
	for _, s := range append([]string{c.Password}, c.Secrets...) {
		if len(s) >= 4 { // a shorter one would make holes everywhere
			pairs = append(pairs, s, "(hidden)")
		}
	}
	t.secret = strings.NewReplacer(pairs...)
	return t, nil
}

// On reports whether anything is exported now.
func (e *Exporter) On() bool { return e.target.Load() != nil }

// head begins a document of the index openvidu.
func (e *Exporter) head(t *target, kind string, at int64) openvidu.ElasticHead {
	return openvidu.ElasticHead{Type: kind, Timestamp: at, ClusterID: t.ClusterID, MasterNodeID: e.options.Master, MediaNodeID: e.options.Node}
}

// beat begins a document of metrics or logs.
func (e *Exporter) beat(t *target, at time.Time) openvidu.ElasticBeat {
	return openvidu.ElasticBeat{
		Timestamp: at.UTC().Format("2006-01-02T15:04:05.000Z"), ClusterID: t.ClusterID,
		NodeRole: "masternode", NodeID: e.options.Master, MasterNodeID: e.options.Master,
	}
}

// add queues a document.
func (e *Exporter) add(index string, shape any) {
	text, err := json.Marshal(shape)
	if err != nil { // shapes hold texts and numbers
		e.options.Log.Error("a document for Elasticsearch cannot be written", "index", index, "error", err)
		return
	}
	e.queue.put(document{index: index, id: fmt.Sprintf("%s-%x-%x", e.options.Master, e.began, e.number.Add(1)), text: text})
}

func dated(index string, at time.Time) string { return index + at.UTC().Format("2006.01.02") }
