package snapstore

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Report says what Open found that was not as it had been left. None of it
// keeps the store from being used.
type Report struct {
	// Scanned is how many packs were read whole, for want of a good index file.
	// After Close it is at most one.
	Scanned int
	// Faults are index files that were damaged, and rows of bytes in scanned
	// packs that hold no record: what a crash tore, or damage. Those bytes were
	// cut off. At most 1000 are listed.
	Faults []Fault
	// Salvaged is how many objects behind such rows were stored anew.
	Salvaged int
}

// Open opens the store in a directory, making it if it is not there. It removes
// the images of the last use. It reads the index files and scans the packs that
// have none; their objects are durable when it returns.
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Store{o: o, packs: map[uint32]*pack{}, next: 1, images: newImageCache()}
	op := opening{s: s}
	if err := op.run(); err != nil {
		return nil, errors.Join(
			fmt.Errorf("open snapshot store %s: %w", o.Dir, err),
			s.closePacks(),
		)
	}
	return s, nil
}

// opening is the work of Open.
type opening struct {
	s       *Store
	scanned []*pack
	torn    []tornPack
}

// tornPack is a pack with bytes that are no records, and the records behind them.
type tornPack struct {
	p       *pack
	records []entry
}

func (op *opening) run() error {
	steps := []func() error{
		op.makeDirs, op.clearImages, op.clearCode, op.loadPacks, op.salvage, op.cut, op.settle,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (op *opening) makeDirs() error {
	s := op.s
	for _, dir := range []string{s.in(), s.in(packsDir), s.in(imagesDir), s.in(codeDir)} {
		if err := s.o.FS.Mkdir(dir); err != nil {
			return err
		}
	}
	return errors.Join(s.o.FS.SyncDir(path.Dir(s.in())), s.o.FS.SyncDir(s.in()))
}

// clearImages removes all images: they carry no checks, and a crash may have
// left any part of them.
func (op *opening) clearImages() error {
	return op.remove(imagesDir, func(string) bool { return true })
}

func (op *opening) clearCode() error {
	err := op.remove(codeDir, func(name string) bool { return strings.HasSuffix(name, temporary) })
	if err != nil {
		return err
	}
	// A process that was killed may have left names that are not durable yet.
	return op.s.o.FS.SyncDir(op.s.in(codeDir))
}

// remove removes the files of a directory that the filter names.
func (op *opening) remove(dir string, filter func(name string) bool) error {
	names, err := op.s.o.FS.List(op.s.in(dir))
	if err != nil {
		return err
	}
	for _, name := range names {
		if filter(name) {
			if err := op.s.o.FS.Remove(op.s.in(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// packNumber returns the number in the name of a pack or an index file.
func packNumber(name, suffix string) (uint32, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	n, err := strconv.ParseUint(digits, 16, 32)
	return uint32(n), ok && err == nil && n > 0 && n < packsMax && fmt.Sprintf("%08x", n) == digits
}

// loadPacks loads all packs in ascending order. It first removes index files
// without a pack: Collect was interrupted between the two, and a later pack of
// the same number must not find the index of an earlier one.
func (op *opening) loadPacks() error {
	s := op.s
	names, err := s.o.FS.List(s.in(packsDir))
	if err != nil {
		return err
	}
	err = op.remove(packsDir, func(name string) bool {
		n, ok := packNumber(name, ".index")
		return strings.HasSuffix(name, temporary) ||
			ok && !slices.Contains(names, (&pack{number: n}).name())
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		n, ok := packNumber(name, ".pack")
		if !ok {
			continue // not ours; Verify names it
		}
		if err := op.loadPack(&pack{number: n}); err != nil {
			return fmt.Errorf("load %s: %w", name, err)
		}
	}
	return s.o.FS.SyncDir(s.in(packsDir))
}

func (op *opening) loadPack(p *pack) (err error) {
	s := op.s
	if p.file, err = s.o.FS.Open(s.packFile(p)); err != nil {
		return err
	}
	s.packs[p.number], s.next = p, p.number+1
	if p.size, err = p.file.Size(); err != nil {
		return err
	}
	x, err := s.readPackIndex(p, p.size)
	switch {
	case err == nil:
		for i := range x.entries {
			e := &x.entries[i]
			s.index.set(e.class, &e.hash, e.place, 0)
		}
		p.check, p.sealed = x.check, true
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return op.scanPack(p)
	}
	var damage *Fault
	if !errors.As(err, &damage) {
		return err
	}
	op.fault(damage.File, damage.Offset, damage.Problem)
	if err := s.o.FS.Remove(s.indexFile(p)); err != nil {
		return err
	}
	return op.scanPack(p)
}

func (op *opening) fault(file string, at int64, problem string) {
	list := faultList(op.s.report.Faults)
	list.add(&Fault{File: file, Offset: at, Problem: problem})
	op.s.report.Faults = list
}

// scanPack loads a pack without an index file.
func (op *opening) scanPack(p *pack) error {
	s := op.s
	s.report.Scanned++
	op.scanned = append(op.scanned, p)
	torn, holes := tornPack{p: p}, false
	sc := scan{file: p.file, number: p.number, size: min(p.size, packFileBytesMax)}
	sc.hole = func(start, end int64, problem error) {
		holes = true
		op.fault(
			s.packFile(p),
			start,
			fmt.Sprintf("%d bytes are no record: %v", end-start, problem),
		)
	}
	if sc.size < p.size {
		sc.hole(sc.size, p.size, fmt.Errorf("a pack has at most %d bytes", packFileBytesMax))
	}
	sc.record = func(at int64, r record, chained bool) error {
		cl, _ := classOf(r.kind)
		e := entry{hash: r.hash, class: cl,
			place: place{pack: p.number, offset: uint32(at), size: uint16(r.bytes())}}
		if chained {
			s.index.set(cl, &e.hash, e.place, 0)
			return nil
		}
		torn.records = append(torn.records, e)
		return nil
	}
	if err := sc.run(); err != nil {
		return err
	}
	p.size, p.check = sc.end, sc.check
	if holes {
		op.torn = append(op.torn, torn)
	}
	return nil
}

// salvage stores the records behind torn bytes anew, and makes them durable.
func (op *opening) salvage() error {
	for _, t := range op.torn {
		for i := range t.records {
			if err := op.salvageRecord(t.p, &t.records[i]); err != nil {
				return err
			}
		}
	}
	return op.s.Sync()
}

// salvageRecord copies one record, if it is what it says: one that only looks
// so may be part of a page that a guest wrote.
func (op *opening) salvageRecord(p *pack, e *entry) error {
	s := op.s
	c := borrow()
	defer giveBack(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.record = slices.Grow(c.record[:0], int(e.size))[:e.size]
	if _, err := p.file.ReadAt(c.record, int64(e.offset)); err != nil {
		return err
	}
	_, r, err := c.verified(e.class, e.hash)
	if err != nil {
		return nil // not a record after all
	}
	if s.index.find(e.class, &e.hash) != nil {
		return nil
	}
	s.report.Salvaged++
	return s.storeAgain(r)
}

// cut cuts packs off where they were torn: from then on each is one unbroken
// chain. A pack with nothing left is removed. The new length is made durable with
// the rest, by settle.
func (op *opening) cut() error {
	s := op.s
	for _, t := range op.torn {
		if t.p.size > 0 {
			if err := t.p.file.Truncate(t.p.size); err != nil {
				return err
			}
		}
	}
	for _, p := range op.scanned {
		if p.size == 0 {
			delete(s.packs, p.number)
			if err := s.removeFile(p.file, s.packFile(p)); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle goes on with the latest pack, if it may take more, and seals the other
// packs that were scanned. All that was found becomes durable: a process that
// was killed may have left it in the system's memory only.
func (op *opening) settle() error {
	s := op.s
	for _, p := range op.scanned {
		switch latest := p.number+1 == s.next; {
		case p.size == 0:
		case latest && s.active == nil && p.size < s.o.PackBytes:
			s.active, s.written = p, true
		default:
			s.unsealed = append(s.unsealed, p)
		}
	}
	return s.Sync()
}
