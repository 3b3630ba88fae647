package streamstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// twin is the simplest log: every item ever appended, and how many of each
// stream there were after each block.
type twin struct {
	first  map[string]uint64   // of a stream: where it began
	items  map[string][][]byte // from there on
	ends   []map[string]uint64 // by block; ends[0] is the empty log
	retain map[string]uint64   // what Retain was told
	acked  uint64              // the last block that Commit returned
}

func newTwin() *twin {
	return &twin{
		map[string]uint64{}, map[string][][]byte{}, []map[string]uint64{{}}, map[string]uint64{}, 0,
	}
}

// end returns where the stream ends in the open block.
func (w *twin) end(stream string) uint64 { return w.first[stream] + uint64(len(w.items[stream])) }

func (w *twin) append(stream string, first uint64, item []byte) (position uint64) {
	if _, ok := w.first[stream]; !ok {
		w.first[stream] = first
	}
	position = w.end(stream)
	w.items[stream] = append(w.items[stream], item)
	return position
}

// attempt notes what the log is after the block that is about to be committed.
func (w *twin) attempt() {
	ends := map[string]uint64{}
	for stream := range w.items {
		ends[stream] = w.end(stream)
	}
	if !maps.Equal(ends, w.ends[len(w.ends)-1]) {
		w.ends = append(w.ends, ends)
	}
}

// back makes the twin what it was after the block.
func (w *twin) back(block uint64) {
	w.ends = w.ends[:block+1]
	w.acked = min(w.acked, block)
	for stream := range w.items {
		end, ok := w.ends[block][stream]
		if !ok {
			delete(w.items, stream)
			delete(w.first, stream)
			continue
		}
		w.items[stream] = w.items[stream][:end-w.first[stream]]
	}
}

// check compares the whole log with the twin after the block.
func (w *twin) check(s *streamstore.Store, block uint64) error {
	ends := w.ends[block]
	for _, stream := range s.Streams() {
		if _, ok := ends[stream]; !ok {
			return fmt.Errorf("block %d: stream %s should not be", block, stream)
		}
	}
	for _, stream := range slices.Sorted(maps.Keys(ends)) {
		if err := w.checkStream(s, stream, ends[stream]); err != nil {
			return fmt.Errorf("block %d: %w", block, err)
		}
	}
	return nil
}

func (w *twin) checkStream(s *streamstore.Store, stream string, want uint64) error {
	start, end, ok := s.Bounds(stream)
	switch {
	case !ok && w.retain[stream] > want:
		return nil // given up
	case !ok:
		return fmt.Errorf("stream %s is not there", stream)
	case end != want:
		return fmt.Errorf("%s ends at %d, want %d", stream, end, want)
	case start > max(w.first[stream], w.retain[stream]):
		return fmt.Errorf("%s starts at %d, retained from %d on", stream, start, w.retain[stream])
	}
	at := start
	for item, err := range s.Read(stream, start, end) {
		if err != nil {
			return err
		}
		if !bytes.Equal(item, w.items[stream][at-w.first[stream]]) {
			return fmt.Errorf("%s@%d differs", stream, at)
		}
		at++
	}
	if at != end {
		return fmt.Errorf("%s: read up to %d of %d", stream, at, end)
	}
	return nil
}

// script is a random use of one log, the same for the same seed whatever the
// file system does, until that fails.
type script struct {
	o     streamstore.Options
	w     *twin
	rng   *rand.Rand
	s     *streamstore.Store
	rec   streamstore.Recovery
	dead  map[string]bool // given up
	fails error
}

// scriptOptions make everything small: a segment has a few blocks.
func scriptOptions(f vfs.FS) streamstore.Options {
	return streamstore.Options{
		FS: f, SegmentBytes: 2000, PreallocateBytes: 1500, ItemBytes: 4000, Identity: 0x1234567890abcdef,
	}
}

func newScript(seed uint64, o streamstore.Options) *script {
	return &script{o: o, w: newTwin(), rng: rand.New(rand.NewPCG(seed, 0)), dead: map[string]bool{}}
}

// run does the steps until one fails with an error of the world. It returns what
// is wrong with the log, as opposed to the world.
func (c *script) run(steps int) error {
	if c.s == nil {
		if c.s, c.rec, c.fails = streamstore.Open(c.o); c.fails != nil {
			return nil
		}
	}
	for range steps {
		if err := c.step(); err != nil || c.fails != nil {
			return err
		}
	}
	return nil
}

func (c *script) step() error {
	switch n := c.rng.IntN(40); {
	case n < 20:
		c.append()
	case n < 32:
		return c.commit()
	case n < 36:
		c.giveUp()
	case n < 38:
		_, c.fails = c.s.Archive()
	case n < 39:
		return c.reopen()
	default:
		return c.w.check(c.s, c.openBlock())
	}
	return nil
}

// openBlock puts the open block at the end of the twin's blocks for a check.
func (c *script) openBlock() uint64 {
	c.w.attempt()
	return uint64(len(c.w.ends) - 1)
}

func (c *script) append() {
	stream := fmt.Sprintf("s%d", c.rng.IntN(6))
	if c.rng.IntN(8) == 0 {
		stream = fmt.Sprintf("mortal-%d", c.rng.IntN(1000))
	}
	size := c.rng.IntN(120)
	if c.rng.IntN(25) == 0 {
		size = c.rng.IntN(4000)
	}
	item := bytes.Repeat([]byte{byte(c.rng.Uint32())}, size)
	for i := range item {
		if c.rng.IntN(4) == 0 {
			item[i] = byte(c.rng.Uint32())
		}
	}
	first := c.rng.Uint64N(3) * 1000
	if c.dead[stream] {
		return
	}
	c.s.Append(stream, c.w.append(stream, first, item), item)
}

func (c *script) commit() error {
	c.w.ends = c.w.ends[:c.w.acked+1] // a check may have noted the open block
	c.w.attempt()
	block, err := c.s.Commit()
	if err != nil {
		c.fails = err
		return nil
	}
	if want := uint64(len(c.w.ends) - 1); block != want {
		return fmt.Errorf("committed block %d, want %d", block, want)
	}
	c.w.acked = block
	return nil
}

// giveUp retains a random part of a stream, or nothing of a mortal one.
func (c *script) giveUp() {
	streams := slices.Sorted(maps.Keys(c.w.items))
	if len(streams) == 0 {
		return
	}
	stream := streams[c.rng.IntN(len(streams))]
	first, end := c.w.first[stream], c.w.end(stream)
	before := first + c.rng.Uint64N(end-first+1)
	if len(stream) > 3 { // mortal
		before = math.MaxUint64
		c.dead[stream] = true
	}
	c.w.retain[stream] = max(c.w.retain[stream], before)
	c.s.Retain(stream, before)
}

// reopen closes the log, or drops it as if the process had died, and opens it.
func (c *script) reopen() error {
	c.w.back(c.w.acked)
	clean := c.rng.IntN(2) == 0
	if clean {
		if c.fails = c.s.Close(); c.fails != nil {
			return nil
		}
	}
	if c.s, c.rec, c.fails = streamstore.Open(c.o); c.fails != nil {
		return nil
	}
	empty := c.w.acked == 0 && len(c.s.Streams()) == 0
	if c.rec.Clean != clean && !empty || c.rec.Block != c.w.acked || c.rec.CutFile != "" {
		return fmt.Errorf("closed %v at block %d, recovery says %+v", clean, c.w.acked, c.rec)
	}
	for stream := range c.dead {
		c.s.Retain(stream, math.MaxUint64)
	}
	return c.w.check(c.s, c.w.acked)
}

// survive checks the log against the twin after a crash or failure: it opens,
// with a whole block not before the last acknowledged. It returns that block.
func (w *twin) survive(o streamstore.Options) (*streamstore.Store, uint64, error) {
	s, rec, err := streamstore.Open(o)
	if err != nil {
		return nil, 0, err
	}
	least := w.acked
	if o.NoSync {
		least = 0
	}
	if rec.Block < least || rec.Block >= uint64(len(w.ends)) {
		return nil, 0, fmt.Errorf("found block %d, acknowledged %d, attempted %d",
			rec.Block, w.acked, len(w.ends)-1)
	}
	return s, rec.Block, errors.Join(w.check(s, rec.Block), s.Verify(func(streamstore.Fault) {}))
}
