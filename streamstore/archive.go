package streamstore

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

// ArchiveStats say what one Archive did.
type ArchiveStats struct {
	Segments     int   // turned into archives, or dropped whole
	SegmentBytes int64 // their length
	Items        int   // taken over
	Dropped      int   // left behind, as Retain allows
	Archives     int   // made
	ArchiveBytes int64 // their length
	Removed      int   // archives in which nothing was needed any more
	Forgotten    int   // streams given up of which nothing is left
}

// Archive turns every segment but the last into an archive of what Retain did
// not give up, and removes archives that nothing is needed of. It reads and
// compresses outside the log's mutex, so it may run beside the writer; it holds
// one segment in memory. A failure leaves the log as it was and usable; only
// Archive itself then refuses to go on.
//
// What is archived is durable before what it replaces is removed:
//
//  1. each archive is written, synced, renamed, its name synced;
//  2. the manifest that lists them all, likewise;
//  3. the segments and archives that it does not list are removed.
//
// A crash before 2 leaves archives that count for nothing beside their segments,
// one after 2 files that the manifest does not list: Open removes both.
func (s *Store) Archive() (ArchiveStats, error) {
	s.archiving.Lock()
	defer s.archiving.Unlock()
	if s.archiveErr != nil {
		return ArchiveStats{}, s.archiveErr
	}
	a, err := s.planArchive()
	if a == nil {
		return ArchiveStats{}, err
	}
	if err := a.run(); err != nil {
		s.archiveErr = fmt.Errorf("%w: archive log %s: %w", ErrBroken, s.o.Dir, err)
		return ArchiveStats{}, s.archiveErr
	}
	return a.stats, nil
}

// archiver is one run of Archive, on a copy of what the store knew at its start.
type archiver struct {
	s        *Store
	manifest manifest
	segments []segment
	plans    []plan         // of every stream
	byName   map[string]int // index in plans
	removed  []string       // files that the manifest does not list any more
	stats    ArchiveStats
}

// plan is where a stream stands, and will stand.
type plan struct {
	standing
	retain  uint64
	logEnd  uint64 // the end of the stream, what is not archived included
	listed  bool   // in the manifest, so far or from now on
	changed bool
}

// planArchive copies what Archive has to know, or nil if there is nothing to do.
func (s *Store) planArchive() (*archiver, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || len(s.segments) <= 1 && !s.retained {
		return nil, s.err
	}
	s.retained = false
	a := &archiver{s: s, manifest: manifest{identity: s.identity, archivedThrough: s.through}}
	a.manifest.archives = slices.Clone(s.archives)
	a.segments = slices.Clone(s.segments[:max(len(s.segments)-1, 0)])
	a.plans = make([]plan, 0, len(s.index.streams))
	for _, st := range s.index.streams {
		a.plans = append(a.plans, plan{
			standing: standing{st.name, st.start, st.rawStart, st.archive},
			retain:   st.retain, logEnd: st.end(), listed: st.listed,
		})
	}
	return a, nil
}

// run does the work, in the order that Archive promises.
func (a *archiver) run() error {
	if a.s.o.NoSync {
		// Else a crash could leave an archive that is not listed yet, and not the
		// name of its segment: that looks like a manifest lost.
		if err := a.s.o.FS.SyncDir(a.s.o.Dir); err != nil {
			return err
		}
	}
	a.sort()
	for _, g := range a.segments {
		if err := a.segment(g); err != nil {
			return err
		}
	}
	a.moveStarts()
	if err := a.dropArchives(); err != nil {
		return err
	}
	if len(a.segments) == 0 && len(a.removed) == 0 {
		return nil // nothing that a manifest would have to say
	}
	a.standings()
	err := a.s.shelf.replace(nameManifest, func(f vfs.File) error {
		_, err := f.WriteAt(a.manifest.encode(), 0)
		return err
	})
	if err != nil {
		return err
	}
	a.apply()
	return a.removeFiles()
}

// sort puts the streams in the order of their names, as manifest and archives
// have them.
func (a *archiver) sort() {
	slices.SortFunc(a.plans, func(x, y plan) int { return cmp.Compare(x.name, y.name) })
	a.byName = make(map[string]int, len(a.plans))
	for i, p := range a.plans {
		a.byName[p.name] = i
	}
}

// moveStarts lets the streams start where Retain said, but not beyond what is
// archived: a start must not be ahead of blocks that a crash may take back.
func (a *archiver) moveStarts() {
	for i := range a.plans {
		p := &a.plans[i]
		if start := min(max(p.start, p.retain), p.end); start > p.start {
			p.start, p.changed = start, true
		}
	}
}

// taken is what a segment holds of one stream.
type taken struct {
	plan  *plan
	first uint64   // position of items[0]
	items [][]byte // alias the segment's bytes
}

// segment makes an archive of one segment, unless nothing in it is needed.
func (a *archiver) segment(g segment) error {
	b, err := a.readSegment(g)
	if err != nil {
		return err
	}
	streams, err := a.take(g, b)
	if err != nil {
		return err
	}
	a.stats.Segments++
	a.stats.SegmentBytes += g.size
	a.removed = append(a.removed, segmentName(g.number))
	needed := streams[:0]
	for _, t := range streams {
		all := len(t.items)
		t.plan.end = t.first + uint64(all)
		t.plan.changed, t.plan.listed = true, true
		if t.plan.retain > t.first {
			drop := min(t.plan.retain-t.first, uint64(all))
			t.items, t.first = t.items[drop:], t.first+drop
		}
		a.stats.Items += len(t.items)
		a.stats.Dropped += all - len(t.items)
		if len(t.items) > 0 {
			needed = append(needed, t)
		}
	}
	if len(needed) == 0 {
		return nil
	}
	slices.SortFunc(needed, func(x, y taken) int { return cmp.Compare(x.plan.name, y.plan.name) })
	return a.write(g.number, needed)
}

// readSegment reads a segment whole: its items are taken from memory, stream by
// stream, and not by a read each.
func (a *archiver) readSegment(g segment) ([]byte, error) {
	name := a.s.path(segmentName(g.number))
	f, err := a.s.o.FS.Open(name)
	if err != nil {
		return nil, err
	}
	b := make([]byte, g.size)
	if err := errors.Join(readFull(f, b, 0), f.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}

// take verifies a segment and sorts its items by stream.
func (a *archiver) take(g segment, b []byte) ([]taken, error) {
	var streams []taken
	at := make(map[string]int) // index in streams
	seed := a.manifest.seed
	for off := 0; off < len(b); {
		f, err := frame.Decode(b[off:])
		if err == nil && f.Seed != seed {
			err = errSeed(f.Seed, seed)
		}
		var c record
		if err == nil && f.Kind == kindRecord {
			c, err = decodeRecord(f)
		}
		if err != nil {
			return nil, damaged(a.s.path(segmentName(g.number)), int64(off), err)
		}
		switch f.Kind {
		case kindRecord:
			i, ok := at[string(c.name)]
			if !ok {
				p := &a.plans[a.byName[string(c.name)]]
				i = len(streams)
				at[p.name] = i
				streams = append(streams, taken{plan: p, first: p.end})
			}
			t := &streams[i]
			if due := t.first + uint64(len(t.items)); c.position != due ||
				string(c.name) != t.plan.name {
				panic(fmt.Sprintf("streamstore: %s@%d in segment %d, the index has %s@%d",
					c.name, c.position, g.number, t.plan.name, due))
			}
			t.items = append(t.items, c.item)
		case kindOpening:
			a.manifest.block++
		}
		seed = f.Check
		off += f.Bytes()
	}
	a.manifest.seed, a.manifest.segment = seed, g.number
	return streams, nil
}

// write makes the archive and lists it.
func (a *archiver) write(number uint32, streams []taken) error {
	var made archived
	err := a.s.shelf.replace(archiveName(number), func(f vfs.File) (err error) {
		w := archiveWriter{file: f}
		made, err = w.write(a.manifest.identity, number, streams)
		return err
	})
	if err != nil {
		return err
	}
	for _, t := range streams {
		t.plan.archive = number
	}
	a.manifest.archives = append(a.manifest.archives, made)
	a.stats.Archives++
	a.stats.ArchiveBytes += made.size
	return nil
}

// standings lists the streams for the manifest. One that has nothing archived is
// found in the segments; it may even be the open block's, and never come to be.
func (a *archiver) standings() {
	for _, p := range a.plans {
		switch {
		case p.forgotten():
			a.stats.Forgotten++
		case p.listed:
			a.manifest.streams = append(a.manifest.streams, p.standing)
		}
	}
}

// apply makes the store see what the manifest says.
func (a *archiver) apply() {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.through, s.archives = a.manifest.archivedThrough, a.manifest.archives
	s.segments = slices.Clone(s.segments[len(a.segments):])
	for _, p := range a.plans {
		st := s.index.streams[p.name]
		switch {
		case p.forgotten() && st.end() == p.logEnd:
			delete(s.index.streams, p.name)
		case p.changed:
			st.start, st.archive, st.listed = p.start, p.archive, true
			st.dropRaw(s.through.segment)
		}
	}
	for _, name := range a.removed {
		s.shelf.forget(name)
	}
}

// removeFiles removes what the manifest, durable by now, does not list. That this
// is not synced is no loss: what comes back after a crash is removed by Open.
func (a *archiver) removeFiles() error {
	for _, name := range a.removed {
		if err := a.s.o.FS.Remove(a.s.path(name)); err != nil {
			return err
		}
	}
	return nil
}
