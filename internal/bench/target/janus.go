package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/coder/websocket"
)

// janus is the Janus gateway of the Debian package with its VideoRoom plugin, everything else switched off.
type janus struct {
	process *process
	address netip.Addr // of its media
	port    int
}

// Janus is the Janus gateway, as the Debian package installs it.
func Janus() Server { return &janus{} }

func (s *janus) Name() string { return "janus" }

func (s *janus) Version() string { return versionOf("janus", inBrackets, "--help") }

func (s *janus) Start(ctx context.Context, cpus []int) error {
	binary, err := find("janus")
	if err != nil {
		return err
	}
	if s.address, err = mediaAddress(); err != nil {
		return err
	}
	s.process, err = retry(func() (*process, error) { return s.start(ctx, binary, cpus) })
	return err
}

func (s *janus) start(ctx context.Context, binary string, cpus []int) (p *process, err error) {
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	p, err = launch(binary, cpus, func(folder string) ([]string, error) {
		return []string{"--configs-folder=" + folder, "--config=" + filepath.Join(folder, "janus.jcfg")}, janusConfig(folder, s.address, s.port)
	})
	if err != nil {
		return nil, err
	}
	return p.ready(ctx, s.answers)
}

// mediaAddress finds where Janus can take media. It passes over loopback interfaces and ties its sockets to the interface of
// their address: a client is reached only under the same address, and what goes there never leaves the machine.
func mediaAddress() (netip.Addr, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, i := range interfaces {
		const up = net.FlagUp | net.FlagRunning
		if i.Flags&up != up || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			return netip.Addr{}, err
		}
		for _, a := range addresses {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() {
				return prefix.Addr(), nil
			}
		}
	}
	return netip.Addr{}, errors.New("no interface but loopback has an IPv4 address, and Janus takes no media there; add one: " +
		"ip link add bench0 type dummy && ip addr add 192.0.2.1/32 dev bench0 && ip link set bench0 up")
}

// reaches reports an error unless every candidate of a client's description is at Janus's own address. To any other one,
// 127.0.0.1 too, Janus would send the packets out of the machine.
func (s *janus) reaches(sdp string) error {
	for l := range strings.Lines(sdp) {
		fields := strings.Fields(l)
		if strings.HasPrefix(l, candidatePrefix) && (len(fields) < 6 || fields[4] != s.address.String()) {
			return fmt.Errorf("janus reaches clients only at %s (ClientAddress), not at %s", s.address, strings.TrimSpace(l))
		}
	}
	return nil
}

// janusConfig writes the configuration: one event loop (as perf.md's figures have it), the websocket on loopback, and one
// plugin. Room ids are text.
func janusConfig(folder string, address netip.Addr, port int) error {
	files := map[string]string{
		"janus.jcfg": fmt.Sprintf(`general: {
	configs_folder = %q
	plugins_folder = %q
	transports_folder = %q
	debug_level = 2
	debug_colors = false
	event_loops = 1
}
nat: {
	full_trickle = false
	ice_enforce_list = %q
}
plugins: { disable = %q }
transports: { disable = %q }
events: { broadcast = false }
`, folder, janusLibraries+"/plugins", janusLibraries+"/transports", address.String(),
			others("plugins", "libjanus_videoroom."), others("transports", "libjanus_websockets.")),
		"janus.plugin.videoroom.jcfg": "general: { string_ids = true }\n",
		"janus.transport.websockets.jcfg": fmt.Sprintf(`general: {
	json = "compact"
	ws = true
	ws_port = %d
	ws_ip = "127.0.0.1"
	wss = false
}
admin: { admin_ws = false }
`, port),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// janusLibraries is a pattern: the folder's name has the machine's architecture in it.
var janusLibraries = func() string {
	if found, _ := filepath.Glob("/usr/lib/*/janus"); len(found) > 0 { // the pattern is well-formed
		return found[0]
	}
	return "/usr/lib/janus"
}()

// others names the libraries of a folder but one.
func others(folder, keep string) string {
	var names []string
	found, _ := filepath.Glob(filepath.Join(janusLibraries, folder, "*.so")) // the pattern is well-formed
	for _, path := range found {
		if name := filepath.Base(path); !strings.HasPrefix(name, keep) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// answers opens a connection and closes it again.
func (s *janus) answers(ctx context.Context) error {
	l, err := s.dial(ctx)
	if err != nil {
		return err
	}
	l.close()
	return nil
}

func (s *janus) dial(ctx context.Context) (*line, error) {
	options := websocket.DialOptions{Subprotocols: []string{"janus-protocol"}}
	return dial(ctx, fmt.Sprintf("ws://127.0.0.1:%d/", s.port), websocket.MessageText, options)
}

func (s *janus) PID() int { return pidOf(s.process) }

func (s *janus) Stop() error { return stopOnce(&s.process) }
