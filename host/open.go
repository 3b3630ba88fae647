package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vatwarehouse/internal/portable"
	"vatwarehouse/kernel"
	"vatwarehouse/kvstore"
	"vatwarehouse/snapstore"
	"vatwarehouse/streamstore"
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// The names in a directory.
const (
	formatName    = "format"
	newFormatName = formatName + ".new" // until it is durable
	lockName      = "lock"
	logDir        = "log"
	tableName     = "table"
	heapsDir      = "heaps"
	compiledName  = "compiled"
	// importingName is there while an import makes the directory.
	importingName = "importing"
)

// formatText is what the format file says: the first line of every directory.
const (
	formatPrefix  = "vatwarehouse "
	formatVersion = "1"
	formatText    = formatPrefix + formatVersion + "\n"
)

// Open opens a directory, or makes it; nil options are the defaults. With dir
// "" everything is kept in memory and gone at Close.
func Open(ctx context.Context, dir string, o *Options) (*Host, error) {
	options, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open host: %w", err)
	}
	h := &Host{options: options}
	h.totals.opened = time.Now()
	if err := h.open(ctx, dir); err != nil {
		if dir != "" {
			err = fmt.Errorf("open %s: %w", dir, err)
		}
		return nil, errors.Join(err, h.release(ctx))
	}
	return h, nil
}

func (h *Host) open(ctx context.Context, dir string) error {
	if h.options.Order != nil && (dir != "" || h.options.FS != nil) {
		return fmt.Errorf("%w: an Order, which no directory records: give neither a directory "+
			"nor FS", ErrOptions)
	}
	openFiles := h.openFiles
	if h.options.Scratch {
		openFiles = h.openScratch
	}
	if err := openFiles(dir); err != nil {
		return err
	}
	if err := h.openStores(); err != nil {
		return damaged(err)
	}
	if err := h.expect(); err != nil {
		return err
	}
	if err := h.openKernel(); err != nil {
		return err
	}
	if err := h.openVats(ctx, dir); err != nil {
		return err
	}
	if all := h.strangers(); len(all) > 0 && !h.options.AnyMeaning {
		return &MeaningError{all, h.engine.Meaning()}
	}
	if h.options.Preload {
		if err := h.vats.Preload(ctx, h.recent()); err != nil {
			h.fault(fmt.Errorf("preload: %w", err))
		}
	}
	return nil
}

// damaged marks the errors of stores that found bytes that are not theirs, or
// that only a later version knows.
func damaged(err error) error {
	if errors.Is(err, streamstore.ErrForeign) || errors.Is(err, streamstore.ErrVersion) ||
		errors.Is(err, snapstore.ErrVersion) || errors.Is(err, portable.ErrForeign) ||
		errors.Is(err, portable.ErrVersion) {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if errors.Is(err, streamstore.ErrCorrupt) || errors.Is(err, kvstore.ErrCorrupt) ||
		errors.Is(err, snapstore.ErrCorrupt) || errors.Is(err, portable.ErrCorrupt) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// openFiles takes the directory for this process and checks that it is ours.
func (h *Host) openFiles(dir string) (err error) {
	h.fs = h.options.FS
	switch {
	case h.fs != nil:
	case dir == "":
		h.fs = vfs.NewMem()
	default:
		if err := refuseForeign(dir, h.options.Existing); err != nil {
			return err
		}
		if h.dir, err = vfs.Open(dir); err != nil {
			return err
		}
		h.fs = h.dir
	}
	// First a look, then the lock: what is not ours does not even get a lock file.
	made, err := h.checkFormat()
	if err != nil {
		return err
	}
	if h.lock, err = h.fs.Lock(lockName); err != nil || made {
		return err
	}
	if made, err = h.checkFormat(); err != nil || made { // by someone else, just now
		return err
	}
	return h.makeFormat()
}

// refuseForeign refuses a directory that holds something and is not ours, or is
// not there but must be, before anything is made in it.
func refuseForeign(dir string, existing bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) && !existing {
		return nil
	}
	if existing && (errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0) {
		return fmt.Errorf("%w: there is nothing", ErrNotFound)
	}
	if err != nil {
		return err
	}
	ours := func(e fs.DirEntry) bool { return e.Name() == formatName }
	half := func(e fs.DirEntry) bool { return e.Name() == importingName }
	if slices.ContainsFunc(entries, half) && !slices.ContainsFunc(entries, ours) {
		return ErrUnfinished
	}
	foreign := func(e fs.DirEntry) bool { return e.Name() != lockName && e.Name() != newFormatName }
	if i := slices.IndexFunc(entries, foreign); i >= 0 && !slices.ContainsFunc(entries, ours) {
		return fmt.Errorf("%w: it has no file %q, but holds %q; give a new or empty directory",
			ErrFormat, formatName, entries[i].Name())
	}
	return nil
}

// checkFormat reads the format file, and reports whether there is one. An empty
// one is none: a crash while the directory was being made leaves that.
func (h *Host) checkFormat() (made bool, err error) {
	f, err := h.fs.Open(formatName)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil || size == 0 {
		return false, err
	}
	b := make([]byte, min(size, 64))
	if _, err := f.ReadAt(b, 0); err != nil {
		return false, fmt.Errorf("read %s: %w", formatName, err)
	}
	if string(b) == formatText && size == int64(len(formatText)) {
		return true, nil
	}
	if version, ok := strings.CutPrefix(strings.TrimSuffix(string(b), "\n"), formatPrefix); ok {
		return false, fmt.Errorf("%w: its format is version %q, this program knows version %s; "+
			"use the program that made it", ErrFormat, version, formatVersion)
	}
	return false, fmt.Errorf("%w: file %q says %q, want %q",
		ErrFormat, formatName, b, formatText)
}

// ErrUnfinished is returned by Open for a directory that an import has not finished.
var ErrUnfinished = fmt.Errorf("%w: an import into it was not finished; import again, "+
	"which begins anew", ErrFormat)

// makeFormat writes the format file. Nothing else is made before it is durable.
func (h *Host) makeFormat() error {
	names, err := h.fs.List(vfs.Root)
	if err != nil {
		return err
	}
	if slices.Contains(names, importingName) {
		return ErrUnfinished
	}
	for _, name := range []string{logDir, tableName, heapsDir} {
		if slices.Contains(names, name) {
			return fmt.Errorf("%w: it has %q but no file %q", ErrCorrupt, name, formatName)
		}
	}
	return h.writeFormat()
}

// writeFormat makes the directory one of ours.
func (h *Host) writeFormat() error {
	if err := h.fs.Remove(newFormatName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := h.fs.Create(newFormatName)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(formatText), 0)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", formatName, err)
	}
	if err := h.fs.Rename(newFormatName, formatName); err != nil {
		return err
	}
	return h.fs.SyncDir(vfs.Root)
}

// openStores opens the table, the log and the heaps, and feeds the table what
// only the log has. The table is first: that it holds a block proves that the block
// was durable, so that the log does not take damage to it for a torn tail and cut it.
// But where there is no table, none is made before the log has all that was in it.
func (h *Host) openStores() error {
	names, err := h.fs.List(vfs.Root)
	if err != nil {
		return err
	}
	there := slices.Contains(names, tableName)
	if there {
		if err := h.openTable(); err != nil {
			return err
		}
	}
	damagedItems, err := h.openLog()
	if err != nil {
		return err
	}
	if !there {
		if start, end, _ := h.log.Bounds(changesStream); start > 0 {
			return fmt.Errorf("%w: there is no file %q, and the log has blocks %d to %d only",
				ErrCorrupt, tableName, start, end)
		}
		if err := h.openTable(); err != nil {
			return err
		}
	}
	if err := h.redo(); err != nil {
		return err
	}
	if err := h.checkStreams(damagedItems); err != nil {
		return err
	}
	h.heaps, err = snapstore.Open(snapstore.Options{
		FS: h.fs, Dir: heapsDir, HeapBytesMax: int64(h.options.Limits.MemoryBytes),
		PackBytes: h.options.PackBytes, Uncompressed: h.options.Uncompressed,
		UnusedImages: unusedImages,
	})
	if err != nil {
		return err
	}
	for _, f := range h.heaps.Report().Faults {
		h.fault(fmt.Errorf("heaps: mended: %w", &f))
	}
	return nil
}

func (h *Host) openTable() (err error) {
	h.kv, err = kvstore.Open(kvstore.Options{
		FS: h.fs, Name: tableName, CheckpointBytes: h.options.CheckpointBytes,
		NoSync: h.options.NoSync, Inline: h.options.Inline,
	})
	if err == nil && h.kv.Stats().MetaLost {
		h.fault(fmt.Errorf("%s: %w: one of its two heads; the log makes up for it from block %d on",
			tableName, ErrCorrupt, h.kv.TablePosition()))
	}
	return err
}

// openLog opens the log, tells what it mended, and returns how many of its items
// are damaged. Every block has one change set, so the table's position is also the
// number of blocks it holds, but for where an imported directory begins.
func (h *Host) openLog() (damaged int, err error) {
	durable := uint64(0)
	if h.kv != nil {
		durable = h.origin().blockOf(h.kv.TablePosition())
	}
	log, recovered, err := streamstore.Open(streamstore.Options{
		FS: h.fs, Dir: logDir, SegmentBytes: h.options.SegmentBytes, NoSync: h.options.NoSync,
		Durable: durable,
	})
	if err != nil {
		return 0, err
	}
	h.log = log
	h.recovery = Recovery{Blocks: recovered.Block, TornBytes: recovered.CutBytes}
	if recovered.CutBytes > 0 {
		h.fault(fmt.Errorf("log: cut off %d bytes of a torn block at %s offset %d: %s",
			recovered.CutBytes, recovered.CutFile, recovered.CutOffset, recovered.CutReason))
	}
	for _, err := range recovered.Damaged {
		h.fault(fmt.Errorf("log: %w", err))
	}
	return len(recovered.Damaged), nil
}

// unusedImages bounds the images kept of vats that are not in memory. Each is an
// open file.
const unusedImages = 1024

// checkStreams sees, where the log has damaged items, that every stream is one of
// ours: one that seems to be a vat's may come of a changed name, and must not be
// there when a vat of that name is made.
func (h *Host) checkStreams(damaged int) error {
	if damaged == 0 {
		return nil
	}
	for _, name := range h.log.Streams() {
		if name == changesStream || name == outputsStream {
			continue
		}
		if _, ok := vatkeeper.New(swing.VatID(name), h.kv).Options(); !ok {
			return fmt.Errorf("%w: the log has a transcript of %q, and there is no such vat",
				ErrCorrupt, name)
		}
	}
	return nil
}

// redo applies to the table the change sets that only the log has.
func (h *Host) redo() error {
	from := h.kv.Position()
	start, end, known := h.log.Bounds(changesStream)
	if !known { // no block yet since the directory was made or imported
		start = h.origin().position
		end = start
	}
	if from < start || from > end {
		return fmt.Errorf("%w: the table is at block %d, the log has blocks %d to %d",
			ErrCorrupt, from, start, end)
	}
	if !known {
		return nil
	}
	for changes, err := range h.log.Read(changesStream, from, end) {
		if err != nil {
			return err
		}
		if err := h.kv.Redo(h.kv.Position(), changes); err != nil {
			return err
		}
		h.recovery.Redone++
		if h.kv.CheckpointDue() { // a long log must not gather in memory
			if err := h.kv.Checkpoint(); err != nil {
				return err
			}
		}
	}
	return nil
}

// openKernel makes the kernel's state in a new directory, and holds the
// observable options against it in an old one.
func (h *Host) openKernel() error {
	if _, made := h.kv.Get("setup"); !made {
		if h.kv.Position() > 0 {
			return fmt.Errorf("%w: %s is at block %d and has no kernel",
				ErrCorrupt, tableName, h.kv.Position())
		}
		if h.options.Existing {
			return fmt.Errorf("%w: it holds no kernel yet", ErrNotFound)
		}
		limits := h.options.Limits
		if limits == (swing.Limits{}) {
			limits = swing.DefaultLimits()
		}
		kernel.SetSchema(h.kv, h.options.schema.withDefaults().version)
		err := kernel.Init(h.kv, kernel.Options{
			Seed: h.options.Seed, Limits: limits, Schedule: h.options.Schedule,
		})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrOptions, err)
		}
		h.options.Limits = limits
	}
	if err := h.migrate(); err != nil {
		return err
	}
	has := kernel.ReadOptions(h.kv)
	if h.options.Seed != "" && h.options.Seed != has.Seed {
		return fmt.Errorf("%w: seed %q, the directory was made with %q",
			ErrOptions, h.options.Seed, has.Seed)
	}
	if h.options.Limits != (swing.Limits{}) && h.options.Limits != has.Limits {
		return fmt.Errorf("%w: limits %+v, the directory was made with %+v",
			ErrOptions, h.options.Limits, has.Limits)
	}
	recorded := has.Settings()
	for i, asked := range h.options.Settings() {
		if *asked.Value != 0 && *asked.Value != *recorded[i].Value {
			return fmt.Errorf("%w: %s %d, the directory has %d",
				ErrOptions, asked.Name, *asked.Value, *recorded[i].Value)
		}
	}
	h.options.Seed, h.options.Limits, h.options.Schedule = has.Seed, has.Limits, has.Schedule
	return nil
}

// openVats makes the engine, the warehouse and the kernel over them.
func (h *Host) openVats(ctx context.Context, dir string) (err error) {
	cache := ""
	if h.dir != nil && h.options.CacheCompiled && !h.options.Scratch {
		if err := h.fs.Mkdir(compiledName); err != nil {
			return err
		}
		cache = filepath.Join(dir, compiledName)
	}
	if err := h.openEngine(ctx, cache); err != nil {
		return err
	}
	h.homes = newHomes()
	h.clock = &stopwatch{
		now: h.options.Clock, work: works{on: h.options.Observer.Work != nil},
		upkeep: h.options.Observer.Upkeep, queue: h.waiting,
	}
	h.vats, err = warehouse.New(h.machine, source{h}, warehouse.Options{
		MaxPagedIn: h.options.MaxVats, MaxBytes: h.options.MaxBytes,
		MaxPrograms: h.options.MaxPrograms, Snapshots: h.options.Snapshots,
		Evict:        h.options.Evict,
		Upcoming:     func() iter.Seq[swing.VatID] { return h.upcoming(evictLook) },
		PauseOnEvict: h.options.PauseOnEvict, Prefetch: h.options.Prefetch,
		Ahead: h.options.ahead(), Yields: h.options.Yields, Log: h.logVat,
		Lost:  func(e *warehouse.LostError) { h.fault(e) },
		Meter: h.clock,
	})
	if err != nil {
		return err
	}
	h.retain()
	h.clock.Warehouse = h.vats
	for _, name := range kernel.Devices(h.kv) {
		if h.options.Devices[name] == nil {
			return fmt.Errorf("%w: the directory has a device %q: give it in Options.Devices",
				ErrOptions, name)
		}
	}
	h.kernel = kernel.New(h.kv, h.clock, h.options.Devices)
	h.kernel.SetOrder(h.options.Order)
	return nil
}
