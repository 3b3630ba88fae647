package worker

import (
	"bytes"
	"testing"
)

// memoryImage is an image that is in memory.
type memoryImage struct {
	*bytes.Reader
	bytes []byte
}

func newMemoryImage(b []byte) Image { return memoryImage{bytes.NewReader(b), b} }

// Size implements Image.
func (i memoryImage) Size() int64 { return int64(len(i.bytes)) }

// Fd implements Image.
func (memoryImage) Fd() (uintptr, bool) { return 0, false }

// TestMemoryIsUsedAgain: what a worker left in its memory is not seen by the one that gets
// it next, neither in its image nor where it grows.
func TestMemoryIsUsedAgain(t *testing.T) {
	const size = 2 * wasmPageBytes
	images := []Image{
		newMemoryImage(bytes.Repeat([]byte{1}, wasmPageBytes)),
		newMemoryImage(bytes.Repeat([]byte{2}, size)),
		newMemoryImage(nil),
	}
	again := 0
	for i := range 300 {
		img := images[i%len(images)]
		r, err := copyRegion(img, 4*size)
		if err != nil {
			t.Fatal(err)
		}
		if cap(r.(*heapRegion).buf) > int(img.Size()) {
			again++
		}
		memory := r.Reallocate(size)
		want := bytes.Repeat([]byte{byte(i%len(images) + 1)}, int(img.Size()))
		if !bytes.Equal(memory[:len(want)], want) {
			t.Fatalf("%d: memory is not its image", i)
		}
		if rest := memory[len(want):]; !bytes.Equal(rest, make([]byte, len(rest))) {
			t.Fatalf("%d: memory that it grew by is not zero", i)
		}
		if pages, err := r.written(nil, size); err != nil || len(pages) > 0 {
			t.Fatalf("%d: pages %v were written, %v", i, pages, err)
		}
		for at := range memory {
			memory[at] = 0xff
		}
		r.Free()
	}
	if again == 0 {
		t.Skip("no memory was used again: the collector took it each time")
	}
}
