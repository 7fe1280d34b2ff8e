package cdr

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

// Options are limits. Zeros are defaults.
type Options struct {
	KeepFiles int           // 30
	KeepBytes int64         // of all files; 20 GB
	Retry     time.Duration // pause after a write that failed; 5 s
	Log       *slog.Logger  // nil discards
}

// Writer writes events. Take is called by one goroutine, the rest by any. Days are those of the local time zone.
type Writer struct {
	options Options
	began   string // time of day of the start, as in file names

	mu      sync.Mutex
	folder  string // "": off
	file    *os.File
	day     string        // of the file
	changed chan struct{} // closed with the next Adopt

	written, failed atomic.Uint64
}

// New makes a writer that is off.
func New(o Options) *Writer {
	if o.KeepFiles == 0 {
		o.KeepFiles = 30
	}
	if o.KeepBytes == 0 {
		o.KeepBytes = 20e9
	}
	if o.Retry == 0 {
		o.Retry = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Writer{options: o, began: time.Now().Format("15-04-05"), changed: make(chan struct{})}
}

// Adopt writes to another folder from the next event on, "" for none, or refuses it with fault.Invalid and goes on as
// before. The folder is made if there is none, and the day's file with it.
func (w *Writer) Adopt(folder string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if folder == w.folder {
		return nil
	}
	before := w.folder
	w.close()
	w.folder = folder
	if folder != "" {
		if err := w.open(today()); err != nil {
			w.folder = before
			return fault.Wrap(fault.Invalid, err, "OPENVIDU_CDR_PATH=%s: no file can be written there → make it writable for this user, or name another folder", folder)
		}
	}
	close(w.changed)
	w.changed = make(chan struct{})
	return nil
}

// Folder is where the files are; "" if there are none.
func (w *Writer) Folder() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.folder
}

// Close closes the file.
func (w *Writer) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.close()
}

// Wanted implements stream.Sink.
func (w *Writer) Wanted() (bool, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.folder != "", w.changed
}

// Take writes a line. While it cannot, because the disk is full, it tries again for as long as ctx lasts. Events that
// OpenVidu does not have are left out. It implements stream.Sink.
func (w *Writer) Take(ctx context.Context, _ uint64, name string, text []byte) bool {
	if row, ok := openvidu.EventNamed(name); !ok || row.Edition == openvidu.EditionOurs {
		return true
	}
	line := append(openvidu.EventLine(name, text), '\n')
	for told := false; ; told = true {
		err := w.write(line)
		if err == nil {
			if told {
				w.options.Log.Info("CDR: events are written again", "folder", w.Folder())
			}
			return true
		}
		w.failed.Add(1)
		if !told {
			w.options.Log.Warn("CDR: an event cannot be written; events wait", "folder", w.Folder(), "error", err)
		}
		select {
		case <-time.After(w.options.Retry):
		case <-ctx.Done():
			return false
		}
	}
}

// write appends a line to the file of its day, or nothing of it.
func (w *Writer) write(line []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.folder == "" {
		return nil
	}
	if day := today(); w.file == nil || w.day != day {
		w.close()
		if err := w.open(day); err != nil {
			return err
		}
	}
	n, err := w.file.Write(line)
	if err != nil {
		if end, asked := w.file.Seek(0, io.SeekCurrent); asked == nil && n > 0 {
			err = errors.Join(err, w.file.Truncate(end-int64(n)))
		}
		w.close()
		return err
	}
	w.written.Add(1)
	return nil
}

func today() string { return time.Now().Format("2006-01-02") }

// open opens the file of a day and deletes what is too old for its sake.
func (w *Writer) open(day string) error {
	if err := os.MkdirAll(w.folder, 0o750); err != nil {
		return err
	}
	name := filepath.Join(w.folder, "CDR."+day+"_"+w.began+".log")
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	w.file, w.day = file, day
	w.prune()
	return nil
}

func (w *Writer) close() {
	if w.file == nil {
		return
	}
	if err := w.file.Close(); err != nil {
		w.options.Log.Warn("CDR: a file was not closed", "error", err)
	}
	w.file = nil
}

var ours = regexp.MustCompile(`^CDR\.\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}\.log$`)

// prune deletes the oldest files that are too many, never the one in use; and those that hold nothing: a server that
// starts and ends again and again would push a month of events out by them.
func (w *Writer) prune() {
	entries, err := os.ReadDir(w.folder)
	if err != nil {
		w.options.Log.Warn("CDR: old files are not deleted", "error", err)
		return
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && ours.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names) // by time: the name begins with it
	slices.Reverse(names)
	files, bytes := 0, int64(0)
	for _, name := range names {
		stat, err := os.Stat(filepath.Join(w.folder, name))
		if err != nil {
			continue // somebody else has deleted it
		}
		inUse := name == filepath.Base(w.file.Name())
		if stat.Size() > 0 || inUse {
			files, bytes = files+1, bytes+stat.Size()
			if inUse || files <= w.options.KeepFiles && bytes <= w.options.KeepBytes {
				continue
			}
		}
		if err := os.Remove(filepath.Join(w.folder, name)); err != nil {
			w.options.Log.Warn("CDR: an old file is not deleted", "error", err)
		}
	}
}

// Stats counts since the start.
type Stats struct{ Written, Failed uint64 }

// Stats are the numbers of now.
func (w *Writer) Stats() Stats { return Stats{w.written.Load(), w.failed.Load()} }
