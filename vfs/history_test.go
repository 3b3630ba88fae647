package vfs_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"vatwarehouse/vfs"
)

// history is a random use of one Mem, and the dumb twin of what may survive: for
// each byte of each file ever made, the values it may have.
type history struct {
	m     *vfs.Mem
	files map[byte]*possible // by the byte that marks the file, its first
	names map[string][]byte  // by name, the files it may lead to; 0 is none
	now   map[string]byte
}

type possible struct {
	file     vfs.File
	now      []byte
	values   [][]byte // by offset
	min, max int      // of the length
}

func (p *possible) write(b []byte, at int) {
	for len(p.now) < at+len(b) {
		p.now = append(p.now, 0)
	}
	copy(p.now[at:], b)
	p.max = max(p.max, len(p.now))
	for len(p.values) < p.max {
		p.values = append(p.values, []byte{0})
	}
	for i, v := range b {
		p.values[at+i] = append(p.values[at+i], v)
	}
}

func (p *possible) truncate(size int) {
	for i := size; i < len(p.now); i++ {
		p.values[i] = append(p.values[i], 0)
	}
	p.now = p.now[:size]
	p.min = min(p.min, size)
}

func (p *possible) sync() {
	p.min, p.max, p.values = len(p.now), len(p.now), nil
	for _, v := range p.now {
		p.values = append(p.values, []byte{v})
	}
}

// randomHistory makes files of one writer that starts each with a mark of its
// own, durable at once, so that a file can be told after the crash.
func randomHistory(t *testing.T, seed uint64, steps int) *history {
	rng := rand.New(rand.NewPCG(seed, 1))
	h := &history{vfs.NewMem(), map[byte]*possible{}, map[string][]byte{}, map[string]byte{}}
	for range steps {
		name := fmt.Sprintf("f%d", rng.IntN(4))
		mark, there := h.now[name]
		if !there {
			h.create(t, name)
			continue
		}
		h.change(t, rng, h.files[mark], name)
	}
	return h
}

func (h *history) create(t *testing.T, name string) {
	if len(h.files) == 255 {
		return
	}
	mark := byte(len(h.files) + 1)
	p := &possible{file: create(t, h.m, name, string([]byte{mark}))}
	p.write([]byte{mark}, 0)
	must(t, p.file.Sync())
	p.sync()
	h.files[mark], h.now[name] = p, mark
	h.bind(name, mark)
}

// bind notes that name may lead to the file, besides what it led to so far.
func (h *history) bind(name string, mark byte) {
	if h.names[name] == nil {
		h.names[name] = []byte{0}
	}
	h.names[name] = append(h.names[name], mark)
}

func (h *history) change(t *testing.T, rng *rand.Rand, p *possible, name string) {
	at := 1 + rng.IntN(3*sector)
	switch rng.IntN(12) {
	case 0:
		must(t, h.m.Remove(name))
		delete(h.now, name)
		h.bind(name, 0)
	case 1:
		to := fmt.Sprintf("f%d", rng.IntN(4))
		must(t, h.m.Rename(name, to))
		mark := h.now[name]
		delete(h.now, name)
		h.now[to] = mark
		h.bind(name, 0)
		h.bind(to, mark)
	case 2:
		must(t, h.m.SyncDir(vfs.Root))
		for n := range h.names {
			h.names[n] = []byte{h.now[n]}
		}
	case 3, 4:
		must(t, p.file.Sync())
		p.sync()
	case 5:
		at = min(at, len(p.now))
		must(t, p.file.Truncate(int64(at)))
		p.truncate(at)
	default:
		b := bytes.Repeat([]byte{byte(1 + rng.IntN(255))}, 1+rng.IntN(2*sector))
		put(t, p.file, int64(at), string(b))
		p.write(b, at)
	}
}

// check fails unless after is among what h allows.
func (h *history) check(after vfs.FS, text func(name string) string, names []string) error {
	seen := map[byte]string{}
	got := map[string]byte{}
	for _, name := range names {
		b := text(name)
		mark := b[0]
		if other, twice := seen[mark]; twice {
			return fmt.Errorf("%s and %s are one file", name, other)
		}
		seen[mark], got[name] = name, mark
		if err := h.files[mark].check(b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name, may := range h.names {
		if !bytes.Contains(may, []byte{got[name]}) {
			return fmt.Errorf("%s leads to file %d, may lead to %d", name, got[name], may)
		}
	}
	return nil
}

func (p *possible) check(b string) error {
	if len(b) < p.min || len(b) > p.max {
		return fmt.Errorf("%d bytes, may have %d to %d", len(b), p.min, p.max)
	}
	for i := range len(b) {
		// A byte that a lost truncation cut and a later growth brought back is zero.
		if v := b[i]; v != 0 && !bytes.Contains(p.values[i], []byte{v}) {
			return fmt.Errorf("byte %d is %d, may be %d", i, v, p.values[i])
		}
		if i < p.min && b[i] == 0 && !bytes.Contains(p.values[i], []byte{0}) {
			return fmt.Errorf("byte %d is lost", i)
		}
	}
	return nil
}

// TestCrashStatesArePossible: over random histories and seeds, every state drawn
// is one that the dumb twin allows.
func TestCrashStatesArePossible(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		h := randomHistory(t, seed, 60)
		for crash := range uint64(20) {
			keep := int(crash*7) % 101
			after := h.m.Crash(crash, keep)
			names, err := after.List(vfs.Root)
			must(t, err)
			text := func(name string) string { return content(t, after, name) }
			if err := h.check(after, text, names); err != nil {
				t.Fatalf("history %d, crash seed %d, keep %d: %v", seed, crash, keep, err)
			}
		}
		after := h.m.Crash(0, 100)
		if dump(t, after) != dump(t, h.m) {
			t.Fatalf("history %d: with all kept, something is lost", seed)
		}
	}
}
