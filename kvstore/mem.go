package kvstore

import (
	"errors"
	"io/fs"
	"sync/atomic"

	"github.com/tidwall/btree"

	"vatwarehouse/internal/frame"
)

// The frames of a memory table's file.
const (
	frameHead  = 1
	framePairs = 2
	// memSeed is what the first frame is chained to.
	memSeed = 0x76776b76
	// framePairsBytes is when a frame of pairs is closed: it has at most one pair
	// more than fits.
	framePairsBytes = 256 << 10
)

// memTable is a table in memory, written whole at each checkpoint.
type memTable struct {
	o Options
	// now is what readers see; a checkpoint replaces it when its file is in place.
	now atomic.Pointer[memState]
	// writer has the room that the latest checkpoint took; there is one at a time.
	writer memWriter
}

// memState is a table that changes no more.
type memState struct {
	head  head
	pairs *btree.Map[string, []byte]
}

func newMemPairs() *btree.Map[string, []byte] { return new(btree.Map[string, []byte]) }

func openMem(o Options) (*memTable, error) {
	if err := removeNew(o); err != nil {
		return nil, err
	}
	t := &memTable{o: o}
	f, err := o.FS.Open(o.Name)
	if errors.Is(err, fs.ErrNotExist) {
		t.now.Store(&memState{pairs: newMemPairs()})
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	state, err := readMem(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	t.now.Store(state)
	return t, err
}

func (t *memTable) head() head     { return t.now.Load().head }
func (t *memTable) metaLost() bool { return false }
func (t *memTable) release()       {}
func (t *memTable) close() error   { return nil }

func (t *memTable) get(key string) ([]byte, bool, error) {
	value, ok := t.now.Load().pairs.Get(key)
	return value, ok, nil
}

func (t *memTable) next(after string) (found string, err error) {
	t.now.Load().pairs.Ascend(after, func(key string, _ []byte) bool {
		if key == after {
			return true
		}
		found = key
		return false
	})
	return found, nil
}

func (t *memTable) checkpoint(position uint64, sorted func() []*entry) func() error {
	// Copy marks both trees copy-on-write, so it is done before the work starts
	// to run beside readers of the old one.
	old := t.now.Load()
	next := &memState{head: old.head, pairs: old.pairs.Copy()}
	next.head.position = position
	return func() error {
		next.apply(sorted())
		if err := t.writer.write(t.o, next); err != nil {
			return err
		}
		t.now.Store(next)
		return nil
	}
}

func (m *memState) apply(dirty []*entry) {
	sums := newPairs()
	for _, e := range dirty {
		var old []byte
		var had bool
		key := []byte(e.key)
		if e.state == present {
			old, had = m.pairs.Set(e.key, e.value)
			m.head.insert(sums.sum(key, e.value))
		} else {
			old, had = m.pairs.Delete(e.key)
		}
		if had {
			m.head.remove(sums.sum(key, old))
		}
	}
}

// write writes the file beside its name, makes it durable, and only then gives it the
// name: a crash leaves the old table or the new one.
func (w *memWriter) write(o Options, m *memState) error {
	if err := removeNew(o); err != nil {
		return err
	}
	f, err := o.FS.Create(o.Name + newSuffix)
	if err != nil {
		return err
	}
	*w = memWriter{file: f, seed: memSeed, body: w.body[:0], frames: w.frames}
	w.frame(frameHead, m.head.encode())
	m.pairs.Scan(func(key string, value []byte) bool {
		w.pair(key, value)
		return w.err == nil
	})
	w.pairsFrame()
	if w.err == nil && !o.NoSync {
		w.err = f.Sync()
	}
	if err := errors.Join(w.err, f.Close()); err != nil {
		return err
	}
	return adoptNew(o)
}

// memWriter writes a file frame by frame. The first error sticks.
type memWriter struct {
	file interface {
		WriteAt([]byte, int64) (int, error)
	}
	at     int64
	seed   uint32
	n      int    // pairs in body
	body   []byte // pairs of the frame to come
	frames []byte
	err    error
}

func (w *memWriter) frame(kind byte, parts ...[]byte) {
	if w.err != nil {
		return
	}
	w.frames, w.seed = frame.Append(w.frames[:0], kind, w.seed, parts...)
	var n int
	n, w.err = w.file.WriteAt(w.frames, w.at)
	w.at += int64(n)
}

func (w *memWriter) pair(key string, value []byte) {
	w.body = appendChange(w.body, key, value, true)
	w.n++
	if len(w.body) >= framePairsBytes {
		w.pairsFrame()
	}
}

func (w *memWriter) pairsFrame() {
	if w.n == 0 {
		return
	}
	w.frame(framePairs, appendChangesHead(nil, w.n), w.body)
	w.n, w.body = 0, w.body[:0]
}
