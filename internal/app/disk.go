package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"syscall"
	"time"

	"tertulia/internal/cluster/stream"
	"tertulia/internal/diagnosis"
	"tertulia/internal/metrics"
	"tertulia/internal/wire/openvidu"
)

// room is what the file system of the data folder has.
type room struct{ Free, Size uint64 } // bytes

const (
	lowDisk  = 512 << 20 // bytes; doctor warns below as much
	tightest = 256 << 20
	lookEach = time.Second
	fewest   = 1000 // events that are kept however little room there is
)

// low: a hundredth of the disk is left, or too few bytes of a disk that is used for other things too.
func (r room) low() bool { return r.Free <= r.Size/100 || r.Free < lowDisk && r.Free < r.Size/10 }

// tight: what we keep for convenience makes way for the calls. Of a big disk a hundredth is still a lot.
func (r room) tight() bool { return r.Free <= r.Size/100 && r.Free < tightest }

// disk watches the file system of the data folder. When it is nearly full, events are forgotten, the oldest first.
type disk struct {
	folder  string
	look    func() *room
	log     *slog.Logger
	events  *stream.Stream
	now     atomic.Pointer[room]
	evicted atomic.Uint64
}

func newDisk(folder string, events *stream.Stream, log *slog.Logger) *disk {
	d := &disk{folder: folder, events: events, log: log, look: func() *room { return look(folder) }}
	d.now.Store(d.look())
	return d
}

// look asks the system; the zero room is unknown.
func look(folder string) *room {
	var s syscall.Statfs_t
	if syscall.Statfs(folder, &s) != nil {
		return &room{}
	}
	return &room{uint64(s.Bavail) * uint64(s.Bsize), uint64(s.Blocks) * uint64(s.Bsize)} //nolint:unconvert // they differ by system
}

// Run looks every second until ctx ends.
func (d *disk) Run(ctx context.Context) error {
	ticker := time.NewTicker(lookEach)
	defer ticker.Stop()
	for low := false; ; {
		now := d.look()
		d.now.Store(now)
		switch {
		case now.Size == 0:
		case now.low() && !low:
			d.log.Warn("the disk is nearly full: "+fixDisk, "code", diagnosis.DiskLow, "folder", d.folder, "free", now.Free, "size", now.Size)
		case low && !now.low():
			d.log.Info("the disk has room again", "folder", d.folder, "free", now.Free)
		}
		low = now.Size != 0 && now.low()
		if low && now.tight() {
			d.evict(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// evict forgets half of the events.
func (d *disk) evict(ctx context.Context) {
	records, _, err := d.events.Size(ctx)
	if err != nil || records <= fewest {
		return
	}
	gone, err := d.events.Forget(ctx, max(records/2, fewest))
	if err != nil {
		d.log.Warn("the disk is nearly full, and the oldest events cannot be forgotten", "error", err)
		return
	}
	d.evicted.Add(gone)
	d.log.Warn("the oldest events were forgotten to make room on the disk", "code", diagnosis.DiskLow, "events", gone)
}

const fixDisk = "delete what is not needed, or give it more room; calls go on meanwhile, and the oldest events go first"

// check is what health says of the disk.
func (d *disk) check() openvidu.RESTCheck {
	now := d.now.Load()
	check := openvidu.RESTCheck{Name: "disk", OK: true, Bearable: true}
	if now.Size == 0 {
		check.Text = "the system does not tell how much room " + d.folder + " has"
		return check
	}
	check.Text = fmt.Sprintf("%d MB free of %d MB at %s", now.Free/1_000_000, now.Size/1_000_000, d.folder)
	if now.low() {
		check.OK, check.Code, check.Fix = false, string(diagnosis.DiskLow), "On the disk of "+d.folder+": "+fixDisk+"."
	}
	return check
}

func (d *disk) samples() []metrics.Sample {
	now := d.now.Load()
	return []metrics.Sample{
		{Name: "tertulia_disk_free_bytes", Help: "Room that is left on the file system of the data folder.", Number: float64(now.Free)},
		{Name: "tertulia_disk_size_bytes", Help: "Size of the file system of the data folder.", Number: float64(now.Size)},
		{Name: "tertulia_events_evicted_total", Help: "Events that were forgotten to make room on the disk.", Number: float64(d.evicted.Load())},
	}
}
