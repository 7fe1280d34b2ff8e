package app

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"math"
	"net/netip"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/wire/openvidu"
)

// mediaNode is this process as a media node: what REST shows of it.
type mediaNode struct {
	id      string
	uri     string
	server  string // OPENVIDU_ENTERPRISE_MEDIA_SERVER
	address func() netip.Addr
	started int64         // Unix milliseconds
	load    atomic.Uint64 // bits of a float64: percent of its processors
}

func newMediaNode(c config.Config, port int, certificate []byte, address func() netip.Addr) *mediaNode {
	server := c.MediaServer
	if server == "" {
		server = "kurento" // what clients that do not tell their release are told
	}
	return &mediaNode{
		id: mediaNodeID(certificate), uri: c.PublicURL(port), server: server, address: address, started: time.Now().UnixMilli(),
	}
}

// mediaNodeID is the same as long as the data folder is: "media_", a letter and seven letters or digits.
func mediaNodeID(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	text := strings.TrimLeft(base32.StdEncoding.EncodeToString(sum[:]), "234567")
	return "media_" + (text + "AAAAAAAA")[:8]
}

// loadEvery is the time the load is the average of.
const loadEvery = 5 * time.Second

// Run measures the load until ctx ends.
func (n *mediaNode) Run(ctx context.Context) error {
	ticker := time.NewTicker(loadEvery)
	defer ticker.Stop()
	at, spent := time.Now(), processorTime()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			now, total := time.Now(), processorTime()
			n.load.Store(math.Float64bits(share(total-spent, now.Sub(at), runtime.GOMAXPROCS(0))))
			at, spent = now, total
		}
	}
}

// percent of its processors that this process uses.
func (n *mediaNode) percent() float64 { return math.Float64frombits(n.load.Load()) }

// share is processor time as percent of what so many processors have in a time.
func share(spent, passed time.Duration, processors int) float64 {
	if passed <= 0 || spent <= 0 {
		return 0
	}
	percent := 100 * spent.Seconds() / passed.Seconds() / float64(processors)
	return min(100, math.Round(percent*100)/100)
}

// processorTime is what this process has used so far, in all its threads.
func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// ip is the address a media node is shown with: a public one, or else one of an interface.
func (r *reached) ip() netip.Addr {
	for _, public := range r.public() {
		return public
	}
	return r.own().Addr()
}

// list is REST's Nodes: one.
func (n *mediaNode) list() []openvidu.RESTMediaNode {
	shown := openvidu.RESTMediaNode{
		ID: n.id, Object: "mediaNode", URI: &n.uri, LaunchingTime: n.started, Connected: true, ConnectionTime: n.started,
		Load: n.percent(), Status: "running", MediaServer: n.server,
	}
	ip := n.address().String()
	shown.IP = &ip
	shown.KurentoInfo = &openvidu.RESTKurento{Memory: memoryUsed() / 1024, Version: openvidu.RESTVersion, Modules: []openvidu.RESTKurentoModule{}}
	return []openvidu.RESTMediaNode{shown}
}

// memoryUsed is how many bytes Go holds of the system's memory. Reading them stops nobody, as runtime.ReadMemStats does:
// everybody may ask /readyz, as often as they like.
func memoryUsed() int64 {
	read := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(read)
	return int64(read[0].Value.Uint64() - read[1].Value.Uint64()) //nolint:gosec // far from 2^63
}
