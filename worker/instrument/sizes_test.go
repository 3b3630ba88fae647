package instrument

import (
	"reflect"
	"testing"
)

// TestSizesAreThoseOfTheLimits: every limit has its row; and a module one past a limit
// that was set to what it needs less one shows a row that uses just that.
func TestSizesAreThoseOfTheLimits(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for _, r := range beyondLimits() {
		v := reflect.ValueOf(&r.limits).Elem()
		for i := range v.NumField() {
			if f := v.Field(i); f.Int() != 0 {
				f.SetInt(f.Int() + 1)
			}
		}
		in, err := Inspect(r.code, note, r.limits, Metered)
		if err != nil || in.Normal == nil {
			t.Fatalf("%s: %v, %v", r.name, in.Refusals, err)
		}
		sizes := in.Sizes()
		if len(sizes) != v.NumField() {
			t.Fatalf("%d sizes, %d limits", len(sizes), v.NumField())
		}
		for i, s := range sizes {
			set := v.Field(i).Int() != 0
			if got := reflect.ValueOf(in.Limits).Field(i).Int(); int64(s.Limit) != got {
				t.Errorf("%s: limit of %s is %d, want %d", r.name, s.What, s.Limit, got)
			}
			if set && s.Used != s.Limit {
				t.Errorf("%s: %d %s, limit %d", r.name, s.Used, s.What, s.Limit)
			}
			rows[s.What] = rows[s.What] || set
		}
	}
	for what, shown := range rows {
		if !shown {
			t.Errorf("nothing shows %s", what)
		}
	}
}
