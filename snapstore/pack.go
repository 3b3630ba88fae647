package snapstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// FormatVersion is the version of packs and index files.
const FormatVersion = 1

const (
	packMagic       = "vatpack"
	packHeaderBytes = len(packMagic) + 1 + 4
	// packsMax bounds the packs' numbers, of which none is used twice.
	packsMax = math.MaxUint32
	// packFileBytesMax bounds a pack's length: one record may pass PackBytes.
	packFileBytesMax = packBytesMax + recordBytesMax
	// unsealedPacksMax bounds the packs that Open would have to scan after a
	// crash. A commit that would exceed it syncs first.
	unsealedPacksMax = 8
)

// pack is one pack file. Its fields but number and file are guarded by Store.mu.
type pack struct {
	number uint32
	file   vfs.File
	size   int64  // where the next record goes, what is buffered included
	check  uint32 // seed of the next record
	sealed bool   // synced, and its index file written
}

func (p *pack) name() string      { return fmt.Sprintf("%08x.pack", p.number) }
func (p *pack) indexName() string { return fmt.Sprintf("%08x.index", p.number) }

func (s *Store) packFile(p *pack) string  { return s.in(packsDir, p.name()) }
func (s *Store) indexFile(p *pack) string { return s.in(packsDir, p.indexName()) }

func packHeader(number uint32) []byte {
	b := append([]byte(packMagic), FormatVersion)
	return binary.LittleEndian.AppendUint32(b, number)
}

// ErrVersion is what a file of a later format is refused with.
var ErrVersion = errors.New("format version unknown to this program")

// checkPackHeader returns why f is not the first frame of the pack, or nil.
func checkPackHeader(f frame.Frame, number uint32) error {
	n := len(packMagic)
	switch {
	case f.Kind != kindPackHeader || len(f.Body) != packHeaderBytes || f.Seed != 0,
		string(f.Body[:n]) != packMagic:
		return errors.New("not a pack's header")
	case f.Body[n] != FormatVersion:
		return fmt.Errorf("%w: %d", ErrVersion, f.Body[n])
	}
	if got := binary.LittleEndian.Uint32(f.Body[n+1:]); got != number {
		return fmt.Errorf("the header of pack %08x", got)
	}
	return nil
}

// object is one to be stored.
type object struct {
	kind byte
	hash swing.Hash
	body []byte
	raw  int // its bytes, uncompressed
}

// put stores an object unless it is stored already. It returns the bytes that
// the packs grew by; mu is held.
func (s *Store) put(o object) (int, error) {
	cl, _ := classOf(o.kind)
	s.index.reserve()
	i := s.index.slot(cl, &o.hash)
	if e := s.index.stored(i); e != nil {
		s.hit(e)
		return 0, nil
	}
	at, err := s.append(o.kind, o.hash, o.body)
	if err != nil {
		return 0, err
	}
	s.index.fill(i, cl, &o.hash, at, flagNew)
	return int(at.size), nil
}

// storeAgain gives an object a new place; mu is held. That keeps it from no
// collection: it may be part of a heap of which the rest is gone.
func (s *Store) storeAgain(r record) error {
	at, err := s.append(r.kind, r.hash, r.body)
	if err != nil {
		return err
	}
	cl, _ := classOf(r.kind)
	s.index.set(cl, &r.hash, at, 0)
	return nil
}

// absent returns those of the objects that are not stored, and keeps the others
// from being collected until the Collect after next. It works in place. It waits
// for nobody: while another lane stores it returns all, and leaves it to put to
// find out. To wait took 7 % of a large commit's time.
func (s *Store) absent(objects []object) []object {
	if !s.mu.TryLock() {
		return objects
	}
	defer s.mu.Unlock()
	s.index.warm(objects)
	return slices.DeleteFunc(objects, func(o object) bool {
		cl, _ := classOf(o.kind)
		return s.touch(cl, &o.hash)
	})
}

// has is absent for one object, the other way round.
func (s *Store) has(cl class, hash *swing.Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.touch(cl, hash)
}

func (s *Store) touch(cl class, hash *swing.Hash) bool {
	e := s.index.find(cl, hash)
	if e != nil {
		s.hit(e)
	}
	return e != nil
}

// hit notes that an object was found stored.
func (s *Store) hit(e *entry) {
	e.flags |= flagNew
	s.counts.dedupHits++
}

// append adds a record to the active pack; mu is held.
func (s *Store) append(kind byte, hash swing.Hash, body []byte) (place, error) {
	if s.failed != nil {
		return place{}, s.failed
	}
	if err := checkBody(kind, body); err != nil {
		panic(fmt.Sprintf("snapstore: store %v: %v", hash, err))
	}
	n := recordHeadBytes + len(body)
	if err := s.makeRoom(n); err != nil {
		return place{}, err
	}
	p := s.active
	at := place{pack: p.number, offset: uint32(p.size), size: uint16(n)}
	s.buf, p.check = frame.Append(s.buf, kind, p.check, hash[:], body)
	p.size += int64(n)
	return at, nil
}

// makeRoom sees to it that there is an active pack, and that it and the buffer
// take n more bytes.
func (s *Store) makeRoom(n int) error {
	if s.active != nil && s.active.size+int64(n) > s.o.PackBytes {
		if err := s.flush(); err != nil {
			return err
		}
		s.unsealed = append(s.unsealed, s.active)
		s.active = nil
	}
	if s.active == nil {
		return s.newPack()
	}
	if len(s.buf)+n > s.o.BufferBytes {
		return s.flush()
	}
	return nil
}

func (s *Store) newPack() error {
	if s.next == packsMax {
		return s.fail(fmt.Errorf("make pack: all %d numbers are used", uint32(packsMax)))
	}
	p := &pack{number: s.next}
	f, err := s.o.FS.Create(s.packFile(p))
	if err != nil {
		return s.fail(fmt.Errorf("make pack: %w", err))
	}
	p.file = f
	s.next++
	s.newNames = true
	s.begin(p)
	return nil
}

// begin makes an empty pack the active one.
func (s *Store) begin(p *pack) {
	s.buf, p.check = frame.Append(s.buf[:0], kindPackHeader, 0, packHeader(p.number))
	p.size = int64(len(s.buf))
	s.packs[p.number], s.active = p, p
}

// flush writes what is buffered; mu is held.
func (s *Store) flush() error {
	if s.failed != nil || len(s.buf) == 0 {
		return s.failed
	}
	p := s.active
	if _, err := p.file.WriteAt(s.buf, p.size-int64(len(s.buf))); err != nil {
		return s.fail(fmt.Errorf("write %s: %w", p.name(), err))
	}
	s.buf = s.buf[:0]
	s.written = true
	return nil
}

// read returns an object and its record, verified; both alias c. The world is
// held. An object found damaged is forgotten, so that the next commit that has
// it stores it anew.
func (s *Store) read(cl class, hash swing.Hash, c *scratch) ([]byte, record, error) {
	at, file, err := s.fetch(cl, hash, c)
	if err != nil {
		return nil, record{}, err
	}
	if file != nil {
		n, err := file.ReadAt(c.record, int64(at.offset))
		if c.record = c.record[:n]; err != nil && !errors.Is(err, io.EOF) {
			return nil, record{}, fmt.Errorf("read %v %s…: %w", cl, hash.Short(), err)
		}
	}
	object, r, err := c.verified(cl, hash)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.index.condemn(cl, &hash, at)
		return nil, record{}, &Fault{
			File: s.packFile(&pack{number: at.pack}), Offset: int64(at.offset), Object: hash,
			Problem: err.Error(),
		}
	}
	return object, r, nil
}

// fetch finds an object and makes room for its record in c. It returns the file
// to read it from, or nil if the record was in the buffer and has been copied.
func (s *Store) fetch(cl class, hash swing.Hash, c *scratch) (place, vfs.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.index.find(cl, &hash)
	if e == nil {
		return place{}, nil, fmt.Errorf("%v %s…: %w", cl, hash.Short(), ErrNotFound)
	}
	c.record = slices.Grow(c.record[:0], int(e.size))[:e.size]
	p := s.packs[e.pack]
	if p == s.active {
		if at := int64(e.offset) - (p.size - int64(len(s.buf))); at >= 0 {
			copy(c.record, s.buf[at:])
			return e.place, nil, nil
		}
	}
	return e.place, p.file, nil
}

// verified decodes c.record, which must be the whole record of that object.
func (c *scratch) verified(cl class, hash swing.Hash) ([]byte, record, error) {
	r, err := decodeRecord(c.record)
	if err != nil {
		return nil, record{}, err
	}
	if got, _ := classOf(r.kind); got != cl || r.hash != hash || r.bytes() != len(c.record) {
		return nil, record{}, fmt.Errorf(
			"the record of another object, %v %s…",
			got,
			r.hash.Short(),
		)
	}
	object, err := c.content(r)
	return object, r, err
}
