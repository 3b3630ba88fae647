package swing

import "fmt"

// PageBytes is the size of a heap page: the unit in which memory is found
// dirty, hashed, compressed and stored. (A WASM page is sixteen of them.)
const PageBytes = 4096

// HeapVersion is the first field of every encoded heap.
const HeapVersion = 1

// Heap is the whole state of a vat's program between deliveries, its memory's
// pages by their Merkle root. Two heaps are equal exactly when their IDs are.
type Heap struct {
	// Program is the identity of the rewritten program: code, rewriter version
	// and memory limit.
	Program Hash
	// Size is the linear memory's size in bytes, a multiple of 64 KiB.
	Size uint64
	// Globals are the program's mutable globals in index order, a v128 as two
	// words (low, high), followed by its dropped-segment flags.
	Globals []uint64
	// Started says that the start function and _initialize have run.
	Started bool
	// Clock is the latest time the program has been told, in nanoseconds.
	Clock uint64
	// Random is how many bytes of its random stream the program has taken.
	Random uint64
	// Pages is the Merkle root over the memory's pages.
	Pages Hash
}

// Page is one page of a heap.
type Page struct {
	Index uint32 // address / PageBytes
	Data  []byte // PageBytes of them
}

// AppendHeap appends the canonical encoding of h.
func AppendHeap(b []byte, h Heap) []byte {
	b = AppendUint(AppendHash(AppendUint(AppendArray(b, 8), HeapVersion), h.Program), h.Size)
	b = AppendArray(b, len(h.Globals))
	for _, g := range h.Globals {
		b = AppendUint(b, g)
	}
	b = AppendUint(AppendUint(AppendBool(b, h.Started), h.Clock), h.Random)
	return AppendHash(b, h.Pages)
}

// DecodeHeap reads what AppendHeap appends.
func DecodeHeap(b []byte) (h Heap, err error) {
	r := NewReader(b)
	r.Fields(8)
	if v := r.Uint(); r.err == nil && v != HeapVersion {
		r.failf("heap version %d, want %d", v, HeapVersion)
	}
	h.Program, h.Size = r.Hash(), r.Uint()
	for n := r.Array(); n > 0 && r.err == nil; n-- {
		h.Globals = append(h.Globals, r.Uint())
	}
	h.Started, h.Clock, h.Random, h.Pages = r.Bool(), r.Uint(), r.Uint(), r.Hash()
	if r.err == nil && h.Size%(16*PageBytes) != 0 {
		r.failf("heap size %d is no multiple of 64 KiB", h.Size)
	}
	if err := r.Done(); err != nil {
		return Heap{}, fmt.Errorf("decode heap: %w", err)
	}
	return h, nil
}

// ID returns the heap's identity: a digest of its content alone.
func (h Heap) ID() Hash { return Sum("vatwarehouse heap", AppendHeap(nil, h)) }
