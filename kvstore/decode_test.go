package kvstore

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// encodeChanges is what Changes does, from a map; a nil value is a deletion.
func encodeChanges(m map[string][]byte) []byte {
	b := appendChangesHead(nil, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		b = appendChange(b, key, m[key], m[key] != nil)
	}
	return b
}

func randomChanges(rng *rand.Rand) map[string][]byte {
	m := map[string][]byte{}
	for range rng.IntN(8) {
		key := make([]byte, 1+rng.IntN(30))
		for i := range key {
			key[i] = byte(rng.Uint32())
		}
		m[string(key)] = nil
		if rng.IntN(3) > 0 {
			m[string(key)] = make([]byte, rng.IntN(300))
		}
	}
	return m
}

// canonicalChanges fails unless b is refused, or is what it decodes to.
func canonicalChanges(t *testing.T, b []byte) (ok bool) {
	t.Helper()
	list, err := decodeChanges(b)
	if err != nil {
		if !errors.Is(err, ErrCorrupt) || !errors.Is(err, swing.ErrEncoding) {
			t.Fatalf("error without its mark: %v", err)
		}
		return false
	}
	m := map[string][]byte{}
	for _, c := range list {
		m[c.key] = c.value
	}
	if again := encodeChanges(m); !bytes.Equal(b, again) {
		t.Fatalf("two byte strings for one change set:\n%x\n%x", b, again)
	}
	return true
}

// TestChangeSetIsOneByteString: change sets come back as they went in; each
// truncation is refused, and each flipped bit is refused or another's encoding.
func TestChangeSetIsOneByteString(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(40) {
		m := randomChanges(rand.New(rand.NewPCG(seed, 1)))
		b := encodeChanges(m)
		list, err := decodeChanges(b)
		if err != nil || len(list) != len(m) {
			t.Fatalf("seed %d: %d changes of %d, %v", seed, len(list), len(m), err)
		}
		for _, c := range list {
			want, ok := m[c.key]
			if !ok || !bytes.Equal(want, c.value) || (want == nil) != (c.value == nil) {
				t.Fatalf("seed %d: key %q: %x, want %x", seed, c.key, c.value, want)
			}
		}
		for n := range b {
			if canonicalChanges(t, b[:n]) {
				t.Fatalf("seed %d: the first %d bytes of %d are taken", seed, n, len(b))
			}
		}
		for bit := range 8 * len(b) {
			flipped := bytes.Clone(b)
			flipped[bit/8] ^= 1 << (bit % 8)
			canonicalChanges(t, flipped)
		}
		if canonicalChanges(t, append(bytes.Clone(b), 0xf6)) {
			t.Fatalf("seed %d: a byte too many is taken", seed)
		}
	}
}

// TestChangeSetRules: each rule has a row of bytes that break it alone.
func TestChangeSetRules(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("61", KeyBytesMax+1)
	rows := []struct{ name, hex, says string }{
		{"empty input", "", "the end"},
		{"no version", "80", "the end"},
		{"version 2", "8102", "version 2"},
		{"key without value", "82" + "01" + "4161", "without a value"},
		{"empty key", "83" + "01" + "40" + "4161", `key "" after`},
		{"same key twice", "85" + "01" + "4161" + "40" + "4161" + "40", `key "a" after key "a"`},
		{"descending keys", "85" + "01" + "4162" + "40" + "4161" + "40", `key "a" after key "b"`},
		{"text key", "83" + "01" + "6161" + "40", "byte string"},
		{"key too long", "83" + "01" + "591001" + long + "40", "limit 4096"},
		{"more keys than bytes", "9affffffff" + "01", "items"},
	}
	for _, r := range rows {
		b, err := hex.DecodeString(r.hex)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeChanges(b); err == nil || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%s: got %v, want an error that says %q", r.name, err, r.says)
		}
	}
	big := change{key: "k", value: make([]byte, ValueBytesMax+1)}
	if why := big.refuse(""); !strings.Contains(why, "limit 16777216") {
		t.Errorf("a value too long: %q", why)
	}
}

func FuzzChanges(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(encodeChanges(randomChanges(rand.New(rand.NewPCG(seed, 1)))))
	}
	f.Fuzz(func(t *testing.T, b []byte) { canonicalChanges(t, b) })
}

// TestHeadFindsEveryFlip: a head comes back as it went in; no truncation and no
// flipped bit is taken.
func TestHeadFindsEveryFlip(t *testing.T) {
	t.Parallel()
	h := head{position: 1 << 40, count: 12345, digest: digest{1, 2, 3, 1 << 63}}
	b := h.encode()
	if got, err := decodeHead(b, 0); err != nil || got != h {
		t.Fatalf("got %+v, %v, want %+v", got, err, h)
	}
	for n := range b {
		if _, err := decodeHead(b[:n], 0); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
	for bit := range 8 * len(b) {
		flipped := bytes.Clone(b)
		flipped[bit/8] ^= 1 << (bit % 8)
		if _, err := decodeHead(flipped, 77); !errors.Is(err, ErrCorrupt) ||
			!strings.Contains(err.Error(), "offset 77") {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
}

// TestDigestIsOfTheSet: pairs that join in any order make one digest, leaving
// undoes joining, and each of: a pair lost, doubled, altered, its bytes moved
// between key and value, shows.
func TestDigestIsOfTheSet(t *testing.T) {
	t.Parallel()
	sums, rng := newPairs(), rand.New(rand.NewPCG(5, 5))
	hashes := make([]swing.Hash, 50)
	var want head
	for i := range hashes {
		hashes[i] = sums.sum(fmt.Appendf(nil, "k%d", i), fmt.Appendf(nil, "v%d", i))
		want.insert(hashes[i])
	}
	var got head
	for _, i := range rng.Perm(len(hashes)) {
		got.insert(hashes[i])
	}
	if got != want {
		t.Fatalf("another order, another digest: %x, %x", got.digest, want.digest)
	}
	others := []swing.Hash{
		hashes[0],
		sums.sum([]byte("k1"), []byte("v2")),
		sums.sum([]byte("k1v"), []byte("1")),
	}
	for i, h := range others {
		changed := want
		changed.remove(hashes[1])
		changed.insert(h)
		if changed.digest == want.digest {
			t.Errorf("pair %d in place of another keeps the digest", i)
		}
		changed.remove(h)
		changed.insert(hashes[1])
		if changed != want {
			t.Errorf("pair %d joined and left: %+v, want %+v", i, changed, want)
		}
	}
}

// TestCheckCoversKeyAndValue: every flipped bit of key, value or check is found,
// and a byte that moves from the one to the other.
func TestCheckCoversKeyAndValue(t *testing.T) {
	t.Parallel()
	key, value := []byte("v1.c.ko20"), []byte("o+17")
	stored := appendValue(nil, key, value)
	if got, err := verifyValue(key, stored); err != nil || !bytes.Equal(got, value) {
		t.Fatalf("got %q, %v", got, err)
	}
	for bit := range 8 * len(key) {
		other := bytes.Clone(key)
		other[bit/8] ^= 1 << (bit % 8)
		if _, err := verifyValue(other, stored); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("key bit %d: %v", bit, err)
		}
	}
	for bit := range 8 * len(stored) {
		other := bytes.Clone(stored)
		other[bit/8] ^= 1 << (bit % 8)
		if _, err := verifyValue(key, other); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("stored bit %d: %v", bit, err)
		}
	}
	for n := range stored {
		if _, err := verifyValue(key, stored[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
	if checkOf([]byte("ab"), []byte("c")) == checkOf([]byte("a"), []byte("bc")) {
		t.Error("a byte moves between key and value unseen")
	}
}

// memImage returns the file of a memory table with pairs in several frames.
func memImage(t testing.TB, seed uint64, values ...int) []byte {
	fs, rng := vfs.NewMem(), rand.New(rand.NewPCG(seed, 2))
	m := &memState{pairs: newMemPairs()}
	m.head.position = rng.Uint64()
	var dirty []*entry
	for i, n := range values {
		e := &entry{key: fmt.Sprintf("k%03d", i), value: make([]byte, n), state: present}
		dirty = append(dirty, e)
	}
	m.apply(dirty)
	if err := new(memWriter).write(Options{FS: fs, Name: "table"}, m); err != nil {
		t.Fatal(err)
	}
	return readAll(t, fs, "table")
}

func readAll(t testing.TB, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return b
}

// fileOf is a file of given bytes, for reading.
type fileOf struct {
	vfs.File
	*bytes.Reader
}

func (f fileOf) ReadAt(p []byte, at int64) (int, error) { return f.Reader.ReadAt(p, at) }
func (f fileOf) Size() (int64, error)                   { return f.Reader.Size(), nil }

func readImage(b []byte) (*memState, error) { return readMem(fileOf{Reader: bytes.NewReader(b)}) }

// TestMemFileFindsEveryFlip: of a small memory table's file, no truncation, no
// flipped bit, no lost, doubled or swapped frame is taken.
func TestMemFileFindsEveryFlip(t *testing.T) {
	t.Parallel()
	b := memImage(t, 1, 0, 10, 100, 1)
	if m, err := readImage(b); err != nil || m.head.count != 4 {
		t.Fatalf("%+v, %v", m, err)
	}
	for n := range b {
		if _, err := readImage(b[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
	for bit := range 8 * len(b) {
		flipped := bytes.Clone(b)
		flipped[bit/8] ^= 1 << (bit % 8)
		if _, err := readImage(flipped); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	large := memImage(t, 2, framePairsBytes, 10, framePairsBytes, 10, 10)
	frames := splitFrames(t, large)
	if len(frames) != 4 {
		t.Fatalf("%d frames", len(frames))
	}
	for _, order := range [][]int{
		{0, 1, 2}, {0, 1, 3}, {0, 2, 1, 3}, {0, 1, 1, 2, 3}, {1, 2, 3}, {0}, {0, 1, 2, 3, 0},
	} {
		var b []byte
		for _, i := range order {
			b = append(b, frames[i]...)
		}
		if _, err := readImage(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("frames %v of 4: %v", order, err)
		}
	}
}

// TestMemFileRules: frames with right checks and a right chain, whose content
// breaks one rule alone, are refused.
func TestMemFileRules(t *testing.T) {
	t.Parallel()
	type kv = map[string][]byte
	whole := func(h head, kind byte, sets ...kv) []byte {
		b, check := frame.Append(nil, frameHead, memSeed, h.encode())
		for _, set := range sets {
			b, check = frame.Append(b, kind, check, encodeChanges(set))
		}
		return b
	}
	of := func(sets ...kv) (h head) {
		for _, set := range sets {
			for key, value := range set {
				h.insert(newPairs().sum([]byte(key), value))
			}
		}
		return h
	}
	one := func(kind byte, seed uint32, body []byte) []byte {
		b, _ := frame.Append(nil, kind, seed, body)
		return b
	}
	a, b := kv{"a": {1}}, kv{"b": {2}}
	if _, err := readImage(whole(of(a, b), framePairs, a, b)); err != nil {
		t.Fatal(err)
	}
	miscounted := of(a, b)
	miscounted.count++
	rows := map[string][]byte{
		"frames in wrong order":  whole(of(a, b), framePairs, b, a),
		"a null":                 whole(of(a), framePairs, kv{"a": nil}),
		"a null for no bytes":    whole(of(kv{"a": {}}), framePairs, kv{"a": nil}),
		"a frame of other kind":  whole(of(a), framePairs+1, a),
		"a pair too few":         whole(of(a, b), framePairs, a),
		"a pair twice":           whole(of(a, a), framePairs, a, a),
		"a wrong count":          whole(miscounted, framePairs, a, b),
		"a wrong digest":         whole(of(b), framePairs, a),
		"a head of wrong length": one(frameHead, memSeed, nil),
		"a chain from elsewhere": one(frameHead, 1, head{}.encode()),
		"no head":                one(framePairs, memSeed, encodeChanges(nil)),
	}
	for name, b := range rows {
		if _, err := readImage(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMemFileAllocatesNoMoreThanItIs: a frame that claims to be large, in a file
// that is not, is refused before there is memory for it.
func TestMemFileAllocatesNoMoreThanItIs(t *testing.T) {
	b := memImage(t, 1, 10)
	b[2], b[3] = 0xff, 0x03 // of the length's four bytes
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readImage(b)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, ErrCorrupt) || n > 1<<20 {
		t.Errorf("%d bytes for a file of %d: %v", n, len(b), err)
	}
}

func splitFrames(t testing.TB, b []byte) (frames [][]byte) {
	t.Helper()
	for len(b) > 0 {
		f, err := frame.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		frames, b = append(frames, b[:f.Bytes()]), b[f.Bytes():]
	}
	return frames
}

func FuzzMemFile(f *testing.F) {
	f.Add(memImage(f, 1))
	f.Add(memImage(f, 2, 1, 2, 3))
	f.Add(encodeChanges(map[string][]byte{"a": {}, "b": {1}}))
	head := splitFrames(f, memImage(f, 1))[0]
	seed, err := frame.Decode(head)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// Framed anew, the bytes get past the frame's check.
		framed, _ := frame.Append(bytes.Clone(head), framePairs, seed.Check, b)
		if _, err := readImage(framed); len(b) > 0 && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("pairs that the head does not know of: %v", err)
		}
		m, err := readImage(b)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("error without its mark: %v", err)
		}
		if err == nil && uint64(m.pairs.Len()) != m.head.count {
			t.Fatalf("%d pairs, %d counted", m.pairs.Len(), m.head.count)
		}
	})
}
