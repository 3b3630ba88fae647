package host

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// plainRows is a state that is a map.
type plainRows map[string][]byte

func (p plainRows) Get(key string) ([]byte, bool) { v, ok := p[key]; return v, ok }
func (plainRows) Set(string, []byte)              { panic("written") }
func (plainRows) Delete(string)                   { panic("deleted") }
func (p plainRows) Next(after, end string) (string, bool) {
	for _, key := range slices.Sorted(maps.Keys(p)) {
		if key > after {
			return key, end == "" || key < end
		}
	}
	return "", false
}

// TestAheadIsWhatWillBe: random rows with random changes over them read as the rows do to
// which the changes were made.
func TestAheadIsWhatWillBe(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		now, changes := plainRows{}, map[string][]byte{}
		for range rng.IntN(12) {
			now[fmt.Sprint("k", rng.IntN(20))] = []byte{byte(rng.IntN(9))}
		}
		will := maps.Clone(now)
		for range rng.IntN(12) {
			key := fmt.Sprint("k", rng.IntN(20))
			if changes[key] = nil; rng.IntN(2) == 0 {
				changes[key] = []byte{byte(rng.IntN(9))}
				will[key] = changes[key]
			} else {
				delete(will, key)
			}
		}
		a := newAhead(now, changes)
		if got := maps.Collect(a.all()); fmt.Sprint(got) != fmt.Sprint(map[string][]byte(will)) {
			t.Fatalf("%v with %v: %v, want %v", now, changes, got, will)
		}
		for range 20 {
			after, end := fmt.Sprint("k", rng.IntN(20)), fmt.Sprint("k", rng.IntN(20))
			key, ok := a.Next(after, end)
			wantKey, wantOK := will.Next(after, end)
			if ok != wantOK || ok && key != wantKey {
				t.Fatalf("%v with %v: next of %s before %s is %s %v, want %s %v", now, changes, after, end, key, ok, wantKey, wantOK)
			}
		}
	}
}
