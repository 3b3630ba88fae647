package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"vatwarehouse/internal/portable"
	"vatwarehouse/kernel"
	"vatwarehouse/kvstore"
	"vatwarehouse/snapstore"
	"vatwarehouse/streamstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vfs"
	"vatwarehouse/worker"
)

// ImportOptions say what an import takes. The zero value is good; so is nil.
type ImportOptions struct {
	// Root, if it is not zero, is the only root that is accepted.
	Root swing.Hash
	// Host are the options that the directory will be opened with: FS, NoSync, the
	// sizes of files, and the engine, which must be the one of the snapshots if
	// the vats cannot come back without them.
	Host Options
	// Progress is told now and then how many bytes have been read; nil is nobody.
	Progress func(bytes uint64)
}

// Imported says what was imported.
type Imported = Exported

// importBlockBytes is about how much of the transcripts is made durable together.
const importBlockBytes = 8 << 20

// importBufferBytes is how much is read at once.
const importBufferBytes = 256 << 10

// Import makes a directory out of an export of a state. All of it is verified, and
// the kernel's counts are recounted, before the directory can be opened; one that
// was left half finished, by a crash or an error, is refused by Open, and a later
// Import into it begins anew. With dir "" and no FS in the options nothing is kept:
// the export is only verified.
func Import(
	ctx context.Context, source io.Reader, dir string, o *ImportOptions,
) (done Imported, err error) {
	if o == nil {
		o = &ImportOptions{}
	}
	options, err := o.Host.withDefaults()
	if err != nil {
		return done, fmt.Errorf("import: %w", err)
	}
	im := &importing{h: &Host{options: options}, o: o}
	if im.r, err = portable.NewReader(bufio.NewReaderSize(source, importBufferBytes)); err == nil {
		err = im.run(ctx, dir)
	}
	err = errors.Join(err, im.close(ctx))
	if err != nil {
		return done, fmt.Errorf("import: %w", damaged(err))
	}
	return im.done, nil
}

// ParseRoot reads a root as Hash.String writes it.
func ParseRoot(text string) (swing.Hash, error) { return swing.ParseHash(text) }

// Peek reads the head of an export and says what it is of: "state", "feed" or "vat".
func Peek(source io.Reader) (string, error) {
	r, err := portable.NewReader(source)
	if err != nil {
		return "", damaged(err)
	}
	words := map[portable.What]string{
		portable.State: "state", portable.Feed: "feed", portable.Vat: "vat",
	}
	return words[r.What()], nil
}

// importing is an Import in progress. Its Host is not open: it has the files and
// the stores as they are needed.
type importing struct {
	h    *Host
	o    *ImportOptions
	r    *portable.Reader
	m    portable.Metadata
	done Imported

	table  *kvstore.Restoring
	limits swing.Limits // of the kernel
	block  int          // bytes of the log's open block
	last   uint64       // the log's last block
}

func (im *importing) run(ctx context.Context, dir string) error {
	if what := im.r.What(); what != portable.State {
		return fmt.Errorf("%w: it is %v, and only a state can be imported into a new "+
			"directory", ErrRefused, what)
	}
	steps := []func(context.Context) error{
		func(context.Context) error { return im.openFiles(dir) },
		im.metadata, im.programs, im.history, im.heaps, im.records, im.verify,
	}
	for _, step := range steps {
		if err := errors.Join(ctx.Err(), step(ctx)); err != nil {
			return err
		}
	}
	if err := im.h.writeFormat(); err != nil {
		return err
	}
	return errors.Join(im.h.fs.Remove(importingName), im.h.fs.SyncDir(vfs.Root))
}

// close gives up what is open. What is on disk stays as it is.
func (im *importing) close(ctx context.Context) error {
	var err error
	if im.table != nil {
		err = im.table.Abandon()
	}
	return errors.Join(err, im.h.release(ctx))
}

// openFiles takes the directory, which must be new, empty, or of an import that was
// not finished, and marks it as one.
func (im *importing) openFiles(dir string) (err error) {
	h := im.h
	h.fs = h.options.FS
	switch {
	case h.fs != nil:
	case dir == "":
		h.fs = vfs.NewMem()
	default:
		if h.dir, err = vfs.Open(dir); err != nil {
			return err
		}
		h.fs = h.dir
	}
	if err := im.refuseFull(); err != nil {
		return err
	}
	if h.lock, err = h.fs.Lock(lockName); err != nil {
		return err
	}
	if err := im.refuseFull(); err != nil { // or someone else was first
		return err
	}
	f, err := h.fs.Create(importingName)
	if errors.Is(err, fs.ErrExist) {
		return clearDir(h.fs, vfs.Root, func(name string) bool {
			return name == lockName || name == importingName
		})
	}
	if err == nil {
		err = f.Close()
	}
	return errors.Join(err, h.fs.SyncDir(vfs.Root))
}

// refuseFull refuses a directory that holds something, but for a lock and what an
// import left that was not finished.
func (im *importing) refuseFull() error {
	names, err := im.h.fs.List(vfs.Root)
	if err != nil {
		return err
	}
	if slices.Contains(names, importingName) && !slices.Contains(names, formatName) {
		return nil
	}
	for _, name := range names {
		if name != lockName {
			return fmt.Errorf("%w: the directory is not empty, it has %q; give a new one",
				ErrRefused, name)
		}
	}
	return nil
}

// clearDir removes what is in a directory, but what is to be kept.
func clearDir(files vfs.FS, dir string, keep func(name string) bool) error {
	names, err := files.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if keep(name) {
			continue
		}
		name = path.Join(dir, name)
		err := files.Remove(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			err = clearDir(files, name, func(string) bool { return false })
			if err == nil {
				err = files.Remove(name)
			}
		}
		if err != nil {
			return err
		}
	}
	return files.SyncDir(dir)
}

// metadata reads the metadata, and puts its rows into the table.
func (im *importing) metadata(context.Context) error {
	h := im.h
	facts, err := im.r.Facts()
	if err != nil {
		return err
	}
	plan := h.options.schema.withDefaults()
	if err := plan.checkSchema("the export", facts.Schema); err != nil {
		return err
	}
	im.table, err = kvstore.Restore(kvstore.Options{
		FS: h.fs, Name: tableName, CheckpointBytes: h.options.CheckpointBytes,
		NoSync: h.options.NoSync,
	}, facts.Block)
	if err != nil {
		return err
	}
	im.m, im.done.Root, err = im.r.Metadata(facts, im.row, nil)
	if err != nil {
		return err
	}
	if want := im.o.Root; !want.IsZero() && want != im.done.Root {
		return fmt.Errorf("%w: its root is %s, not %s", ErrRefused, im.done.Root, want)
	}
	im.done.Mode, im.done.Block = facts.Mode, facts.Block
	im.done.Activityhash = facts.Activityhash
	im.done.Base = &Base{m: im.m}
	return nil
}

// row puts one row into the table.
func (im *importing) row(row portable.Row) error {
	if !travels(row.Key) {
		return fmt.Errorf("%w: a row %q", portable.ErrCorrupt, row.Key)
	}
	if err := checkPrivate(row.Key, row.Value); err != nil {
		return fmt.Errorf("%w: %w", portable.ErrCorrupt, err)
	}
	if row.Key == kernel.SetupKey {
		o, err := kernel.DecodeOptions(row.Value)
		if err != nil {
			return fmt.Errorf("%w: %w", portable.ErrCorrupt, &RowError{Key: row.Key, Err: err})
		}
		im.limits = o.Limits
	}
	im.done.Rows++
	return im.table.Set(row.Key, row.Value)
}

// openHeaps opens the snapshot store, whose limit on heaps is the directory's.
func (im *importing) openHeaps() (err error) {
	h := im.h
	h.heaps, err = snapstore.Open(snapstore.Options{
		FS: h.fs, Dir: heapsDir, HeapBytesMax: int64(im.limits.MemoryBytes),
		PackBytes: h.options.PackBytes,
	})
	return err
}

// programs stores the programs.
func (im *importing) programs(context.Context) error {
	if err := im.openHeaps(); err != nil {
		return err
	}
	for _, want := range im.m.Programs {
		code, err := codeFrom(im.r, want)
		if err == nil {
			_, err = im.h.heaps.PutCode(code)
		}
		if err != nil {
			return err
		}
		im.done.Programs++
	}
	return nil
}

// codeFrom reads a program, which must be the one that is due.
func codeFrom(r *portable.Reader, want swing.Hash) ([]byte, error) {
	code, err := r.Code()
	if err != nil {
		return nil, err
	}
	if got := worker.CodeHash(code); got != want {
		return nil, fmt.Errorf("%w: program %s where %s is due", portable.ErrCorrupt, got, want)
	}
	return code, nil
}

// history writes transcripts and outputs to the log, from the positions on at which
// they begin.
func (im *importing) history(ctx context.Context) (err error) {
	h := im.h
	h.log, _, err = streamstore.Open(streamstore.Options{
		FS: h.fs, Dir: logDir, SegmentBytes: h.options.SegmentBytes, NoSync: h.options.NoSync,
	})
	if err != nil {
		return err
	}
	marks := im.marks()
	for _, s := range im.m.Spans {
		if err := errors.Join(ctx.Err(), im.span(s, marks[s.Vat])); err != nil {
			return err
		}
		im.done.Entries += s.End - s.Start
	}
	at := im.m.Outputs.Start
	for item, err := range im.r.AllOutputs(im.m.Outputs) {
		if err == nil {
			_, err = decodeOutput(at, item)
		}
		if err == nil {
			err = im.append(outputsStream, at, item)
		}
		if err != nil {
			return err
		}
		at++
	}
	im.done.Outputs = im.m.Outputs.End - im.m.Outputs.Start
	return im.commit()
}

// marks are the snapshots of each vat, by position.
func (im *importing) marks() map[swing.VatID]map[uint64]portable.Snapshot {
	marks := map[swing.VatID]map[uint64]portable.Snapshot{}
	for _, s := range im.m.Snapshots {
		if marks[s.Vat] == nil {
			marks[s.Vat] = map[uint64]portable.Snapshot{}
		}
		marks[s.Vat][s.Position] = s
	}
	return marks
}

// span writes one span, and holds the chain against the vat's snapshots on the way.
func (im *importing) span(s portable.Span, marks map[uint64]portable.Snapshot) error {
	at := transcript.Span{Incarnation: s.Incarnation, Start: s.Start, End: s.Start, Hash: s.Base}
	check := func() error {
		m, ok := marks[at.End]
		if ok && m.Incarnation == s.Incarnation && m.Transcript != at.Hash {
			return fmt.Errorf("%w: the snapshot of vat %s at %d is of transcript %s, not %s",
				portable.ErrCorrupt, s.Vat, at.End, m.Transcript.Short(), at.Hash.Short())
		}
		return nil
	}
	if err := check(); err != nil {
		return err
	}
	for item, err := range im.r.Entries(s) {
		if err == nil {
			err = im.append(string(s.Vat), at.End, item)
		}
		if err == nil {
			at = at.Extend(item)
			err = check()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// append puts an item into the log's open block, and ends the block when it is full.
func (im *importing) append(stream string, position uint64, item []byte) error {
	im.h.log.Append(stream, position, item)
	if im.block += len(item); im.block < importBlockBytes {
		return nil
	}
	return im.commit()
}

func (im *importing) commit() (err error) {
	im.block = 0
	im.last, err = im.h.log.Commit()
	if im.o.Progress != nil {
		im.o.Progress(im.r.Bytes())
	}
	return err
}

// heaps stores the snapshots' heaps, and sees that the export ends after them.
func (im *importing) heaps(ctx context.Context) error {
	heaps := im.h.heaps.NewImport(im.r.Object)
	for _, s := range im.m.Snapshots {
		if err := errors.Join(ctx.Err(), heaps.Heap(s.Heap)); err != nil {
			return err
		}
		im.done.Snapshots++
		if im.o.Progress != nil {
			im.o.Progress(im.r.Bytes())
		}
	}
	if err := im.r.End(); err != nil {
		return err
	}
	im.done.Bytes = im.r.Bytes()
	return im.h.heaps.Sync()
}
