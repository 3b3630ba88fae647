package warehouse

import (
	"errors"
	"slices"
	"testing"

	"vatwarehouse/swing"
)

// writer is a worker that has written so many pages, or cannot say.
type writer struct {
	Worker
	pages      int
	prefetched []uint32
	err        error
}

func (w *writer) Footprint() ([]uint32, error) { return make([]uint32, w.pages), w.err }

func (w *writer) Prefetch(pages []uint32) error {
	w.prefetched = pages
	return w.err
}

// TestFootprintsAreBounded: the oldest footprints make room for others, one too large for
// all room is not kept, and none is used twice, or of another image.
func TestFootprintsAreBounded(t *testing.T) {
	t.Parallel()
	w, err := New(nil, nil, Options{Prefetch: true})
	if err != nil {
		t.Fatal(err)
	}
	evicted := func(id swing.VatID, pages int) {
		t.Helper()
		if err := w.leaveFootprint(&vat{id: id, at: 9, saved: 5, worker: &writer{pages: pages}}); err != nil {
			t.Fatal(err)
		}
	}
	kept := func(id swing.VatID, saved uint64) int {
		t.Helper()
		return len(w.takeFootprint(id, saved))
	}
	const most = footprintPagesMax
	evicted("v1", most/2)
	evicted("v2", most/4)
	evicted("v1", most/2) // in place of its first
	evicted("v3", most/4)
	evicted("v4", 1)
	if got := []int{kept("v1", 5), kept("v2", 5), kept("v3", 4), kept("v4", 5), kept("v4", 5)}; !slices.Equal(
		got,
		[]int{most / 2, 0, 0, 1, 0},
	) {
		t.Errorf("prefetched %v", got)
	}
	evicted("v5", most+1)
	if kept("v5", 5) != 0 || w.footprintPages != 0 || w.footprints.Len() != 0 {
		t.Errorf("%d pages of %d vats are kept", w.footprintPages, w.footprints.Len())
	}
	if w.stats.Prefetched != most/2+1 {
		t.Errorf("%d pages prefetched", w.stats.Prefetched)
	}
	bad := &writer{err: errors.New("bad memory")}
	if err := w.leaveFootprint(&vat{id: "v6", at: 1, worker: bad}); !errors.Is(err, bad.err) {
		t.Error(err)
	}
}
