package streamstore

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"sync"

	"vatwarehouse/vfs"
)

// segment is a segment file that is not archived.
type segment struct {
	number uint32
	size   int64 // up to the last whole block
	length int64 // of the file, what is set aside included
}

// Store is an open log. One goroutine appends and commits; all other methods may
// be called from any.
type Store struct {
	o Options

	// archiving is held by Archive and Close, and taken before mu.
	archiving  sync.Mutex
	archiveErr error // sticky

	mu       sync.Mutex
	index    index
	shelf    shelf
	identity uint64 // 0 until the first block of a new log
	segments []segment
	archives []archived // by number
	through  archivedThrough
	file     vfs.File // the last segment's, nil if there is none
	chain    uint32   // the check of the last frame committed
	block    uint64   // the last block committed
	synced   bool     // all up to there is durable
	retained bool     // Retain gave something up since the last Archive
	open     openBlock
	scratch  *scratch // for the next Read, nil while one has it
	err      error    // sticky: broken or closed
	stats    Stats
}

// Open opens the log in a directory, or makes one. It reads every segment. A
// torn tail is cut and reported; after ErrCorrupt, ErrForeign and ErrVersion the
// directory is as it was. The caller sees to it that a log is open only once.
func Open(o Options) (*Store, Recovery, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, Recovery{}, err
	}
	p := &opener{o: o, scan: scanner{x: newIndex()}}
	s, err := p.open()
	if err != nil {
		return nil, Recovery{}, fmt.Errorf("open log %s: %w", o.Dir, err)
	}
	return s, p.rec, nil
}

// Bounds returns the positions [start, end) that a stream holds, those of the
// open block included, and whether there is such a stream.
func (s *Store) Bounds(stream string) (start, end uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.index.streams[stream]
	if st == nil {
		return 0, 0, false
	}
	return st.start, st.end(), true
}

// Streams returns the names of all streams, sorted.
func (s *Store) Streams() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.index.streams))
}

// Retain says that items of the stream before a position are no longer needed.
// It is not written down by itself: the next Archive acts on it, and until then
// the items can be read. A position past the stream's end gives up the stream:
// once none of its items is left in a segment it is forgotten, and its name may
// start anywhere again.
func (s *Store) Retain(stream string, before uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.index.streams[stream]; st != nil && before > st.retain {
		st.retain, s.retained = before, true
	}
}

// Stats returns what was done so far, and what there is.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Streams, st.Segments, st.Archives = len(s.index.streams), len(s.segments), len(s.archives)
	for _, g := range s.segments {
		st.DiskBytes += g.length
	}
	for _, a := range s.archives {
		st.DiskBytes += a.size
	}
	return st
}

// Close discards the open block, cuts off the space set aside and, unless the
// log is broken, leaves a mark, durably: from then on not a bit of the log can
// change or be missing without Open noticing. It waits for Archive. Closing
// again does nothing.
func (s *Store) Close() error {
	s.archiving.Lock()
	defer s.archiving.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.err, ErrClosed) {
		return nil
	}
	s.discard()
	var err error
	if s.err == nil {
		err = s.finish()
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	s.shelf.close()
	s.err = ErrClosed
	if err != nil {
		return fmt.Errorf("close log %s: %w", s.o.Dir, err)
	}
	return nil
}

// finish makes the log durable as it is, and marks its end.
func (s *Store) finish() error {
	if len(s.segments) == 0 && s.through.segment == 0 {
		return nil // nothing was ever written
	}
	mark := closedMark{identity: s.identity, seed: s.chain, block: s.block}
	if n := len(s.segments); n > 0 {
		g := s.segments[n-1]
		mark.segment, mark.size = g.number, uint64(g.size)
		if err := errors.Join(s.file.Truncate(g.size), s.file.Sync()); err != nil {
			return err
		}
	}
	if !s.synced {
		if err := s.syncEarlier(); err != nil {
			return err
		}
	}
	return s.shelf.replace(nameClosed, func(f vfs.File) error {
		_, err := f.WriteAt(mark.encode(), 0)
		return err
	})
}

// syncEarlier makes durable what NoSync left: every segment but the last, and the
// names of all. The mark must not be there after a crash and they not.
func (s *Store) syncEarlier() error {
	for _, g := range s.segments[:max(len(s.segments)-1, 0)] {
		f, err := s.o.FS.Open(s.path(segmentName(g.number)))
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return s.o.FS.SyncDir(s.o.Dir)
}

// path returns the name in FS of a file of the log.
func (s *Store) path(name string) string { return path.Join(s.o.Dir, name) }
