package archtest

// floors says what each package may import of ours. Paths are relative to the module, without "internal/".
// A trailing "/*" stands for every package one level below; "everything" is the last floor's right.
// The first row that matches a package holds.
var floors = []floor{
	// 1: knows nothing of ours
	{pkg: "fault"},
	{pkg: "wire/*"},
	{pkg: "media/sdp"},
	{pkg: "api/jsonrpc"},
	{pkg: "cluster/placement"},
	{pkg: "cluster/natsd"},
	{pkg: "event"},
	{pkg: "web"},
	{pkg: "client"},
	{pkg: "archtest"},

	// 2: the packet path; a stage sees the stages before it
	{pkg: "media", may: mediaGround},
	{pkg: "media/codec", may: mediaRoot},
	{pkg: "media/seal", may: mediaRoot},
	{pkg: "media/congestion", may: mediaRoot},
	{pkg: "media/pace", may: mediaRoot},
	{pkg: "media/socket", may: mediaRoot},
	{pkg: "media/layer", may: mediaParts},
	{pkg: "media/receive", may: mediaParts},
	{pkg: "media/forward", may: mediaStages},
	{pkg: "media/plain", may: mediaAll},
	{pkg: "media/relay", may: mediaAll},
	{pkg: "media/peer", may: mediaAll},

	// 3: what touches disks, processes and the control network
	{pkg: "storage", may: []string{"fault"}},
	{pkg: "storage/*", may: []string{"storage", "fault"}},
	{pkg: "turn", may: []string{"media/socket", "fault"}},
	{pkg: "certs", may: []string{"fault"}},
	{pkg: "reach", may: []string{"fault"}},
	{pkg: "cluster/kv", may: []string{"fault"}},
	{pkg: "cluster/stream", may: []string{"fault"}},
	{pkg: "geo", may: []string{"fault"}},
	{pkg: "worker", may: []string{"wire/worker", "fault"}},
	{pkg: "worker/gst", may: []string{"worker", "wire/worker", "fault"}},
	{pkg: "config", may: []string{"fault"}},

	// 4: rules, the graph, the cluster, and who listens to events
	{pkg: "session", may: []string{"wire/mediactl", "event", "fault"}},
	{pkg: "session/storetest", may: []string{"session", "fault"}},
	{pkg: "recording", may: []string{"wire/mediactl", "event", "fault"}},
	{pkg: "pipeline", may: []string{"media", "media/*", "worker", "wire/mediactl", "fault"}},
	{pkg: "cluster", may: []string{"wire/mediactl", "event", "fault", "cluster/placement"}},
	{pkg: "cluster/rpc", may: []string{"cluster", "wire/mediactl", "event", "fault", "cluster/placement"}},
	{pkg: "cluster/autoscale", may: []string{"cluster", "wire/mediactl", "event", "fault", "cluster/placement"}},
	{pkg: "diagnosis", may: []string{"event", "wire/*", "fault"}},
	{pkg: "event/*", may: []string{"event", "wire/*", "fault"}},
	{pkg: "metrics", may: []string{"event", "wire/*", "fault"}},

	// 5: the media node and the edges
	{pkg: "node", may: []string{"pipeline", "wire/mediactl", "event", "fault"}},
	{pkg: "api/kurento", may: append([]string{"pipeline"}, edge...)},
	{pkg: "api/frontdoor", may: append([]string{"turn", "certs"}, edge...)},
	{pkg: "api/dashboard", may: append([]string{"web"}, edge...)},
	{pkg: "api/rest", may: edge},
	{pkg: "api/signal", may: edge},
	{pkg: "doctor", may: []string{"config", "certs", "turn", "reach", "diagnosis", "fault"}},
	{pkg: "bench/*", may: []string{"wire/*", "api/jsonrpc", "media", "media/*", "fault"}},
	{pkg: "bench", may: []string{"bench/*", "wire/*", "api/jsonrpc", "media", "media/*", "fault"}},
	{pkg: "testkit", may: []string{"wire/*", "api/jsonrpc", "media", "media/*"}},

	// 6: the composition root and the commands
	{pkg: "app", may: []string{everything}, never: []string{"testkit", "cmd/*"}},
	{pkg: "cmd/*", may: []string{everything}, never: []string{"testkit"}},
	{pkg: "test/*"}, // black box: its non-test files import nothing of ours
}

const everything = "*"

var (
	mediaGround = []string{"media/sdp", "fault"}
	mediaRoot   = append([]string{"media"}, mediaGround...)
	mediaParts  = append([]string{"media/codec", "media/seal", "media/congestion", "media/pace", "media/socket"}, mediaRoot...)
	mediaStages = append([]string{"media/layer", "media/receive"}, mediaParts...)
	mediaAll    = append([]string{"media/forward"}, mediaStages...)

	edge = []string{"session", "recording", "diagnosis", "event", "wire/*", "api/jsonrpc", "fault"}
)

// homes gives each third party its one home: the packages whose non-test files may import it.
// The longest prefix that matches an import holds; a prefix without packages is for tests only.
var homes = []home{
	{prefix: "github.com/pion/", pkgs: []string{"media", "media/*", "turn", "reach", "testkit", "bench", "bench/*", "doctor"}},
	{prefix: "github.com/nats-io/", pkgs: []string{"cluster/kv", "cluster/stream", "cluster/rpc", "cluster/natsd"}},
	{prefix: "github.com/coder/websocket", pkgs: []string{"api/*", "bench/*", "testkit", "doctor"}},
	{prefix: "golang.org/x/crypto/acme", pkgs: []string{"certs"}},
	{prefix: "github.com/caddyserver/certmagic", pkgs: []string{"certs"}},
	{prefix: "github.com/mholt/acmez", pkgs: []string{"certs"}},
	{prefix: "go.uber.org/zap", pkgs: []string{"certs"}},
	{prefix: "software.sslmate.com/src/go-pkcs12", pkgs: []string{"certs"}},
	{prefix: "github.com/pires/go-proxyproto", pkgs: []string{"api/frontdoor"}},
	{prefix: "golang.org/x/sys/", pkgs: []string{"media/socket", "bench/*", "app", "doctor"}},
	{prefix: "golang.org/x/net/dns/dnsmessage", pkgs: []string{"doctor"}},
	{prefix: "github.com/oschwald/maxminddb-golang", pkgs: []string{"geo"}},
	{prefix: "github.com/prometheus/", pkgs: []string{"metrics"}},
	{prefix: "google.golang.org/protobuf/", pkgs: []string{"bench/target"}},
	{prefix: "golang.org/x/time/rate", pkgs: []string{"api/*", "turn"}},
	{prefix: "golang.org/x/tools/"},
}
