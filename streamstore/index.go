package streamstore

import "slices"

// place is where a record lies: its segment, and the offset and size of its
// frame. There is one for every record that is not archived, so it is small.
type place struct {
	segment uint32
	offset  uint32
	size    uint32
}

// stream is what is known of one stream. Positions [start, rawStart) are in
// archives; rawStart+i is at raw[i].
type stream struct {
	name     string
	start    uint64
	rawStart uint64
	retain   uint64 // what Retain said; start follows when Archive has written it down
	raw      []place
	archive  uint32 // the last archive with items of the stream, 0 for none
	listed   bool   // in the manifest
}

// end returns the position that the next item gets.
func (st *stream) end() uint64 { return st.rawStart + uint64(len(st.raw)) }

// index finds the records of the segments and of the open block.
type index struct {
	streams map[string]*stream
	open    []*stream // of each record of the open block, in order
	fresh   []*stream // made by the open block
}

func newIndex() *index { return &index{streams: map[string]*stream{}} }

// find returns the stream of that name. One that is new starts at position.
func (x *index) find(name string, position uint64) *stream {
	if st := x.streams[name]; st != nil {
		return st
	}
	return x.make(name, position)
}

// findBytes is find without a copy of a name that is known.
func (x *index) findBytes(name []byte, position uint64) *stream {
	if st := x.streams[string(name)]; st != nil {
		return st
	}
	return x.make(string(name), position)
}

// make makes a stream. Should the open block be dropped, so is the stream.
func (x *index) make(name string, position uint64) *stream {
	st := &stream{name: name, start: position, rawStart: position, retain: position}
	x.streams[name] = st
	x.fresh = append(x.fresh, st)
	return st
}

// add puts one record of the open block at the stream's end.
func (x *index) add(st *stream, p place) {
	st.raw = append(st.raw, p)
	x.open = append(x.open, st)
}

// seal keeps the records of the open block.
func (x *index) seal() {
	clear(x.fresh)
	x.open, x.fresh = x.open[:0], x.fresh[:0]
}

// undo takes the records of the open block out again.
func (x *index) undo() {
	for _, st := range x.open {
		st.raw = st.raw[:len(st.raw)-1]
	}
	for _, st := range x.fresh {
		delete(x.streams, st.name)
	}
	x.seal()
}

// dropRaw forgets the records of segments up to the last.
func (st *stream) dropRaw(last uint32) {
	n, _ := slices.BinarySearchFunc(st.raw, last, func(p place, last uint32) int {
		if p.segment <= last {
			return -1
		}
		return 1
	})
	st.rawStart += uint64(n)
	st.raw = slices.Clone(st.raw[n:]) // the old array goes with its records
}
