package streamstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// deed is one thing that can be done to a log.
type deed struct {
	name string
	do   func(c *script) error
}

// deeds are few, so that all short rows of them can be tried.
var deeds = []deed{
	{"append a", func(c *script) error { return c.put("a", 0, 300) }},
	{"append b", func(c *script) error { return c.put("b", 7, 40) }},
	{"commit", (*script).commit},
	{"retain a", func(c *script) error { return c.letGo("a", 1) }},
	{"give up b", func(c *script) error { return c.letGo("b", 1<<40) }},
	{"archive", func(c *script) error {
		_, c.fails = c.s.Archive()
		return nil
	}},
	{"close, open", func(c *script) error { return c.openAgain(true) }},
	{"die, open", func(c *script) error { return c.openAgain(false) }},
}

func (c *script) put(stream string, first uint64, size int) error {
	item := []byte(strings.Repeat(stream, size))
	c.s.Append(stream, c.w.append(stream, first, item), item)
	return nil
}

// letGo gives up what a stream holds now and n positions more.
func (c *script) letGo(stream string, n uint64) error {
	if _, ok := c.w.first[stream]; ok {
		before := c.w.first[stream] + n
		c.s.Retain(stream, before)
		c.w.retain[stream] = max(c.w.retain[stream], before)
	}
	return nil
}

func (c *script) openAgain(clean bool) error {
	c.w.back(c.w.acked)
	if clean {
		if err := c.s.Close(); err != nil {
			return err
		}
	}
	var err error
	if c.s, c.rec, err = streamstore.Open(c.o); err == nil && c.rec.Block != c.w.acked {
		err = fmt.Errorf("recovery %+v, acknowledged %d", c.rec, c.w.acked)
	}
	return err
}

// TestEveryShortUse: every row of a few deeds, compared with the twin after each,
// and once more after a crash that keeps only what is durable.
func TestEveryShortUse(t *testing.T) {
	t.Parallel()
	length := 5
	if testing.Short() || raceEnabled {
		length = 4
	}
	total := 1
	for range length {
		total *= len(deeds)
	}
	for n := range total {
		m := vfs.NewMem()
		o := scriptOptions(m)
		o.SegmentBytes, o.PreallocateBytes = 200, 64 // a block or two
		c := newScript(0, o)
		row := []string{}
		err := c.run(0)
		for i := n; len(row) < length && err == nil; i /= len(deeds) {
			d := deeds[i%len(deeds)]
			row = append(row, d.name)
			if err = errors.Join(d.do(c), c.fails); err == nil {
				err = c.w.check(c.s, c.openBlock())
				c.w.ends = c.w.ends[:c.w.acked+1]
			}
		}
		if err == nil {
			c.w.back(c.w.acked)
			o.FS = m.Crash(0, 0)
			_, _, err = c.w.survive(o)
		}
		if err != nil {
			t.Fatalf("%s: %v", strings.Join(row, ", "), err)
		}
	}
	t.Logf("%d rows of %d", total, length)
}

// TestEverySubsetOfSectors: of the last block, of which a crash may keep any
// sectors: only if it keeps all that differ is the block there, else it is cut.
func TestEverySubsetOfSectors(t *testing.T) {
	t.Parallel()
	const sector = 512
	before := oneSegment(t, 2, numbered)
	for _, length := range []string{"old", "new"} {
		m := before.disk(t)
		s := open(t, scriptOptions(m))
		s.Append("a", 2, noise(7*sector))
		commit(t, s)
		old, now := before[segment1], filesOf(t, m)[segment1]
		_, offsets := frames(now)
		now = now[:offsets[len(offsets)-1]]
		_, offsets = frames(old)
		first, sectors := offsets[len(offsets)-1]/sector, (len(now)+sector-1)/sector
		if length == "new" { // as preallocated
			old = append(slices.Clone(old), make([]byte, len(now)-len(old))...)
		}
		for subset := range 1 << (sectors - first) {
			b := slices.Clone(old)
			whole := true
			for i := first; i < sectors; i++ {
				from, to := i*sector, min((i+1)*sector, len(now))
				if subset>>(i-first)&1 == 1 {
					b = append(b, make([]byte, max(0, to-len(b)))...)
					copy(b[from:to], now[from:to])
				} else if to > len(b) || !slices.Equal(b[from:to], now[from:to]) {
					whole = false
				}
			}
			s, rec, err := streamstore.Open(scriptOptions(files{segment1: b}.disk(t)))
			if err != nil || whole != (rec.Block == 3) || !whole && rec.Block != 2 {
				t.Fatalf("length %s, sectors %b: whole %v, recovery %+v, %v",
					length, subset, whole, rec, err)
			}
			must(t, s.Close())
		}
	}
}

// TestFailureInRecovery: an I/O error at every operation, of either sort, of the
// opening that follows a crash is reported; opened again after it, the log has
// what it would have had.
func TestFailureInRecovery(t *testing.T) {
	t.Parallel()
	points := 0
	for seed := range scaled(12) {
		m := vfs.NewMem()
		f := vfs.NewFaulty(m)
		f.Arm(vfs.Fault{At: 20 + int(seed*7), Crash: true})
		c := newScript(seed, scriptOptions(f))
		must(t, c.run(120))
		for draw := range uint64(4) {
			after := m.Crash(draw, int(draw)*33)
			for _, fault := range []vfs.Fault{
				{Err: syscall.EIO}, {Err: syscall.EIO, Reads: true},
				{Err: syscall.ENOSPC, Short: true, Sticky: true},
			} {
				n, err := failRecovery(c.w, after, fault)
				if points += n; err != nil {
					t.Fatalf("seed %d, draw %d, fault %+v: %v", seed, draw, fault, err)
				}
			}
		}
	}
	t.Logf("%d points", points)
}

func failRecovery(w *twin, after *vfs.Mem, fault vfs.Fault) (points int, err error) {
	for fault.At = 1; ; fault.At++ {
		m := after.Crash(0, 100)
		f := vfs.NewFaulty(m)
		f.Arm(fault)
		s, _, err := streamstore.Open(scriptOptions(f))
		if f.Fired() == "" {
			f.Arm(vfs.Fault{})
			return points, errors.Join(err, s.Close())
		}
		points++
		if err != nil && !errors.Is(err, fault.Err) {
			return points, fmt.Errorf("%s: %w", f.Fired(), err)
		}
		if err == nil {
			return points, fmt.Errorf("%s: opened all the same", f.Fired())
		}
		if _, _, err := w.survive(scriptOptions(m)); err != nil {
			return points, fmt.Errorf("after %s: %w", f.Fired(), err)
		}
	}
}
