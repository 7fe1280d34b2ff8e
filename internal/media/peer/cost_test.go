package peer

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
)

// guestsEnv makes the test binary a process of guests, so that their cost is not the server's.
const guestsEnv = "TERTULIA_PEER_GUESTS"

func TestMain(m *testing.M) {
	if os.Getenv(guestsEnv) == "" {
		os.Exit(m.Run())
	}
	if err := guests(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// guests says its certificate's fingerprint and then obeys lines: "address ufrag pwd" lets one more enter, a few at a
// time; "stay 10s" waits for all and makes them send for so long what idle browsers send.
func guests(in io.Reader, out io.Writer) error {
	certificate, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, fingerprintOf(certificate.Certificate[0]).Value)
	var mu sync.Mutex
	var all []*guest
	var busy sync.WaitGroup
	places := make(chan struct{}, 16)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if words[0] == "stay" {
			busy.Wait()
			d, err := time.ParseDuration(words[1])
			if err != nil {
				return err
			}
			linger(all, d)
			fmt.Fprintln(out, "stayed", len(all))
			continue
		}
		server, err := netip.ParseAddrPort(words[0])
		if err != nil {
			return err
		}
		places <- struct{}{}
		busy.Go(func() {
			defer func() { <-places }()
			g, err := enter(server, credential{words[1], words[2]}, certificate)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, g)
		})
	}
	return nil
}

// linger sends each guest's report every second and its check every 2.5 s, spread as the clients of a room are.
func linger(all []*guest, d time.Duration) {
	step := time.NewTicker(10 * time.Millisecond)
	defer step.Stop()
	sent := 0
	for start, now := time.Now(), time.Now(); now.Sub(start) < d; now = <-step.C {
		for due := int(now.Sub(start).Seconds() * float64(len(all))); sent < due; sent++ {
			g := all[sent%len(all)]
			_ = g.report()
			if 2*(sent/len(all))%5 < 2 {
				_, _ = g.conn.Write(g.check)
			}
		}
	}
}

// others is a process of guests.
type others struct {
	io.Writer
	lines *bufio.Scanner
}

func startOthers(t testing.TB) (o others, fingerprint string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env, cmd.Stderr = append(os.Environ(), guestsEnv+"=1"), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	o = others{in, bufio.NewScanner(out)}
	return o, o.heard(t)
}

func (o others) heard(t testing.TB) string {
	t.Helper()
	if !o.lines.Scan() {
		t.Fatal("the guests' process ended")
	}
	return o.lines.Text()
}

// stay makes all enter, and those inside idle for so long.
func (o others) stay(t testing.TB, d time.Duration, want int) {
	t.Helper()
	fmt.Fprintln(o, "stay", d)
	if got := o.heard(t); got != fmt.Sprint("stayed ", want) {
		t.Fatalf("%s, want %d", got, want)
	}
}

// expense is what the process has used.
type expense struct {
	cpu          time.Duration
	heap, object uint64
	resident     uint64
	at           time.Time
}

func spent() expense {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	return expense{cpu: time.Duration(use.Utime.Nano() + use.Stime.Nano()), at: time.Now()}
}

func kept() expense {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return expense{heap: m.HeapAlloc, object: m.HeapObjects, resident: resident()}
}

func resident() uint64 {
	var size, pages uint64
	text, _ := os.ReadFile("/proc/self/statm")
	_, _ = fmt.Sscan(string(text), &size, &pages)
	return pages * uint64(os.Getpagesize())
}

// BenchmarkEndpoint tells what an endpoint costs this process to set up, to hold, and to keep for a second; its client
// is another process. Run it with -benchtime=1000x or so; HEAP_PROFILE=file writes what the endpoints hold
// (-memprofilerate=1 for all of it).
func BenchmarkEndpoint(b *testing.B) {
	o, fingerprint := startOthers(b)
	h := openHall(b, fingerprint)
	before, empty, threads := spent(), kept(), runtime.NumGoroutine()
	for n := range b.N {
		own := h.seat(b, n)
		fmt.Fprintln(o, h.config.Socket.LocalAddr(), own.ufrag, own.pwd)
	}
	o.stay(b, 0, b.N)
	after := spent()
	o.stay(b, 1100*time.Millisecond, b.N) // a first report may have come before the keys it proves
	h.full(b, b.N)
	rss := resident()
	full := kept()
	each := func(v float64, unit string) { b.ReportMetric(v/float64(b.N), unit) }
	each(float64((after.cpu - before.cpu).Microseconds()), "µs-CPU/setup")
	each(float64(after.at.Sub(before.at).Microseconds()), "µs/setup")
	each(float64(full.heap-empty.heap), "B-heap/endpoint")
	each(float64(full.object-empty.object), "objects/endpoint")
	each(float64(rss-empty.resident), "B-rss/endpoint")
	each(float64(runtime.NumGoroutine()-threads), "goroutines/endpoint")
	if name := os.Getenv("HEAP_PROFILE"); name != "" && b.N > 1 {
		f, _ := os.Create(name)
		_ = pprof.WriteHeapProfile(f)
		_ = f.Close()
	}
	const idle = 5 * time.Second
	before = spent()
	o.stay(b, idle, b.N)
	after = spent()
	each(float64((after.cpu-before.cpu).Nanoseconds())/after.at.Sub(before.at).Seconds()/1000, "µs-CPU/idle-s")
}
