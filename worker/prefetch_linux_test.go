package worker_test

import (
	"slices"
	"testing"

	"vatwarehouse/swing"
)

// TestPrefetchFaultsPagesIn: a page that is made ready in mapped memory counts as written at
// once, and no other does; its content stays.
func TestPrefetchFaultsPagesIn(t *testing.T) {
	t.Parallel()
	s := newStand(t, setups()[0], "probe.wasm")
	base := s.genesis()
	w, _ := s.start(base)
	defer s.close(w)
	before, err := w.Footprint()
	if err != nil || len(before) > 0 {
		t.Fatalf("%v, %v", before, err)
	}
	want := []uint32{3, 4, 5, 9, 30}
	if err := w.Prefetch(want); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Footprint(); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, page := range want {
		at := int(page) * swing.PageBytes
		now := w.Memory()[at : at+swing.PageBytes]
		if !slices.Equal(now, pageOf(base.memory, at)) {
			t.Errorf("page %d is another", page)
		}
	}
	if err := w.Prefetch(nil); err != nil {
		t.Error(err)
	}
}
