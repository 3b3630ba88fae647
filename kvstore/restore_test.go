package kvstore

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"vatwarehouse/vfs"
)

// TestRestoredTableIsTheOne: a table made out of pairs, in any order and by many
// checkpoints, opens at the position with exactly these pairs, and goes on from there.
func TestRestoredTableIsTheOne(t *testing.T) {
	eachKind(t, func(t *testing.T, fs func(testing.TB) vfs.FS) {
		for _, position := range []uint64{0, 1, 1 << 40} {
			rng := rand.New(rand.NewPCG(position, 1))
			want := map[string]string{}
			for range 5000 {
				want[fmt.Sprint("key", rng.Uint64())] = string(make([]byte, rng.IntN(60)))
			}
			o := Options{FS: fs(t), CheckpointBytes: 64 << 10}
			r, err := Restore(o, position)
			if err != nil {
				t.Fatal(err)
			}
			for key, value := range want {
				if err := r.Set(key, []byte(value)); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Finish(); err != nil {
				t.Fatal(err)
			}
			s, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for key, value := range s.Scan("") {
				got[key] = string(value)
			}
			if s.Position() != position || s.TablePosition() != position || !maps.Equal(got, want) ||
				s.Stats().Keys != uint64(len(want)) {
				t.Errorf("position %d, %d pairs, want %d, %d", s.Position(), len(got), position, len(want))
			}
			set := AppendChanges(nil, []Change{{"a", []byte("b")}, {"c", nil}})
			if err := s.Redo(position, set); err != nil || s.Position() != position+1 {
				t.Errorf("redo: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := Restore(o, position); position > 0 && !errors.Is(err, ErrExists) {
				t.Errorf("restore over a table: %v", err)
			}
		}
	})
}

// TestRestoreRefuses: keys and values that no store takes are refused, not stored.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	r, err := Restore(Options{FS: vfs.NewMem()}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string][]byte{
		"": nil, string(make([]byte, KeyBytesMax+1)): nil, "big": make([]byte, ValueBytesMax+1),
	} {
		if err := r.Set(key, value); !errors.Is(err, ErrCorrupt) {
			t.Errorf("key of %d, value of %d: %v", len(key), len(value), err)
		}
	}
	if err := r.Abandon(); err != nil {
		t.Fatal(err)
	}
}

// TestChangesInAndOut: a change set is decoded and encoded to the same bytes.
func TestChangesInAndOut(t *testing.T) {
	t.Parallel()
	for _, list := range [][]Change{nil, {{"a", nil}}, {{"a", []byte{}}, {"b", []byte("v")}, {"c", nil}}} {
		b := AppendChanges(nil, list)
		got, err := DecodeChanges(b)
		same := slices.EqualFunc(got, list, func(x, y Change) bool {
			return x.Key == y.Key && string(x.Value) == string(y.Value) && (x.Value == nil) == (y.Value == nil)
		})
		if err != nil || !same || string(AppendChanges(nil, got)) != string(b) {
			t.Errorf("%v: %v, %v", list, got, err)
		}
	}
	if _, err := DecodeChanges(AppendChanges(nil, []Change{{"b", nil}, {"a", nil}})); !errors.Is(err, ErrCorrupt) {
		t.Errorf("out of order: %v", err)
	}
}
