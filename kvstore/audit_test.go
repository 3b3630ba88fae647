package kvstore

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// TestAuditAcceptsEveryTable: tables with deep trees, long keys and mass
// deletions, checkpoint after checkpoint, all pass the audit and bbolt's own.
func TestAuditAcceptsEveryTable(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(3) {
		rng := rand.New(rand.NewPCG(seed, 3))
		fs := onDisk(t)
		o := Options{FS: fs, MapBytes: 1, Inline: true, NoSync: true}
		want := map[string]string{}
		for range 12 {
			s, err := Open(o)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if why := sameState(s, want); why != "" {
				t.Fatalf("seed %d: %s", seed, why)
			}
			churn(s, rng, want)
			sealInto(s, want)
			s.Commit()
			if err := errors.Join(s.Checkpoint(), s.Close()); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			checkBolt(t, o)
		}
	}
}

// churn deletes a random share of the keys and sets some, with long keys.
func churn(s *Store, rng *rand.Rand, want map[string]string) {
	share := rng.IntN(110)
	for key := range maps.Clone(want) {
		if rng.IntN(100) < share && key != ActivityKey {
			s.Delete(key)
			delete(want, key)
		}
	}
	long := rng.IntN(2) * rng.IntN(1500)
	for range rng.IntN(4000) {
		key := fmt.Sprintf("%d.%s", rng.IntN(100_000), strings.Repeat("x", long))
		value := make([]byte, rng.IntN(60))
		s.Set(key, value)
		want[key] = string(value)
	}
}

// checkBolt runs bbolt's own check over a table.
func checkBolt(t testing.TB, o Options) {
	t.Helper()
	db, err := bbolt.Open("table", 0o600, &bbolt.Options{ReadOnly: true, OpenFile: o.FS.OpenFile})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzAudit(f *testing.F) {
	_, _, _, b := boltImage(f, 20)
	f.Add(b[:8*pageBytes], uint32(100), byte(1))
	f.Add(b, uint32(3*pageBytes), byte(0x80))
	f.Fuzz(func(t *testing.T, b []byte, at uint32, x byte) {
		if err := judge(b); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("error without its mark: %v", err)
		}
		if len(b) > 0 {
			b[int(at)%len(b)] ^= x
		}
		if err := judge(b); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("error without its mark: %v", err)
		}
	})
}
