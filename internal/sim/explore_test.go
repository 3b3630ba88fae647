package sim

import (
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	s, err := Builtin("race")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		st := time.Now()
		one, err := s.RunOrder(t.Context(), nil)
		t.Logf("%v %v %+v", time.Since(st), err, one)
		if one.Audit != nil {
			t.Logf("%+v", one.Audit)
		}
	}
	st := time.Now()
	f, err := s.Explore(t.Context(), ExploreOptions{Deviations: -1, Orders: 1000})
	t.Logf("%v %v %+v", time.Since(st), err, f)
	if f.Failed != nil {
		t.Logf("%+v", f.Failed)
	}
}
