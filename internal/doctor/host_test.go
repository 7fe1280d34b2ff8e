package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/diagnosis"
)

// hostOf is a machine with those settings; its files are the real ones.
func hostOf(t *testing.T, settings ...string) *host {
	t.Helper()
	c, err := config.Inspect(append([]string{"--data=" + t.TempDir()}, settings...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &host{Options: Options{Config: c, Version: "0.1.0 (test)"}, root: os.DirFS("/")}
}

// seenAs answers for the STUN servers.
func (h *host) seenAs(addresses ...string) *host {
	h.outside.Do(func() {
		for _, a := range addresses {
			h.seen = append(h.seen, netip.MustParseAddr(a))
		}
		h.asked = "nobody was asked"
	})
	return h
}

func want(t *testing.T, c Check, verdict Verdict, code diagnosis.Code, says string) {
	t.Helper()
	if text := strings.Join(c.Evidence, "\n") + "\n" + c.Fix; c.Verdict != verdict || c.Code != code || !strings.Contains(text, says) {
		t.Errorf("%+v, want %s %s with %q", c, verdict, code, says)
	}
}

func TestWhoHasAPort(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	h := hostOf(t, "--https-port="+strconv.Itoa(port))
	want(t, checkPorts(t.Context(), h), Faulty, diagnosis.PortTaken, "kill "+strconv.Itoa(os.Getpid()))

	h.server = os.Getpid()
	want(t, checkPorts(t.Context(), h), Fine, "", strconv.Itoa(port)+"/tcp is the running server's\n"+strconv.Itoa(port)+"/udp is free")

	h.server, h.root = 0, fstest.MapFS{}
	if os.Geteuid() == 0 {
		want(t, checkPorts(t.Context(), h), Faulty, diagnosis.PortTaken, "Run the doctor outside of containers")
	} else {
		want(t, checkPorts(t.Context(), h), Unchecked, "", "only root sees")
	}

	u := listenUDP(t)
	number := strconv.Itoa(u.LocalAddr().(*net.UDPAddr).Port)
	want(t, checkPorts(t.Context(), hostOf(t, "--https-port=0", "--coturn-port="+number)), Faulty, diagnosis.PortTaken, "set COTURN_PORT to another port")
	want(t, checkPorts(t.Context(), hostOf(t, "--https-port=0", "--coturn-port="+number, "--coturn-ip=turn.example")), Fine, "", "")
	want(t, checkPorts(t.Context(), hostOf(t, "--https-port=0", "--metrics-port=192.0.2.123:9")), Unchecked, "", "may not open 9/tcp")
}

// TestTheHolderOfADataFolder is found by the lock it keeps open, and its ports by its descriptors.
func TestTheHolderOfADataFolder(t *testing.T) {
	data := t.TempDir()
	root := os.DirFS("/")
	if pid := holder(root, data); pid != 0 {
		t.Errorf("process %d has a folder that nobody has", pid)
	}
	lock, err := os.Create(filepath.Join(data, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(data, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{data, link} {
		if pid := holder(root, dir); pid != os.Getpid() {
			t.Errorf("%s is said to be of process %d, not ours, %d", dir, pid, os.Getpid())
		}
	}
	// A lock of the same name that is another file: of another mount namespace, or of a folder that is no more.
	name := filepath.Join(data, "lock")
	if err := os.Rename(name, name+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := namedAlike{root.(linkReader), root, name + ".old", name}
	if pid := holder(foreign, data); pid != 0 {
		t.Errorf("process %d is taken for the holder by a file's name alone", pid)
	}
	everywhere, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer everywhere.Close()
	local, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	ports := openPorts(root, os.Getpid())
	if !slices.Contains(ports, everywhere.Addr().(*net.TCPAddr).Port) || slices.Contains(ports, local.Addr().(*net.TCPAddr).Port) {
		t.Errorf("ports %v: want %v and not %v", ports, everywhere.Addr(), local.Addr())
	}
	if openPorts(root, 1<<30) != nil || openPorts(fstest.MapFS{}, 1) != nil || listenerKnown(root, 1) {
		t.Error("ports of nobody")
	}
}

// namedAlike shows one file under the name of another, as /proc does for mount namespaces.
type namedAlike struct {
	links linkReader
	fs.FS
	real, shown string
}

func (n namedAlike) ReadLink(name string) (string, error) {
	link, err := n.links.ReadLink(name)
	if link == n.real {
		link = n.shown
	}
	return link, err
}

func listenerKnown(root fs.FS, port int) bool { _, ok := listener(root, "tcp", port); return ok }

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		domain, seen string
		verdict      Verdict
		code         diagnosis.Code
		says         string
	}{
		{"", "198.51.100.7", Fine, "", "DOMAIN_OR_PUBLIC_IP is not set"},
		{"127.0.0.1", "198.51.100.7", Fine, "", "DOMAIN_OR_PUBLIC_IP=127.0.0.1"},
		{"198.51.100.7", "198.51.100.7", Fine, "", "seen from outside as 198.51.100.7"},
		{"203.0.113.99", "198.51.100.7", Faulty, diagnosis.AddressWrong, "Set DOMAIN_OR_PUBLIC_IP=198.51.100.7."},
		{"2001:db8::99", "198.51.100.7", Faulty, diagnosis.AddressWrong, "DOMAIN_OR_PUBLIC_IP=2001:db8::99"},
		{"localhost", "", Fine, "", ""},
	} {
		h := hostOf(t)
		h.Config.Domain = c.domain
		if c.seen == "" {
			h.seenAs()
		} else {
			h.seenAs(c.seen)
		}
		want(t, checkAddresses(t.Context(), h), c.verdict, c.code, c.says)
	}
	for domain, certain := range map[string]bool{"203.0.113.99": false, "2001:db8::99": true} { // IPv4 may be a NAT's
		h := hostOf(t)
		own := addresses{interfaces: []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("2001:db8::5")}}
		if got := h.certain(own, []netip.Addr{netip.MustParseAddr(domain)}); got != certain {
			t.Errorf("%s beside a public IPv6 address is wrong for certain: %v", domain, got)
		}
	}
	off := hostOf(t, "--address-discovery=off", "--domain-or-public-ip=203.0.113.99")
	want(t, checkAddresses(t.Context(), off), Unchecked, "", "no interface has 203.0.113.99")
	if seen, why := seenBy(t.Context(), off.Config); seen != nil || why != "ADDRESS_DISCOVERY=off" {
		t.Errorf("%v, %s", seen, why)
	}
}

func TestOwnAddresses(t *testing.T) {
	private, public := netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("198.51.100.7")
	behind := addresses{[]netip.Addr{private}, []netip.Addr{public}}
	if !behind.has(private) || !behind.has(public) || behind.has(netip.MustParseAddr("10.0.0.6")) || !behind.natted() || join(behind.public()) != "198.51.100.7" {
		t.Errorf("%+v", behind)
	}
	direct := addresses{[]netip.Addr{public, netip.MustParseAddr("::1")}, nil}
	if direct.natted() || join(direct.public()) != "198.51.100.7" || join(nil) != "none" {
		t.Errorf("%+v: %s", direct, direct.public())
	}
	dual := addresses{interfaces: []netip.Addr{netip.MustParseAddr("fd00::2"), netip.MustParseAddr("2001:db8::5"), public, private}}
	foreign := []netip.Addr{netip.MustParseAddr("203.0.113.99")}
	if join(dual.public()) != "2001:db8::5, 198.51.100.7" || dual.right(foreign) != "198.51.100.7" || dual.right(nil) != "2001:db8::5" {
		t.Errorf("%s: right is %s, or %s", dual.public(), dual.right(foreign), dual.right(nil))
	}
}

func TestACertificateThatIsNotThereYet(t *testing.T) {
	want(t, checkCertificate(t.Context(), hostOf(t)), Fine, "", "made by the first start")
	none := hostOf(t, "--certificate-type=letsencrypt", "--domain-or-public-ip=call.invalid")
	want(t, checkCertificate(t.Context(), none), Unchecked, "", "no certificate yet")
}

func TestFileLimits(t *testing.T) {
	limits := "Limit                     Soft Limit           Hard Limit           Units     \nMax processes             5                    6                    processes \nMax open files            1024                 %s                files     \n"
	machine := func(hard string) fstest.MapFS {
		return fstest.MapFS{"proc/7/limits": {Data: []byte(strings.Replace(limits, "%s", hard, 1))}, "proc/7/fd/0": {}, "proc/7/fd/1": {}}
	}
	want(t, checkFiles(t.Context(), &host{root: machine("65536"), server: 7}), Fine, "", "65536 for the running server (process 7), 2 used")
	want(t, checkFiles(t.Context(), &host{root: machine("4095"), server: 7}), Faulty, diagnosis.FDLimit, "Limit 4095 for the running server (process 7), of which 2")
	crowd := machine("4096")
	for i := range 3700 {
		crowd["proc/7/fd/"+strconv.Itoa(i)] = &fstest.MapFile{}
	}
	want(t, checkFiles(t.Context(), &host{root: crowd, server: 7}), Faulty, diagnosis.FDLimit, "3700 are used")
	if n, ok := fileLimit(machine("unlimited"), 7); ok {
		t.Errorf("unlimited is %d", n)
	}
	var own syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &own); err != nil || ownFileLimit() != own.Max {
		t.Errorf("%d, %v", ownFileLimit(), err)
	}
}

func TestKernelBuffers(t *testing.T) {
	machine := func(r, w string) *host {
		return &host{root: fstest.MapFS{"proc/sys/net/core/rmem_max": {Data: []byte(r)}, "proc/sys/net/core/wmem_max": {Data: []byte(w)}}}
	}
	want(t, checkBuffers(t.Context(), machine("4194304\n", "8388608\n")), Fine, "", "rmem_max=4194304")
	want(t, checkBuffers(t.Context(), machine("4194304\n", "212992\n")), Faulty, diagnosis.KernelBuffersSmall, "net.core.wmem_max=212992")
	want(t, checkBuffers(t.Context(), machine("4194303\n", "4194304\n")), Faulty, diagnosis.KernelBuffersSmall, "")
	want(t, checkBuffers(t.Context(), machine("4194304", "much")), Unchecked, "", "wmem_max cannot be read")
	want(t, checkBuffers(t.Context(), &host{root: fstest.MapFS{}}), Unchecked, "", "rmem_max cannot be read")
}

func TestDisk(t *testing.T) {
	h := hostOf(t)
	h.Config.Data = filepath.Join(h.Config.Data, "not", "made", "yet")
	if c := checkDisk(t.Context(), h); c.Verdict == Unchecked || !strings.Contains(strings.Join(c.Evidence, ""), "MB free of") {
		t.Errorf("a folder that is not made yet: %+v", c)
	}
	h.Config.Data = "/proc/self/nothing\x00"
	want(t, checkDisk(t.Context(), h), Unchecked, "", "invalid argument")
}

func TestGStreamer(t *testing.T) {
	inspect := func(script string) {
		dir := t.TempDir()
		if script != "" {
			if err := os.WriteFile(filepath.Join(dir, "gst-inspect-1.0"), []byte("#!/bin/sh\n"+script), 0o700); err != nil { //nolint:gosec // it is a program
				t.Fatal(err)
			}
		}
		t.Setenv("PATH", dir)
	}
	inspect("exit 0")
	want(t, checkGStreamer(t.Context(), nil), Fine, "", "knows every element")
	inspect(`case $2 in x264enc|vp8dec|vp8enc) exit 1; esac`)
	want(t, checkGStreamer(t.Context(), nil), Faulty, diagnosis.GStreamerMissing, "Missing: vp8dec, vp8enc, x264enc.\napt-get install gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly")
	inspect("")
	want(t, checkGStreamer(t.Context(), nil), Faulty, diagnosis.GStreamerMissing, "gstreamer1.0-tools")
	inspect("exit 0")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	want(t, checkGStreamer(ended, nil), Unchecked, "", "takes too long")
}

// TestANetworkThatIsGone makes no fault and ends in time: nothing answers, nothing refuses either.
func TestANetworkThatIsGone(t *testing.T) {
	t.Parallel()
	silent := listenUDP(t).LocalAddr().String()
	h := hostOf(t, "--stun-servers="+silent, "--ntp-servers="+silent, "--domain-or-public-ip=198.51.100.7", "--https-port=0")
	h.root = fstest.MapFS{"etc/resolv.conf": {Data: []byte("# none\n")}}
	began := time.Now()
	checks := h.examine(t.Context(), []string{"addresses", "DNS", "clock", "TURN"})
	if took := time.Since(began); took > checkWithin+time.Second {
		t.Errorf("it took %v", took)
	}
	for _, c := range checks {
		if c.Verdict == Faulty && c.Code != diagnosis.AddressWrong { // wrong for sure only where an interface is public
			t.Errorf("%+v", c)
		}
	}
	if len(checks) != 4 || checks[2].Name != "clock" || checks[2].Verdict != Unchecked {
		t.Errorf("%+v", checks)
	}
}

// TestEveryCheckEnds in a name and a verdict, in the order of the table.
func TestEveryCheckEnds(t *testing.T) {
	h := hostOf(t, "--https-port=0", "--address-discovery=off", "--ntp-servers=127.0.0.1:1")
	r := Examine(t.Context(), h.Options)
	if len(r.Checks) != len(checks) || r.Version != "0.1.0 (test)" {
		t.Fatalf("%+v", r)
	}
	for i, c := range r.Checks {
		if c.Name != checks[i].name || c.Verdict == "" || len(c.Evidence) == 0 {
			t.Errorf("%d: %+v", i, c)
		}
	}
	if only := Examine(t.Context(), h.Options, "disk"); len(only.Checks) != 1 || only.Checks[0].Name != "disk" {
		t.Errorf("%+v", only)
	}
}

func TestNoServerToAsk(t *testing.T) {
	h := hostOf(t)
	if _, err := h.reach(t.Context()); !errors.Is(err, errNoServer) {
		t.Error(err)
	}
	if _, err := h.page(t.Context(), "/metrics"); err == nil || !strings.Contains(err.Error(), "METRICS_PORT") {
		t.Error(err)
	}
	want(t, checkTURN(t.Context(), h), Unchecked, "", "tested while it runs")
}
