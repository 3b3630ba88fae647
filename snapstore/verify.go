package snapstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"vatwarehouse/swing"
)

// Verify reads every byte of every pack, index file and program's code, and
// reports each fault. Its error is that of reading, not of what was read. An
// object found damaged is forgotten, so that the next commit that has it stores
// it anew. Collect waits meanwhile.
func (s *Store) Verify(report func(Fault)) error {
	s.collecting.Lock()
	defer s.collecting.Unlock()
	v := &verification{s: s, c: borrow(), report: report, ends: map[uint32]int64{}}
	defer giveBack(v.c)
	if err := v.run(); err != nil {
		return fmt.Errorf("verify snapshot store: %w", err)
	}
	return nil
}

// verification is the work of one Verify.
type verification struct {
	s      *Store
	c      *scratch
	report func(Fault)
	ends   map[uint32]int64 // how far each pack was read
}

func (v *verification) run() error {
	packs, err := v.begin()
	if err != nil {
		return err
	}
	for _, p := range packs {
		if err := v.pack(p); err != nil {
			return fmt.Errorf("%s: %w", p.name(), err)
		}
	}
	v.unseen()
	return errors.Join(v.strangers(), v.code())
}

// begin writes what is buffered and returns the packs, of which those parts are
// read that exist now.
func (v *verification) begin() (packs []pack, err error) {
	s := v.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	err = s.flush()
	for _, p := range s.packs {
		packs = append(packs, *p)
	}
	slices.SortFunc(packs, func(a, b pack) int { return int(a.number) - int(b.number) })
	s.index.each(func(e *entry) { e.flags &^= flagSeen })
	return packs, err // if a write failed: what the last pack holds is not known
}

func (v *verification) pack(p pack) error {
	v.ends[p.number] = p.size
	sound := true
	fault := func(at int64, object swing.Hash, problem string) {
		sound = false
		v.report(Fault{File: v.s.packFile(&p), Offset: at, Object: object, Problem: problem})
	}
	sc := scan{file: p.file, number: p.number, size: p.size}
	sc.hole = func(start, end int64, problem error) {
		fault(start, swing.Hash{}, fmt.Sprintf("%d bytes are no record: %v", end-start, problem))
	}
	sc.record = func(at int64, r record, _ bool) error {
		if _, err := v.c.content(r); err != nil {
			fault(at, r.hash, err.Error())
		} else {
			v.seen(p.number, at, r)
		}
		return nil
	}
	if err := sc.run(); err != nil {
		return err
	}
	if sound && (sc.end != p.size || sc.check != p.check) {
		fault(
			sc.end,
			swing.Hash{},
			fmt.Sprintf("the pack ends here with check %08x, not at %d with %08x",
				sc.check, p.size, p.check),
		)
	}
	if !p.sealed {
		return nil
	}
	if size, err := p.file.Size(); err != nil {
		return err
	} else if size > p.size {
		fault(p.size, swing.Hash{}, fmt.Sprintf("%d bytes follow the end of the pack", size-p.size))
	}
	return v.index(&p)
}

// index checks an index file. That its entries are true is seen by the next
// Open to rely on it: here they are compared with nothing but its checks.
func (v *verification) index(p *pack) error {
	_, err := v.s.readPackIndex(p, p.size)
	var f *Fault
	if errors.As(err, &f) {
		v.report(*f)
		return nil
	}
	return err
}

// seen notes that an object was read where the index has it.
func (v *verification) seen(number uint32, at int64, r record) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	cl, _ := classOf(r.kind)
	if e := v.s.index.find(cl, &r.hash); e != nil && e.pack == number && int64(e.offset) == at {
		e.flags |= flagSeen
	}
}

// unseen reports and forgets objects that were not where the index has them.
func (v *verification) unseen() {
	s := v.s
	s.mu.Lock()
	var lost []entry
	s.index.each(func(e *entry) {
		if e.flags&flagSeen == 0 && int64(e.offset) < v.ends[e.pack] {
			lost = append(lost, *e)
		}
	})
	for i := range lost {
		s.index.condemn(lost[i].class, &lost[i].hash, lost[i].place)
	}
	s.mu.Unlock()
	for _, e := range lost {
		v.report(Fault{
			File: s.packFile(&pack{number: e.pack}), Offset: int64(e.offset), Object: e.hash,
			Problem: fmt.Sprintf("this %v is not readable", e.class),
		})
	}
}

// strangers reports files among the packs that are none of the store's.
func (v *verification) strangers() error {
	s := v.s
	names, err := s.o.FS.List(s.in(packsDir))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		n, ok := packNumber(name, ".pack")
		if !ok {
			n, ok = packNumber(name, ".index")
		}
		if (!ok || s.packs[n] == nil) && !strings.HasSuffix(name, temporary) {
			v.report(Fault{File: s.in(packsDir, name), Problem: "not a file of the store"})
		}
	}
	return nil
}

// code verifies every program's code.
func (v *verification) code() error {
	s := v.s
	names, err := s.o.FS.List(s.in(codeDir))
	if err != nil {
		return err
	}
	for _, name := range names {
		hash, err := swing.ParseHash(name)
		if err != nil {
			if !strings.HasSuffix(name, temporary) {
				v.report(Fault{File: s.in(codeDir, name), Problem: "not a file of the store"})
			}
			continue
		}
		var f *Fault
		if _, err := s.readCode(hash); errors.As(err, &f) {
			v.report(*f)
		} else if err != nil {
			return err
		}
	}
	return nil
}
