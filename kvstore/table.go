package kvstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
	"os"
	"path"

	"vatwarehouse/swing"
)

// table is the keys as of a position, in a file. All but what checkpoint
// returns is called by the store's own goroutine.
type table interface {
	// head returns what the last whole checkpoint recorded. It must not be called
	// while one is in flight.
	head() head
	// metaLost reports Stats.MetaLost.
	metaLost() bool
	// get returns a key's value, which is the caller's to keep but not to change.
	get(key string) (value []byte, ok bool, err error)
	// next returns the least key after the given one, or "".
	next(after string) (key string, err error)
	// release ends whatever view of the file get and next hold.
	release()
	// checkpoint returns the work of one: it makes the table that of the position,
	// with the dirty entries written in, durably or not at all. The work runs
	// beside get, next and release, which may see the table before or after.
	checkpoint(position uint64, sorted func() []*entry) (work func() error)
	close() error
}

// newSuffix is what a file is called beside its name until it is whole.
const newSuffix = ".new"

// openTable opens the kind of table that the file system can hold.
func openTable(o Options) (table, error) {
	f, err := o.FS.OpenFile(o.Name, os.O_RDWR, 0)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return openMem(o)
	case errors.Is(err, os.ErrNotExist):
		if err := createBolt(o); err != nil {
			return nil, fmt.Errorf("create: %w", err)
		}
	case err != nil:
		return nil, err
	default:
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return openBolt(o)
}

// removeNew removes what a creation or checkpoint left behind when it was cut off.
func removeNew(o Options) error {
	if err := o.FS.Remove(o.Name + newSuffix); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// adoptNew gives the finished new file its name.
func adoptNew(o Options) error {
	if err := o.FS.Rename(o.Name+newSuffix, o.Name); err != nil || o.NoSync {
		return err
	}
	return o.FS.SyncDir(path.Dir(o.Name))
}

// corrupt returns ErrCorrupt with what was found, and where.
func corrupt(offset int64, format string, args ...any) error {
	return fmt.Errorf("%w at offset %d: "+format, append([]any{ErrCorrupt, offset}, args...)...)
}

const (
	headBytes   = 64
	headMagic   = "vwkv"
	headVersion = 1
	headDomain  = "vatwarehouse table head"
	pairDomain  = "kv pair"
)

// head is what a table records about itself.
type head struct {
	position uint64
	count    uint64
	digest   digest
}

// encode returns the head's bytes.
func (h head) encode() []byte {
	b := make([]byte, 0, headBytes)
	b = append(b, headMagic...)
	b = binary.LittleEndian.AppendUint32(b, headVersion)
	b = binary.LittleEndian.AppendUint64(b, h.position)
	b = binary.LittleEndian.AppendUint64(b, h.count)
	for _, w := range h.digest {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	sum := swing.Sum(headDomain, b)
	return append(b, sum[:headBytes-len(b)]...)
}

// decodeHead reads what encode returns; offset is where it was found.
func decodeHead(b []byte, offset int64) (h head, err error) {
	if len(b) != headBytes {
		return h, corrupt(offset, "a head of %d bytes, not %d", len(b), headBytes)
	}
	if string(b[:4]) != headMagic {
		return h, corrupt(offset, "a head that begins with % x, not %q", b[:4], headMagic)
	}
	if v := binary.LittleEndian.Uint32(b[4:]); v != headVersion {
		return h, corrupt(offset, "head version %d, want %d", v, headVersion)
	}
	h.position = binary.LittleEndian.Uint64(b[8:])
	h.count = binary.LittleEndian.Uint64(b[16:])
	for i := range h.digest {
		h.digest[i] = binary.LittleEndian.Uint64(b[24+8*i:])
	}
	if string(h.encode()) != string(b) {
		return head{}, corrupt(offset, "a head that fails its check")
	}
	return h, nil
}

// digest is the sum, modulo 2^256, of the hashes of a set of pairs: it does not
// depend on their order, and follows a change without the rest of the set.
type digest [4]uint64

func words(h swing.Hash) (w digest) {
	for i := range w {
		w[i] = binary.LittleEndian.Uint64(h[8*i:])
	}
	return w
}

func (d *digest) add(h swing.Hash) {
	var carry uint64
	for i, w := range words(h) {
		d[i], carry = bits.Add64(d[i], w, carry)
	}
}

func (d *digest) sub(h swing.Hash) {
	var borrow uint64
	for i, w := range words(h) {
		d[i], borrow = bits.Sub64(d[i], w, borrow)
	}
}

// pairs hashes pairs.
type pairs struct{ h *swing.Hasher }

func newPairs() pairs { return pairs{swing.NewHasher(pairDomain)} }

func (p pairs) sum(key, value []byte) swing.Hash {
	p.h.Reset()
	p.h.Add(key)
	p.h.Add(value)
	return p.h.Sum()
}

// insert and remove keep the head of a set that a pair joins or leaves.
func (h *head) insert(sum swing.Hash) { h.count++; h.digest.add(sum) }
func (h *head) remove(sum swing.Hash) { h.count--; h.digest.sub(sum) }

// checkBytes is the size of the check in front of every value in a bbolt table.
const checkBytes = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkOf returns the check of a pair. It starts from the key's length, so that a
// byte cannot move between key and value.
func checkOf(key, value []byte) uint32 {
	c := crc32.Update(uint32(len(key)), castagnoli, key)
	return crc32.Update(c, castagnoli, value)
}

// appendValue appends a value as a bbolt table stores it.
func appendValue(b, key, value []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(b, checkOf(key, value)), value...)
}

// verifyValue returns the value in what a bbolt table stores, which it aliases.
func verifyValue(key, stored []byte) ([]byte, error) {
	if len(stored) < checkBytes {
		return nil, fmt.Errorf("%w: %d bytes stored for key %.40q", ErrCorrupt, len(stored), key)
	}
	value := stored[checkBytes:]
	want, got := binary.LittleEndian.Uint32(stored), checkOf(key, value)
	if want != got {
		return nil, fmt.Errorf("%w: value of key %.40q has check %08x, not %08x",
			ErrCorrupt, key, got, want)
	}
	return value, nil
}
