package streamstore

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Verify reads every byte of the log that is committed and reports each fault.
// It returns ErrCorrupt, with the number of faults, if there is any, and another
// error if it could not go on reading. The log may be used meanwhile; what is
// committed or archived after the start may be left out.
func (s *Store) Verify(report func(Fault)) error {
	s.mu.Lock()
	v := verifier{s: s, report: report, seed: s.through.seed, chained: true}
	archives, segments := slices.Clone(s.archives), slices.Clone(s.segments)
	manifest := s.through.segment > 0
	err := s.err
	s.mu.Unlock()
	if errors.Is(err, ErrClosed) {
		return ErrClosed
	}
	if manifest {
		err := v.file(nameManifest, func(t *tape) error {
			_, err := readManifest(t.file, t.name)
			return v.fault(Fault{File: t.name, Err: err})
		})
		if err != nil {
			return fmt.Errorf("verify log: %w", err)
		}
	}
	for _, a := range archives {
		err := v.file(archiveName(a.number), func(t *tape) error { return v.archive(t, a) })
		if err != nil {
			return fmt.Errorf("verify log: %w", err)
		}
	}
	for _, g := range segments {
		err := v.file(segmentName(g.number), func(t *tape) error { return v.segment(t, g) })
		if err != nil {
			return fmt.Errorf("verify log: %w", err)
		}
	}
	if v.faults > 0 {
		return fmt.Errorf("verify log %s: %w: %d faults", s.o.Dir, ErrCorrupt, v.faults)
	}
	return nil
}

// verifier is one use of Verify.
type verifier struct {
	s       *Store
	report  func(Fault)
	faults  int
	seed    uint32
	chained bool // the next frame's seed is known
}

// fault reports f if its error says that bytes are bad, and passes on other ones.
func (v *verifier) fault(f Fault) error {
	if f.Err == nil {
		return nil
	}
	bad := badFrame(f.Err) || errors.Is(f.Err, errStale) || errors.Is(f.Err, errBody)
	if !bad && !errors.Is(f.Err, ErrCorrupt) && !errors.Is(f.Err, ErrVersion) {
		return f.Err
	}
	v.faults++
	v.report(f)
	return nil
}

// file opens a file of the log. One that Archive removed meanwhile is passed.
func (v *verifier) file(name string, use func(t *tape) error) error {
	full := v.s.path(name)
	f, err := v.s.o.FS.Open(full)
	if errors.Is(err, fs.ErrNotExist) {
		v.chained = false
		if v.s.has(name) {
			return v.fault(Fault{File: full, Err: corrupt(full, 0, "the file is missing")})
		}
		return nil
	}
	if err != nil {
		return err
	}
	t, err := newTape(f, full)
	if err == nil {
		err = use(t)
	}
	return errors.Join(err, f.Close())
}

// has reports whether a file still belongs to the log.
func (s *Store) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return name == nameManifest ||
		slices.ContainsFunc(
			s.segments,
			func(g segment) bool { return segmentName(g.number) == name },
		) ||
		slices.ContainsFunc(
			s.archives,
			func(a archived) bool { return archiveName(a.number) == name },
		)
}

// lying is a record where it lies in a segment.
type lying struct {
	offset, end int64
	stream      string
	position    uint64
}

// records returns what the index knows of a segment, by offset.
func (s *Store) records(g segment) []lying {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []lying
	for name, st := range s.index.streams {
		for i, p := range st.raw {
			if at := int64(p.offset); p.segment == g.number && at < g.size {
				all = append(all, lying{at, at + int64(p.size), name, st.rawStart + uint64(i)})
			}
		}
	}
	slices.SortFunc(all, func(a, b lying) int { return cmp.Compare(a.offset, b.offset) })
	return all
}

// segment verifies the frames of a segment. Past a bad one it goes on where the
// index says that the next begins.
func (v *verifier) segment(t *tape, g segment) error {
	if t.size < g.size {
		err := corrupt(t.name, t.size, "the end, %d bytes early", g.size-t.size)
		if err := v.fault(Fault{File: t.name, Offset: t.size, Err: err}); err != nil {
			return err
		}
	}
	t.size = min(t.size, g.size)
	var known []lying
	for off := int64(0); off < t.size; {
		f, err := t.frame(off)
		if err == nil && v.chained && f.Seed != v.seed {
			err = errSeed(f.Seed, v.seed)
		}
		if err == nil {
			v.seed, v.chained = f.Check, true
			off += int64(f.Bytes())
			continue
		}
		if known == nil {
			known = v.s.records(g)
		}
		bad, next := around(known, off, t.size)
		bad.File, bad.Offset, bad.Err = t.name, off, err
		if err := v.fault(bad); err != nil {
			return err
		}
		v.chained = false
		off = next
	}
	return nil
}

// around returns what lies at the offset, and where the next frame begins.
func around(known []lying, off, size int64) (f Fault, next int64) {
	i, found := slices.BinarySearchFunc(known, off, func(l lying, off int64) int {
		return cmp.Compare(l.offset, off)
	})
	switch {
	case found:
		return Fault{Stream: known[i].stream, Position: known[i].position}, known[i].end
	case off == 0:
		return f, segmentHeaderBytes
	case i > 0 && off == known[i-1].end:
		return f, off + closingBytes
	case i < len(known):
		return f, known[i].offset
	}
	return f, size
}
