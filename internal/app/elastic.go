package app

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"tertulia/internal/api/rest"
	"tertulia/internal/config"
	"tertulia/internal/diagnosis"
	"tertulia/internal/event"
	"tertulia/internal/event/elastic"
	"tertulia/internal/event/record"
	"tertulia/internal/metrics"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// export is what Elasticsearch is sent. Its fields but the first two are set before it runs.
type export struct {
	to  *elastic.Exporter
	now atomic.Pointer[config.Config] // its intervals

	sessions *session.Registry
	facts    func(ctx context.Context, session, endpoint string) ([]mediactl.Facts, error)
	traffic  *traffic
	node     *mediaNode
}

// newExport starts what sends. It is stopped after everything that has something to tell.
func newExport(c config.Config, certificate []byte, log *slog.Logger, running *parts) (*export, error) {
	media := mediaNodeID(certificate)
	x := &export{to: elastic.New(elastic.Options{Master: "master_" + strings.TrimPrefix(media, "media_"), Node: media, Log: log})}
	if err := x.adopt(c); err != nil {
		return nil, err
	}
	running.start("Elasticsearch", x.to.Run)
	return x, nil
}

// adopt takes other settings, or none of them.
func (x *export) adopt(c config.Config) error {
	err := x.to.Adopt(elasticConfig(c))
	if err == nil {
		x.now.Store(&c)
	}
	return err
}

func elasticConfig(c config.Config) elastic.Config {
	return elastic.Config{
		URL: c.Elastic.URL, Username: c.Elastic.Username, Password: c.Elastic.Password, ClusterID: c.Elastic.ClusterID,
		MaxDays: c.Elastic.MaxDays, Secrets: c.Secrets(),
	}
}

// event is events.also.
func (x *export) event(e event.Event, r record.Record, told bool) {
	if !told {
		r.Text = nil
	}
	x.to.Event(e, r.Text)
}

// hear has the lines of clients exported as well.
func (x *export) hear(d rest.Diagnosis) rest.Diagnosis { return &heardLines{d, x.to} }

type timelines rest.Diagnosis

type heardLines struct {
	timelines
	to *elastic.Exporter
}

// ClientLines implements rest.Diagnosis.
func (h *heardLines) ClientLines(session, connection string, lines []diagnosis.ClientLine, received int64) {
	h.timelines.ClientLines(session, connection, lines, received)
	for _, l := range lines {
		h.to.ClientLine(time.UnixMilli(received), session, connection, l.Level, l.Text)
	}
}

// Run exports metrics until ctx ends.
func (x *export) Run(ctx context.Context) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var last struct{ session, server, webrtc time.Time }
	due := func(last *time.Time, now time.Time, every int) bool {
		if every <= 0 || now.Sub(*last) < time.Duration(every)*time.Second-100*time.Millisecond {
			return false
		}
		*last = now
		return true
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			if !x.to.On() {
				continue
			}
			c := x.now.Load()
			sessions, server, webrtc := due(&last.session, now, c.Elastic.SessionInterval), due(&last.server, now, c.Elastic.ServerInterval), due(&last.webrtc, now, c.StatsInterval)
			if sessions || server || webrtc {
				x.measure(ctx, now, sessions, server, webrtc)
			}
		}
	}
}

// measure exports what is asked for.
func (x *export) measure(ctx context.Context, now time.Time, sessions, server, webrtc bool) {
	var all openvidu.ElasticServerMetrics
	for _, s := range x.sessions.List() {
		call := elastic.Call{ID: s.ID, Began: s.CreatedAt}
		doc := openvidu.ElasticSessionMetrics{Duration: (now.UnixMilli() - s.CreatedAt) / 1000}
		users := map[string]*session.Connection{} // by endpoint
		for _, c := range s.Connections {
			if c.ActiveAt != 0 {
				doc.Connections++
			}
			if c.Stream != nil {
				doc.Publishers++
				users[c.ID] = c
			}
			for _, sub := range c.Subscriptions {
				doc.Subscribers++
				users[c.ID+"_"+sub.Stream] = c
			}
		}
		all.Sessions++
		all.Connections, all.Publishers, all.Subscribers = all.Connections+doc.Connections, all.Publishers+doc.Publishers, all.Subscribers+doc.Subscribers
		if sessions {
			x.to.Session(now, call, doc)
		}
		if webrtc && len(users) > 0 {
			x.tracks(ctx, now, call, users)
		}
	}
	if server {
		x.server(now, all)
	}
}

// tracks exports the endpoints of a session.
func (x *export) tracks(ctx context.Context, now time.Time, call elastic.Call, users map[string]*session.Connection) {
	ctx, cancel := context.WithTimeout(ctx, judgeWithin)
	defer cancel()
	facts, err := x.facts(ctx, call.ID, "")
	if err != nil {
		return // a node that does not answer has worse to tell
	}
	for _, f := range facts {
		c := users[f.Endpoint]
		if c == nil || c.Recorder {
			continue
		}
		for _, track := range f.Tracks {
			x.to.Track(now, call, c.FinalUserID, c.ID, f.Endpoint, track)
		}
	}
}

func (x *export) server(now time.Time, all openvidu.ElasticServerMetrics) {
	var own runtime.MemStats
	runtime.ReadMemStats(&own)
	all.CPU, all.Memory = x.node.percent(), own.Sys-own.HeapReleased
	all.MemoryTotal, all.MemoryFree = memory()
	all.NetworkIn, all.NetworkOut = x.traffic.bytesIn.Load(), x.traffic.bytesOut.Load()
	x.to.Server(now, all)
}

// memory is that of the machine in bytes, all and what is free; 0 where the system does not tell.
func memory() (total, free uint64) {
	text, _ := os.ReadFile("/proc/meminfo")
	for line := range bytes.Lines(text) {
		var name string
		var kB uint64
		if _, err := fmt.Sscan(string(line), &name, &kB); err != nil {
			continue
		}
		switch name {
		case "MemTotal:":
			total = kB << 10
		case "MemAvailable:":
			free = kB << 10
		}
	}
	return total, free
}

// checks are what health says of Elasticsearch, if it is on.
func (x *export) checks() []openvidu.RESTCheck {
	where, trouble, asked := x.to.Check()
	check := openvidu.RESTCheck{Name: "elasticsearch", OK: trouble == "", Bearable: true}
	switch {
	case where == "":
		return nil
	case !asked:
		check.Text = where + " was not asked yet"
	case trouble == "":
		check.Text = where + " takes documents"
	default:
		check.Code, check.Text = "ELASTICSEARCH_UNREACHABLE", where+": "+trouble
		check.Fix = "Start Elasticsearch there, or correct OPENVIDU_PRO_ELASTICSEARCH_HOST, ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD. Calls go on meanwhile; documents are lost when too many wait."
	}
	return []openvidu.RESTCheck{check}
}

func (x *export) samples() []metrics.Sample {
	const docs, docsHelp = "tertulia_elasticsearch_documents_total", "Documents for Elasticsearch, by what became of them: sent, refused by it, or dropped because too many waited."
	s := x.to.Stats()
	up := 0.0
	if _, trouble, asked := x.to.Check(); asked && trouble == "" {
		up = 1
	}
	return []metrics.Sample{
		by("outcome", "sent", docs, docsHelp, s.Sent),
		by("outcome", "refused", docs, docsHelp, s.Refused),
		by("outcome", "dropped", docs, docsHelp, s.Dropped),
		{Name: "tertulia_elasticsearch_requests_failed_total", Help: "Requests Elasticsearch has not answered, or with a failure.", Number: float64(s.Failed)},
		{Name: "tertulia_elasticsearch_waiting", Help: "Documents that wait for Elasticsearch.", Number: float64(s.Waiting)},
		{Name: "tertulia_elasticsearch_up", Help: "1 if Elasticsearch took the latest request, else 0; 0 also if it is off.", Number: up},
	}
}
