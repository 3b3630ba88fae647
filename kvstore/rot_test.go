package kvstore

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"vatwarehouse/vfs"
)

// grown returns a store, in line and without syncs, that has lived a while: its
// table has pages of all kinds, free ones among them. history[p] is the state at
// position p; a checkpoint followed each.
func grown(t testing.TB, fs vfs.FS, keys int) (o Options, history []map[string]string) {
	t.Helper()
	o = Options{FS: fs, Name: "table", MapBytes: 1, Inline: true, NoSync: true}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	history = append(history, map[string]string{})
	for block := range 4 {
		for i := range keys {
			key := fmt.Sprintf("v%d.c.ko%04d", i%3, i)
			switch {
			case i%4 == block:
				s.Delete(key)
			case (i+block)%5 < 3:
				s.Set(key, bytes.Repeat([]byte{byte(i), byte(block)}, i%60))
			}
		}
		s.Set("large", bytes.Repeat([]byte{byte(block)}, 5000))
		s.Seal()
		s.Changes(nil)
		s.Commit()
		if err := s.Checkpoint(); err != nil {
			t.Fatal(err)
		}
		history = append(history, wholeState(s))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return o, history
}

// verdict is what came of opening an altered table.
type verdict int

const (
	refused  verdict = iota // with ErrCorrupt, naming the file
	same                    // the state is exactly what it was
	fellBack                // the table is an older one, and says so
	silent                  // anything else
	verdicts
)

// tried opens the altered table of a store, and goes on to use it: a table that
// opens must take a checkpoint and open again.
func tried(o Options, history []map[string]string) (v verdict, err error) {
	s, err := Open(o)
	if err != nil {
		if errors.Is(err, ErrCorrupt) && strings.Contains(err.Error(), "open "+o.Name) {
			return refused, err
		}
		return silent, err
	}
	defer s.Close()
	last := uint64(len(history) - 1)
	v = same
	if s.Stats().MetaLost && s.TablePosition() == last-1 {
		v, last = fellBack, last-1
	}
	if why := sameState(s, history[last]); why != "" || s.TablePosition() != last {
		return silent, fmt.Errorf("position %d: %s", s.TablePosition(), why)
	}
	s.Set("rot.a", []byte("a"))
	s.Set("v0.c.ko0000", make([]byte, 300))
	s.Seal()
	s.Changes(nil)
	s.Commit()
	after := wholeState(s)
	if err := errors.Join(s.Checkpoint(), s.Close()); err != nil {
		return silent, err
	}
	again, err := Open(o)
	if err != nil {
		return silent, err
	}
	defer again.Close()
	if why := sameState(again, after); why != "" {
		return silent, errors.New(why)
	}
	return v, nil
}

// judge says what an audit of the bytes in memory makes of them.
func judge(b []byte) error {
	a, err := newAudit(bytes.NewReader(b), int64(len(b)))
	if err == nil {
		err = a.verify()
	}
	return err
}

// inUse reports whether a byte of a bbolt file lies near the start of a page,
// where what matters is.
func inUse(at int) bool { return at%pageBytes < 64 }

// boltImage returns the path and bytes of a small bbolt table.
func boltImage(
	t testing.TB, keys int,
) (o Options, history []map[string]string, path string, b []byte) {
	t.Helper()
	dir := t.TempDir()
	fs, err := vfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fs.Close() })
	o, history = grown(t, fs, keys)
	path = filepath.Join(dir, "table")
	if b, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return o, history, path, b
}

// TestBoltRotIsFound flips bits of a bbolt table: every one near the start of a
// page, and thousands in the rest. The audit judges all; a real Open, with a
// checkpoint and another Open after it, those that it accepts near the start of a
// page, and a sample of the rest. An Open refuses the file and leaves it alone, or
// the state is what it was. (The checkpoint once showed a branch whose first key
// was wrong but within bounds: read rightly, then written wrongly.)
func TestBoltRotIsFound(t *testing.T) {
	t.Parallel()
	o, history, path, b := boltImage(t, 150)
	var count [verdicts]int
	bits := rotBits(len(b))
	for i, bit := range bits {
		b[bit/8] ^= 1 << (bit % 8)
		err := judge(b)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("bit %d of byte %d: %v", bit%8, bit/8, err)
		}
		if i%16 == 0 || err == nil && (inUse(bit/8) || *longFlag) {
			v := triedFlip(t, o, history, path, b, bit)
			if (v == refused) != (err != nil) {
				t.Fatalf("bit %d of byte %d: verdict %d, audit: %v", bit%8, bit/8, v, err)
			}
			count[v]++
		} else if err != nil {
			count[refused]++
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
	if count[refused] == 0 || count[same] == 0 || count[fellBack] == 0 {
		t.Errorf("refused %d, same %d, fell back %d", count[refused], count[same], count[fellBack])
	}
	t.Logf("%d flips in %d bytes: refused %d; of those opened in full, same %d, fell back %d",
		len(bits), len(b), count[refused], count[same], count[fellBack])
}

// rotBits returns the bits of a file to flip: all if -long is given; otherwise
// thousands at random, and all at the start of each page.
func rotBits(size int) []int {
	bits := rand.New(rand.NewPCG(7, 7)).Perm(8 * size)
	if *longFlag {
		return bits
	}
	bits = bits[:min(len(bits), scaled(20_000))]
	for bit := range 8 * size {
		if inUse(bit / 8) {
			bits = append(bits, bit)
		}
	}
	return bits
}

// triedFlip opens a table with a flipped bit in full.
func triedFlip(
	t *testing.T, o Options, history []map[string]string, path string, b []byte, bit int,
) verdict {
	t.Helper()
	overwrite(t, path, b)
	v, err := tried(o, history)
	if v == silent {
		t.Fatalf("bit %d of byte %d (page %d): %v", bit%8, bit/8, bit/8/pageBytes, err)
	}
	if v == refused && !bytes.Equal(b, contentOf(t, path)) {
		t.Fatalf("bit %d of byte %d: Open changed a file it refused", bit%8, bit/8)
	}
	return v
}

func overwrite(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func contentOf(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRotHarnessSeesSilentRot plants three readers that each lack a check, and
// flips bits until one of each is silent: otherwise the flips would prove nothing.
func TestRotHarnessSeesSilentRot(t *testing.T) {
	t.Parallel()
	_, _, _, b := boltImage(t, 150)
	// deaf makes an audit that does not hear of what these words speak of.
	deaf := func(words ...string) func(a *audit) error {
		return func(a *audit) error {
			err := a.verify()
			for _, w := range words {
				if err != nil && strings.Contains(err.Error(), w) {
					return nil
				}
			}
			return err
		}
	}
	lacking := map[string]func(a *audit) error{
		"no check of values, no digest": func(a *audit) error {
			return a.run(func(_, _ []byte, _ int64) error { return nil })
		},
		"no freelist":      deaf("free"),
		"no branch bounds": deaf("of a branch", ", before "),
	}
	bits := rand.New(rand.NewPCG(9, 9)).Perm(8 * len(b))
	for name, check := range lacking {
		if !slices.ContainsFunc(bits, func(bit int) bool {
			b[bit/8] ^= 1 << (bit % 8)
			defer func() { b[bit/8] ^= 1 << (bit % 8) }()
			a, err := newAudit(bytes.NewReader(b), int64(len(b)))
			return err == nil && check(a) == nil && judge(b) != nil
		}) {
			t.Errorf("%s: no flip of %d bits is silent", name, len(bits))
		}
	}
}

// TestLostFreePagesAreFound: a freelist that forgets pages is refused, though no
// key suffers: the pages of the file are accounted for, all of them.
func TestLostFreePagesAreFound(t *testing.T) {
	t.Parallel()
	_, _, _, b := boltImage(t, 150)
	a, err := newAudit(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	b[a.meta.freelist*pageBytes+10]-- // its count
	if err := judge(b); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "in use or free") {
		t.Errorf("a free page fewer: %v", err)
	}
}

// TestTamperedBoltIsFound alters a table through bbolt itself, so that the file
// is a sound bbolt file: a key gone, one added, one with an older value, two
// values swapped, a head of another table. Only the checks and the digest see it.
func TestTamperedBoltIsFound(t *testing.T) {
	t.Parallel()
	get := func(b *bbolt.Bucket, key string) []byte { return bytes.Clone(b.Get([]byte(key))) }
	rows := map[string]func(head, pairs *bbolt.Bucket) error{
		"key gone": func(_, p *bbolt.Bucket) error { return p.Delete([]byte("large")) },
		"key added": func(_, p *bbolt.Bucket) error {
			return p.Put([]byte("x"), appendValue(nil, []byte("x"), []byte("y")))
		},
		"older value": func(_, p *bbolt.Bucket) error {
			old := appendValue(nil, []byte("large"), bytes.Repeat([]byte{2}, 5000))
			return p.Put([]byte("large"), old)
		},
		"value without check": func(_, p *bbolt.Bucket) error {
			return p.Put([]byte("large"), []byte("abc"))
		},
		"values swapped": func(_, p *bbolt.Bucket) error {
			a, b := get(p, "large"), get(p, "activityhash")
			return errors.Join(p.Put([]byte("large"), b), p.Put([]byte("activityhash"), a))
		},
		"two heads": func(h, _ *bbolt.Bucket) error {
			return h.Put([]byte("hea"), get(h, "head"))
		},
		"no head": func(h, _ *bbolt.Bucket) error { return h.Delete(headKey) },
		"another's head": func(h, _ *bbolt.Bucket) error {
			return h.Put(headKey, head{position: 4}.encode())
		},
		"head cut": func(h, _ *bbolt.Bucket) error {
			return h.Put(headKey, get(h, "head")[:63])
		},
		"bucket in pairs": func(_, p *bbolt.Bucket) error {
			_, err := p.CreateBucket([]byte("b"))
			return err
		},
		"bucket added": func(_, p *bbolt.Bucket) error {
			_, err := p.Tx().CreateBucket([]byte("zz"))
			return err
		},
		"bucket gone": func(_, p *bbolt.Bucket) error { return p.Tx().DeleteBucket(pairBucket) },
	}
	o, history, path, good := boltImage(t, 150)
	for name, alter := range rows {
		overwrite(t, path, good)
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageBytes})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			return alter(tx.Bucket(headBucket), tx.Bucket(pairBucket))
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v, err := tried(o, history); v != refused {
			t.Errorf("%s: verdict %d, %v", name, v, err)
		}
	}
}

// TestCutTableIsRefused cuts a table at every 512 bytes, and to nothing: Open
// refuses it, says that it is cut, and leaves it alone. A file of none of ours
// is told apart.
func TestCutTableIsRefused(t *testing.T) {
	t.Parallel()
	o, history, path, b := boltImage(t, 150)
	a, err := newAudit(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < int(a.meta.pages)*pageBytes; n += 512 {
		overwrite(t, path, b[:n])
		v, err := tried(o, history)
		if v != refused || !strings.Contains(err.Error(), "the end") {
			t.Fatalf("the first %d bytes of %d: verdict %d, %v", n, len(b), v, err)
		}
		if got := contentOf(t, path); len(got) != n {
			t.Fatalf("cut at %d, Open made it %d", n, len(got))
		}
	}
	foreign := []struct {
		says    string
		content []byte
	}{
		{"20 20 20 20, not bbolt's mark: a foreign file", bytes.Repeat([]byte(" "), 1<<16)},
		{"00 00 00 00, not bbolt's mark: a foreign file", make([]byte, 1<<16)},
		{"not a table of ours", rawBolt(t, pageBytes)},
		{"pages of 8192 bytes, not", rawBolt(t, 2*pageBytes)},
		{"not bbolt's mark: a foreign file", memImage(t, 1, make([]int, 4000)...)},
	}
	for _, f := range foreign {
		overwrite(t, path, f.content)
		v, err := tried(o, history)
		if v != refused || !strings.Contains(err.Error(), f.says) {
			t.Errorf("verdict %d, %v, want an error that says %q", v, err, f.says)
		}
		if !bytes.Equal(contentOf(t, path), f.content) {
			t.Errorf("%s: Open changed the file", f.says)
		}
	}
}

// rawBolt returns a sound bbolt file of somebody else.
func rawBolt(t testing.TB, pageSize int) []byte {
	path := filepath.Join(t.TempDir(), "other")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("widgets"))
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return contentOf(t, path)
}

// TestMemRotIsFound flips every bit of a small memory table's file, and cuts it
// at every byte: Open refuses, names the file, and leaves it alone.
func TestMemRotIsFound(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	o, history := grown(t, fs, 12)
	o.Name = "table"
	b := readAll(t, fs, "table")
	try := func(altered []byte, what string, n int) {
		t.Helper()
		rewrite(t, fs, "table", altered)
		v, err := tried(o, history)
		if v != refused || !strings.Contains(err.Error(), "at offset") {
			t.Fatalf("%s %d: verdict %d, %v", what, n, v, err)
		}
		if !bytes.Equal(readAll(t, fs, "table"), altered) {
			t.Fatalf("%s %d: Open changed a file it refused", what, n)
		}
	}
	for bit := range 8 * len(b) {
		b[bit/8] ^= 1 << (bit % 8)
		if bit%8 == bit/8%8 || bit < 1024 {
			try(b, "bit", bit)
		} else if _, err := readImage(b); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("bit %d: %v", bit, err)
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
	for n := 0; n < len(b); n += 16 {
		try(b[:n], "cut at", n)
	}
	rewrite(t, fs, "table", b)
	if v, err := tried(o, history); v != same {
		t.Fatalf("the file as it was: verdict %d, %v", v, err)
	}
}

func rewrite(t testing.TB, fs vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		t.Fatal(err)
	}
}
