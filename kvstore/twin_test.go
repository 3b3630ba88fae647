package kvstore

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"vatwarehouse/swing"
)

var (
	seedFlag = flag.Int64("seed", -1, "run random tests with this seed only")
	longFlag = flag.Bool("long", false, "run tests at many times their usual size")
)

// scaled returns n, less in short mode, more in a long run.
func scaled(n int) int {
	switch {
	case *longFlag:
		return 20 * n
	case testing.Short():
		return (n + 7) / 8
	}
	return n
}

// seeds returns the seeds of a random test.
func seeds(n int) []uint64 {
	if *seedFlag >= 0 {
		return []uint64{uint64(*seedFlag)}
	}
	n = scaled(n)
	list := make([]uint64, n)
	for i := range list {
		list[i] = uint64(i)
	}
	return list
}

// twin is the store in its simplest form: a map, copied whole wherever it may
// have to come back.
type twin struct {
	now      map[string]string
	block    map[string]string // as of the last commit
	crank    []twinWrite       // surviving writes since the last seal
	written  []string          // keys of the block's surviving writes
	saved    []twinSave
	activity swing.Hash
	log      [][]byte            // every block's change set
	history  []map[string]string // history[p] is the state at position p
}

type twinWrite struct {
	key, value string
	gone       bool
}

type twinSave struct {
	now            map[string]string
	crank, written int
}

func newTwin() *twin {
	return &twin{
		now:     map[string]string{},
		block:   map[string]string{},
		history: []map[string]string{{}},
	}
}

func (t *twin) write(w twinWrite) {
	if t.crank = append(t.crank, w); w.gone {
		delete(t.now, w.key)
	} else {
		t.now[w.key] = w.value
	}
	t.written = append(t.written, w.key)
}

func (t *twin) save() {
	t.saved = append(t.saved, twinSave{maps.Clone(t.now), len(t.crank), len(t.written)})
}

func (t *twin) rollback(i int) {
	s := t.saved[i]
	t.now, t.crank, t.written = maps.Clone(s.now), t.crank[:s.crank], t.written[:s.written]
	t.saved = t.saved[:i]
}

func (t *twin) seal() swing.Hash {
	var parts [][]byte
	for _, w := range t.crank {
		switch {
		case strings.HasPrefix(w.key, "local."):
		case w.gone:
			parts = append(parts, []byte("-"), []byte(w.key))
		default:
			parts = append(parts, []byte("+"), []byte(w.key), []byte(w.value))
		}
	}
	crankhash := swing.Sum("vatwarehouse crank", parts...)
	t.activity = swing.Sum("vatwarehouse activity", t.activity[:], crankhash[:])
	t.now["activityhash"] = string(t.activity[:])
	t.written = append(t.written, "activityhash")
	t.crank, t.saved = nil, nil
	return crankhash
}

// changes encodes the block's net changes with a CBOR library.
func (t *twin) changes() ([]byte, int) {
	fields := []any{1}
	for _, key := range slices.Compact(slices.Sorted(slices.Values(t.written))) {
		value, ok := t.now[key]
		_, had := t.block[key]
		switch {
		case ok:
			fields = append(fields, []byte(key), []byte(value))
		case had:
			fields = append(fields, []byte(key), nil)
		}
	}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	b, err := mode.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return b, len(fields) / 2
}

func (t *twin) commit() {
	b, _ := t.changes()
	t.log = append(t.log, b)
	t.block = maps.Clone(t.now)
	t.history = append(t.history, t.block)
	t.written, t.crank, t.saved = nil, nil, nil
}

func (t *twin) next(after, end string) (string, bool) {
	for _, key := range slices.Sorted(maps.Keys(t.now)) {
		if key > after {
			return key, end == "" || key < end
		}
	}
	return "", false
}

// wholeState returns all that a store says it holds, by Scan.
func wholeState(s *Store) map[string]string {
	m := map[string]string{}
	for key, value := range s.Scan("") {
		m[key] = string(value)
	}
	return m
}

// sameState returns how a store differs from a state, or "".
func sameState(s *Store, want map[string]string) string {
	if err := s.Err(); err != nil {
		return err.Error()
	}
	for key, value := range want {
		if got, ok := s.peek(key); !ok || string(got) != value {
			return fmt.Sprintf("key %q: got %.60q, %v, want %.60q", key, got, ok, value)
		}
	}
	if got := wholeState(s); !maps.Equal(got, want) {
		return fmt.Sprintf("%d keys, want %d", len(got), len(want))
	}
	if err := s.Err(); err != nil {
		return err.Error()
	}
	return ""
}
