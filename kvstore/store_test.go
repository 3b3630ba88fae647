package kvstore

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"vatwarehouse/vfs"
)

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closed(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// block ends a block of one crank.
func block(s *Store) []byte {
	s.Seal()
	b, _ := s.Changes(nil)
	s.Commit()
	return b
}

// TestChangesAreNet: what a block leaves out and what it says, row by row, where
// "old" is in the table, "mid" only in the overlay.
func TestChangesAreNet(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, fs func(testing.TB) vfs.FS) {
		s := open(t, Options{FS: fs(t), Inline: true, CacheBytes: -1})
		defer s.Close()
		rows := []struct {
			name string
			do   func()
			want map[string][]byte
		}{
			{"nothing", func() {}, nil},
			{"set and deleted", func() { s.Set("new", []byte("x")); s.Delete("new") }, nil},
			{"deleted, never there", func() { s.Delete("new") }, nil},
			{"deleted from the table", func() { s.Delete("old") }, map[string][]byte{"old": nil}},
			{"deleted from the overlay", func() { s.Delete("mid") }, map[string][]byte{"mid": nil}},
			{"set again to what it was", func() { s.Set("old", []byte("1")) },
				map[string][]byte{"old": []byte("1")}},
			{"deleted and set again", func() { s.Delete("mid"); s.Set("mid", nil) },
				map[string][]byte{"mid": {}}},
			{"rolled back", func() { s.Set("old", nil); s.Delete("mid"); s.Rollback(0) }, nil},
			{"read when rolled back", func() { s.Set("old", nil); s.Rollback(0); s.Get("old") },
				nil},
			{"last of two", func() { s.Set("local.a", []byte("1")); s.Set("local.a", []byte("2")) },
				map[string][]byte{"local.a": []byte("2")}},
		}
		for _, r := range rows {
			s.Set("old", []byte("1"))
			s.Delete("mid")
			s.Delete("local.a")
			block(s)
			if err := s.Checkpoint(); err != nil {
				t.Fatal(err)
			}
			s.Set("mid", []byte("2"))
			block(s)
			r.do()
			s.forgetJournal() // so that the block has no crank, hence no activityhash
			got, n := s.Changes(nil)
			if want := encodeChanges(r.want); !bytes.Equal(got, want) || n != len(r.want) {
				t.Errorf("%s: %d keys %x, want %d %x", r.name, n, got, len(r.want), want)
			}
			s.Commit()
		}
	})
}

// TestBlockOfNothingIsOver: once Changes has said that nothing remains, a
// checkpoint may follow without a Commit, and the next block stands alone.
func TestBlockOfNothingIsOver(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, fs func(testing.TB) vfs.FS) {
		s := open(t, Options{FS: fs(t), Inline: true})
		defer s.Close()
		s.Set("a", []byte("1"))
		block(s)
		s.Set("a", []byte("2"))
		s.Set("b", []byte("2"))
		s.Rollback(0)
		if b, n := s.Changes(nil); n != 0 {
			t.Fatalf("%d changes %x", n, b)
		}
		at := s.Position()
		if err := s.Checkpoint(); err != nil || s.TablePosition() != at {
			t.Fatalf("checkpoint at %d: %v", s.TablePosition(), err)
		}
		s.Set("b", []byte("3"))
		s.forgetJournal()
		if b, n := s.Changes(nil); n != 1 || !bytes.Equal(b, encodeChanges(map[string][]byte{"b": []byte("3")})) {
			t.Errorf("%d changes %x", n, b)
		}
	})
}

// TestMisusePanics: each misuse panics with words that name it.
func TestMisusePanics(t *testing.T) {
	t.Parallel()
	rows := []struct {
		says string
		do   func(s *Store)
	}{
		{"key \"\" of 0 bytes", func(s *Store) { s.Set("", nil) }},
		{"of 4097 bytes", func(s *Store) { s.Delete(strings.Repeat("k", KeyBytesMax+1)) }},
		{"is Seal's", func(s *Store) { s.Set("activityhash", nil) }},
		{"write of 16777217 bytes", func(s *Store) { s.Set("k", make([]byte, ValueBytesMax+1)) }},
		{"savepoint 1 of 0", func(s *Store) { s.Rollback(1) }},
		{"savepoint -1", func(s *Store) { s.Rollback(-1) }},
		{"without Changes", func(s *Store) { s.Commit() }},
		{"without Changes", func(s *Store) { s.Changes(nil); s.Set("local.k", nil); s.Commit() }},
		{"without Changes", func(s *Store) { block(s); s.Commit() }},
		{"Changes with 1 writes since Seal", func(s *Store) { s.Set("k", nil); s.Changes(nil) }},
		{"inside a block of 1 keys", func(s *Store) { s.Set("k", nil); s.Checkpoint() }},
		{"into a block of 1 keys", func(s *Store) { s.Set("k", nil); s.Redo(0, []byte{0x81, 1}) }},
		{"FS is nil", func(*Store) { Open(Options{}) }},
	}
	for _, r := range rows {
		s := open(t, Options{FS: vfs.NewMem()})
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), r.says) {
					t.Errorf("panic %v, want one that says %q", p, r.says)
				}
			}()
			r.do(s)
		}()
	}
}

// TestRedoRefusals: a change set that is not the next, or is none, changes nothing.
func TestRedoRefusals(t *testing.T) {
	t.Parallel()
	s := open(t, Options{FS: vfs.NewMem()})
	defer s.Close()
	good := encodeChanges(map[string][]byte{"a": []byte("1"), "b": nil})
	for _, p := range []uint64{1, 7} {
		if err := s.Redo(p, good); !errors.Is(err, ErrPosition) {
			t.Errorf("position %d: %v", p, err)
		}
	}
	half := append(bytes.Clone(good[:len(good)-1]), 0x61)
	err := s.Redo(0, half)
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "change set 0") {
		t.Errorf("bad change set: %v", err)
	}
	if s.Position() != 0 || len(wholeState(s)) != 0 {
		t.Errorf("position %d, state %q", s.Position(), wholeState(s))
	}
	if err := s.Redo(0, good); err != nil || s.Position() != 1 {
		t.Errorf("position %d, %v", s.Position(), err)
	}
	clear(good) // the bytes are the caller's again
	if v, ok := s.Get("a"); !ok || string(v) != "1" {
		t.Errorf("got %q, %v", v, ok)
	}
	if err := s.Redo(0, encodeChanges(nil)); !errors.Is(err, ErrPosition) {
		t.Errorf("again: %v", err)
	}
}

// TestClosedStore: Close twice is one Close; what needs the table then says
// ErrClosed or sticks an error, and does not crash.
func TestClosedStore(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, fs func(testing.TB) vfs.FS) {
		s := open(t, Options{FS: fs(t)})
		s.Set("k", []byte("v"))
		block(s)
		closed(t, s)
		closed(t, s)
		if err := s.Checkpoint(); !errors.Is(err, ErrClosed) {
			t.Errorf("checkpoint: %v", err)
		}
		if v, ok := s.Get("k"); !ok || string(v) != "v" {
			t.Errorf("what is in memory: %q, %v", v, ok)
		}
		if _, ok := s.Get("other"); ok {
			t.Error("a closed table has a key")
		}
		if _, isMem := s.table.(*memTable); s.Err() == nil && !isMem {
			t.Error("a read of a closed table went unnoticed")
		}
	})
}

// TestBadActivityhashIsNoticed: an activityhash of the wrong length sticks.
func TestBadActivityhashIsNoticed(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 31, 33} {
		s := open(t, Options{FS: vfs.NewMem()})
		bad := encodeChanges(map[string][]byte{ActivityKey: make([]byte, n)})
		if err := s.Redo(0, bad); err != nil {
			t.Fatal(err)
		}
		if s.Activityhash(); !errors.Is(s.Err(), ErrCorrupt) {
			t.Errorf("%d bytes: %v", n, s.Err())
		}
		if err := s.Redo(1, encodeChanges(nil)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d bytes: redo after a failure: %v", n, err)
		}
	}
}

// TestScanByPrefix: Scan gives the keys of a prefix and no others, may be left
// early, and bears writes of the one who scans.
func TestScanByPrefix(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, fs func(testing.TB) vfs.FS) {
		s := open(t, Options{FS: fs(t)})
		defer s.Close()
		for _, key := range []string{"a", "ab", "abc", "ac", "b", "\xff", "\xff\xff"} {
			s.Set(key, []byte(key))
		}
		for prefix, want := range map[string]string{
			"":   "a ab abc ac activityhash b \xff \xff\xff",
			"ab": "ab abc", "\xff": "\xff \xff\xff", "c": "", "abcd": "",
		} {
			if len(s.touched) > 0 {
				block(s)
			}
			var got []string
			for key := range s.Scan(prefix) {
				got = append(got, key)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%q: %q, want %q", prefix, got, want)
			}
		}
		for key := range s.Scan("a") {
			s.Delete(key)
			if key == "ab" {
				break
			}
		}
		if key, ok := s.Next("", ""); !ok || key != "abc" {
			t.Errorf("after deletions: %q, %v", key, ok)
		}
	})
}
