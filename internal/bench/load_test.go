package bench

import (
	"testing"

	"vatwarehouse/internal/trace"
)

// TestLoad: a trace's load has the page-ins that its own accesses have by the curve, not
// counting births, and none where all fits.
func TestLoad(t *testing.T) {
	t.Parallel()
	tr := &trace.Trace{Vats: []string{"a", "b", "c", "d"}}
	for i := range 60 {
		vat := min(i*i%7, 3)
		tr.Events = append(tr.Events, trace.Event{Kind: trace.Deliver, Vat: vat, Position: uint64(i), OK: true,
			Memory: 65536, Written: []uint32{1, 2, 3}})
	}
	as := loadOf(tr)
	if n := as.Deliveries(); n < 60 || n > 64 {
		t.Fatalf("%d deliveries", n)
	}
	for _, vats := range []int{2, 3, 50} {
		var got []Result
		r := &Run{Dir: t.TempDir(), Emit: func(r Result) { got = append(got, r) }}
		if err := Load(t.Context(), r, tr, vats%50); err != nil {
			t.Fatal(err)
		}
		want := as.Curve().PageIns(vats) - 4
		if len(got) != 2 || got[1].Unit != "page-ins" || got[1].Median != float64(want) || got[0].Median <= 0 {
			t.Errorf("%d vats: %+v, want %d page-ins", vats, got, want)
		}
		if fewest := got[1].Floor; fewest > got[1].Median || vats == 2 && fewest == 0 {
			t.Errorf("%d vats: the fewest are %v", vats, fewest)
		}
	}
	if err := Load(t.Context(), &Run{Dir: t.TempDir()}, &trace.Trace{}, 2); err == nil {
		t.Error("no load is a load")
	}
}
