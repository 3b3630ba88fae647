package portable_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"vatwarehouse/internal/frame"
	"vatwarehouse/internal/portable"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// content is all that a stream holds.
type content struct {
	What    portable.What
	M       portable.Metadata
	Rows    []portable.Row
	Changes [][]byte
	Codes   [][]byte
	Entries [][][]byte // of each span
	Outputs [][]byte
	Objects [][]byte
}

func hash(n int) swing.Hash { return swing.Sum("test", []byte(strconv.Itoa(n))) }

// sample makes a stream's content; size scales the items.
func sample(what portable.What, size int) (c content) {
	c.What = what
	rng := rand.New(rand.NewPCG(uint64(what), uint64(size)))
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.IntN(4)) // some of it packs
		}
		return b
	}
	c.M.Facts = portable.Facts{
		Mode: portable.Debug, Schema: 1, Activityhash: hash(1), Block: 9, Cranks: 70, Deliveries: 50,
	}
	c.M.Programs = []swing.Hash{hash(2), hash(3)}
	slices.SortFunc(c.M.Programs, portable.CompareHashes)
	vats := []swing.VatID{"v2", "v9", "v10"}
	if what == portable.Vat {
		vats, c.M.Programs = vats[:1], c.M.Programs[:1]
	}
	for i, id := range vats {
		s := transcript.Span{Start: uint64(i), End: uint64(i)}
		if i > 0 {
			s.Hash = hash(i)
		}
		span := portable.Span{Vat: id, Start: s.End, Base: s.Hash}
		var entries [][]byte
		for range 2 + i {
			e := transcript.Entry{Position: s.End, Delivery: bytesOf(size)}
			e.Outcome.Status = swing.StatusOK
			item := e.Append(nil)
			entries, s = append(entries, item), s.Extend(item)
		}
		span.End, span.Hash = s.End, s.Hash
		c.M.Spans, c.Entries = append(c.M.Spans, span), append(c.Entries, entries)
		c.M.Snapshots = append(c.M.Snapshots, portable.Snapshot{
			Vat: id, Position: s.End, Heap: hash(20 + i), Transcript: s.Hash, Engine: "e", StoredBytes: 7,
		})
	}
	for range c.M.Programs {
		c.Codes = append(c.Codes, bytesOf(size))
	}
	switch what {
	case portable.State:
		for i := range 5 {
			c.Rows = append(c.Rows, portable.Row{Key: fmt.Sprint("key", i), Value: bytesOf(i * size)})
		}
	case portable.Feed:
		c.M.BaseBlock, c.M.BaseActivityhash = 7, hash(8)
		c.M.Bases = []swing.Hash{c.M.Programs[0]}
		c.Codes = c.Codes[1:]
		c.Changes = [][]byte{bytesOf(size), bytesOf(3)}
	case portable.Vat:
		c.Rows = []portable.Row{{Key: "setup", Value: []byte("s")}, {Key: "v2.o", Value: nil}}
	}
	if what != portable.Vat {
		c.M.Outputs = portable.Outputs{Start: 3, End: 3}
		for range 3 {
			b := bytesOf(size)
			c.Outputs, c.M.Outputs = append(c.Outputs, b), c.M.Outputs.Extend(b)
		}
	}
	c.Objects = [][]byte{bytesOf(2 * size), bytesOf(40), {}, bytesOf(size)}
	return c
}

func all(items [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, b := range items {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// write writes a stream and returns its root.
func (c *content) write(out io.Writer) (root swing.Hash, err error) {
	w := portable.NewWriter(out, c.What)
	errs := []error{w.Metadata(&c.M)}
	for _, r := range c.Rows {
		errs = append(errs, w.Row(r))
	}
	for _, b := range c.Changes {
		errs = append(errs, w.Changes(b))
	}
	root, err = w.Seal()
	errs = append(errs, err)
	for _, b := range c.Codes {
		errs = append(errs, w.Code(b))
	}
	for i, s := range c.M.Spans {
		errs = append(errs, w.Entries(s, all(c.Entries[i])))
	}
	errs = append(errs, w.AllOutputs(c.M.Outputs, all(c.Outputs)))
	for _, b := range c.Objects {
		errs = append(errs, w.Object(b))
	}
	return root, errors.Join(append(errs, w.End())...)
}

// read reads a stream of which only codes and objects have to be counted.
func read(in io.Reader, codes, objects int) (c content, root swing.Hash, err error) {
	r, err := portable.NewReader(in)
	if err != nil {
		return c, root, err
	}
	c.What = r.What()
	facts, err := r.Facts()
	if err != nil {
		return c, root, err
	}
	c.M, root, err = r.Metadata(facts, func(row portable.Row) error {
		c.Rows = append(c.Rows, portable.Row{Key: row.Key, Value: slices.Clone(row.Value)})
		return nil
	}, func(b []byte) error {
		c.Changes = append(c.Changes, slices.Clone(b))
		return nil
	})
	keep := func(list *[][]byte) func(b []byte, e error) {
		return func(b []byte, e error) {
			if *list = append(*list, slices.Clone(b)); err == nil {
				err = e
			}
		}
	}
	for range codes {
		keep(&c.Codes)(r.Code())
	}
	for _, s := range c.M.Spans {
		var entries [][]byte
		for b, e := range r.Entries(s) {
			keep(&entries)(b, e)
		}
		c.Entries = append(c.Entries, entries)
	}
	for b, e := range r.AllOutputs(c.M.Outputs) {
		keep(&c.Outputs)(b, e)
	}
	for range objects {
		keep(&c.Objects)(r.Object())
	}
	if err == nil {
		err = r.End()
	}
	return c, root, err
}

func encoded(t testing.TB, c *content) ([]byte, swing.Hash) {
	t.Helper()
	var b bytes.Buffer
	root, err := c.write(&b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), root
}

var whats = []portable.What{portable.State, portable.Feed, portable.Vat}

// TestRoundTrip: what is written is read, with the same root, and written again to
// the same bytes; also from a reader that gives one byte at a time, and with items
// that take many frames.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, what := range whats {
		for _, size := range []int{0, 1, 300, 200 << 10, 2 << 20} {
			c := sample(what, size)
			b, root := encoded(t, &c)
			in := map[string]io.Reader{"whole": bytes.NewReader(b)}
			if size < 1000 {
				in["bytes"] = iotest.OneByteReader(bytes.NewReader(b))
			}
			for name, in := range in {
				got, gotRoot, err := read(in, len(c.Codes), len(c.Objects))
				if err != nil || gotRoot != root {
					t.Fatalf("%v of %d, %s: root %s, want %s, %v", what, size, name, gotRoot, root, err)
				}
				again, _ := encoded(t, &got)
				if !bytes.Equal(again, b) {
					t.Fatalf("%v of %d, %s: written again it differs", what, size, name)
				}
			}
		}
	}
}

// bad reports whether an error is one that says that the bytes are bad.
func bad(err error) bool {
	return errors.Is(err, portable.ErrCorrupt) || errors.Is(err, portable.ErrForeign) ||
		errors.Is(err, portable.ErrVersion)
}

// TestTruncatedEverywhere: no prefix of a stream is a stream, and none with a byte
// more behind it.
func TestTruncatedEverywhere(t *testing.T) {
	t.Parallel()
	for _, what := range whats {
		c := sample(what, 300)
		b, _ := encoded(t, &c)
		for n := range b {
			if _, _, err := read(bytes.NewReader(b[:n]), len(c.Codes), len(c.Objects)); !bad(err) {
				t.Fatalf("%v cut to %d of %d bytes: %v", what, n, len(b), err)
			}
		}
		if _, _, err := read(bytes.NewReader(append(b, 0)), len(c.Codes), len(c.Objects)); !bad(err) {
			t.Errorf("%v with a byte more: %v", what, err)
		}
	}
}

// TestEveryBitFlipped: no flipped bit is silent.
func TestEveryBitFlipped(t *testing.T) {
	t.Parallel()
	for _, what := range whats {
		c := sample(what, 60)
		b, _ := encoded(t, &c)
		for i := range 8 * len(b) {
			b[i/8] ^= 1 << (i % 8)
			if _, _, err := read(bytes.NewReader(b), len(c.Codes), len(c.Objects)); !bad(err) {
				t.Fatalf("%v with bit %d of byte %d flipped: %v", what, i%8, i/8, err)
			}
			b[i/8] ^= 1 << (i % 8)
		}
	}
}

// rechain makes frames of b where its lengths say that they are, with right checks
// and seeds.
func rechain(b []byte) (all []byte) {
	seed := uint32(0)
	for {
		n, err := frame.DecodeLength(b)
		if err != nil || len(b) < frame.HeaderBytes+n {
			return append(all, b...)
		}
		all, seed = frame.Append(all, b[4], seed, b[frame.HeaderBytes:][:n])
		b = b[frame.HeaderBytes+n:]
	}
}

// TestEveryBitOfBodiesForged: with frames made right again, a flipped bit of the
// metadata breaks the seal, and one of an artifact its hash; what has none here (code
// and objects, which the caller checks) comes out changed.
func TestEveryBitOfBodiesForged(t *testing.T) {
	t.Parallel()
	for _, what := range whats {
		c := sample(what, 40)
		b, root := encoded(t, &c)
		want := fmt.Sprint(c)
		silent := 0
		for i := range 8 * len(b) {
			b[i/8] ^= 1 << (i % 8)
			got, gotRoot, err := read(bytes.NewReader(rechain(b)), len(c.Codes), len(c.Objects))
			b[i/8] ^= 1 << (i % 8)
			if err != nil && !bad(err) {
				t.Fatalf("%v: bit %d of byte %d: %v", what, i%8, i/8, err)
			}
			if err != nil {
				continue
			}
			got.Codes, got.Objects = c.Codes, c.Objects
			if gotRoot != root || fmt.Sprint(got) != want {
				t.Fatalf("%v: bit %d of byte %d is silent", what, i%8, i/8)
			}
			silent++
		}
		if silent == 8*len(b) {
			t.Errorf("%v: nothing was found", what)
		}
	}
}

// TestOrderIsKept: records that do not ascend, an item of another kind than is due,
// and frames that end where they should not, are refused though every check is right.
func TestOrderIsKept(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *content){
		"programs":  func(c *content) { slices.Reverse(c.M.Programs) },
		"spans":     func(c *content) { slices.Reverse(c.M.Spans); slices.Reverse(c.Entries) },
		"snapshots": func(c *content) { slices.Reverse(c.M.Snapshots) },
		"rows":      func(c *content) { slices.Reverse(c.Rows) },
		"twice":     func(c *content) { c.M.Programs[1] = c.M.Programs[0] },
		"mode":      func(c *content) { c.M.Mode = "some" },
		"base":      func(c *content) { c.M.BaseBlock = 1 },
		"vat":       func(c *content) { c.M.Spans[2].Vat = "x1" },
		"key":       func(c *content) { c.Rows[0].Key = "" },
	} {
		c := sample(portable.State, 10)
		change(&c)
		b, _ := encoded(t, &c)
		if _, _, err := read(bytes.NewReader(b), len(c.Codes), len(c.Objects)); !errors.Is(err, portable.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := sample(portable.State, 10)
	b, _ := encoded(t, &c)
	for name, n := range map[string][2]int{"codes": {-1, 0}, "more codes": {1, 0}, "objects": {0, -1}, "more objects": {0, 1}} {
		_, _, err := read(bytes.NewReader(b), len(c.Codes)+n[0], len(c.Objects)+n[1])
		if !errors.Is(err, portable.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b[frame.HeaderBytes+8]++ // the version
	if _, _, err := read(bytes.NewReader(rechain(b)), 2, 4); !errors.Is(err, portable.ErrVersion) {
		t.Errorf("a later version: %v", err)
	}
	if _, err := portable.NewReader(strings.NewReader("something else entirely")); !errors.Is(err, portable.ErrForeign) {
		t.Errorf("something else: %v", err)
	}
	broken := errors.New("broken")
	if _, _, err := read(io.MultiReader(bytes.NewReader(rechain(b)[:100]), iotest.ErrReader(broken)), 2, 4); errors.Is(err, portable.ErrCorrupt) {
		t.Errorf("a reader that fails: %v", err)
	}
}

// TestWriterRefusesWhatIsNotTheSpan: a Writer writes no history that its metadata
// does not fit, and its first failure is final.
func TestWriterRefusesWhatIsNotTheSpan(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *content){
		"entry":   func(c *content) { c.Entries[1] = c.Entries[1][1:] },
		"fewer":   func(c *content) { c.Entries[1] = c.Entries[1][:1] },
		"altered": func(c *content) { c.Entries[1][0] = bytes.Clone(c.Entries[1][0]); c.Entries[1][0][9]++ },
		"output":  func(c *content) { c.Outputs = c.Outputs[1:] },
	} {
		c := sample(portable.State, 10)
		change(&c)
		if _, err := c.write(io.Discard); !errors.Is(err, portable.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := sample(portable.State, 10)
	if _, err := c.write(failing{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a sink that fails: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// FuzzReader: any bytes, in frames that are right: no panic, no memory beyond what
// there is; an error that says what is wrong, or content that writes the same bytes.
func FuzzReader(f *testing.F) {
	for _, what := range whats {
		c := sample(what, 50)
		b, _ := encoded(f, &c)
		f.Add(b, len(c.Codes), len(c.Objects))
	}
	f.Fuzz(func(t *testing.T, b []byte, codes, objects int) {
		codes, objects = codes&7, objects&7
		b = rechain(b)
		c, root, err := read(bytes.NewReader(b), codes, objects)
		if err != nil {
			if !bad(err) {
				t.Fatal(err)
			}
			return
		}
		var again bytes.Buffer
		other, err := c.write(&again)
		if err != nil || other != root {
			t.Fatalf("written again: root %s, was %s, %v", other, root, err)
		}
	})
}

// TestKindsAreDocumented: doc.go lists every kind of item by its number, and its
// tables of fixed frames have no gaps and the size that is written.
func TestKindsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for kind := portable.KindFacts; kind <= portable.KindObject; kind++ {
		name := kind.String()
		if strings.HasPrefix(name, "kind ") || name == "seal" {
			continue
		}
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^//\t%d +%s `, byte(kind), name)).Match(text) {
			t.Errorf("kind %d, %s, is not in doc.go", byte(kind), name)
		}
	}
	c := sample(portable.Feed, 10)
	b, _ := encoded(t, &c)
	sizes := map[string]int{}
	for len(b) > 0 {
		f, err := frame.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		sizes[fmt.Sprint(f.Kind)] = len(f.Body)
		b = b[f.Bytes():]
	}
	tables := regexp.MustCompile(`(?m)^//\t\w+ \(kind (\d+)\).*\n//\toffset.*\n((?://\t\d+ .*\n)+)`).FindAllStringSubmatch(string(text), -1)
	if len(tables) != 3 {
		t.Fatalf("%d tables", len(tables))
	}
	for _, table := range tables {
		at := 0
		for line := range strings.Lines(table[2]) {
			fields := strings.Fields(strings.TrimPrefix(line, "//"))
			offset, _ := strconv.Atoi(fields[0])
			size, _ := strconv.Atoi(fields[1])
			if offset != at {
				t.Errorf("kind %s: a field at %d, want %d", table[1], offset, at)
			}
			at += size
		}
		if at != sizes[table[1]] {
			t.Errorf("kind %s: %d bytes documented, %d written", table[1], at, sizes[table[1]])
		}
	}
}

// TestFramesEndWhereTheyMust: the same items in other frames are another stream, which
// is refused: one form for one content. So is a feed with a change set too few or too many.
func TestFramesEndWhereTheyMust(t *testing.T) {
	t.Parallel()
	item := func(b []byte, n int) []byte { return append(binary.AppendUvarint(b, uint64(n)), make([]byte, n)...) }
	const kind = byte(portable.KindObject)
	for name, frames := range map[string][][]byte{
		"split":  {item(nil, 5), item(nil, 6)},
		"beyond": {item(item(nil, 256<<10), 1)},
	} {
		c := sample(portable.State, 10)
		c.Objects = nil
		b, _ := encoded(t, &c)
		b = b[:len(b)-frame.HeaderBytes-16] // the end
		items := 0
		for _, body := range frames {
			b, _ = frame.Append(b, kind, 0, body)
			items++
		}
		if name == "beyond" {
			items++
		}
		for range 2 { // the second time the end is right
			_, _, err := read(bytes.NewReader(rechain(b)), len(c.Codes), items)
			if err == nil || !strings.Contains(err.Error(), "a frame of ") && !strings.Contains(err.Error(), "ends after") {
				t.Errorf("%s: %v", name, err)
			}
			count := binary.LittleEndian.AppendUint64(nil, uint64(items+len(c.Codes)+9+len(c.Outputs)))
			b, _ = frame.Append(b, 17, 0, binary.LittleEndian.AppendUint64(count, uint64(len(b))))
		}
	}
	for _, sets := range [][][]byte{nil, {{1}}, {{1}, {2}, {3}}} {
		c := sample(portable.Feed, 10)
		c.Changes = sets
		b, _ := encoded(t, &c)
		if _, _, err := read(bytes.NewReader(b), len(c.Codes), len(c.Objects)); !errors.Is(err, portable.ErrCorrupt) {
			t.Errorf("%d change sets: %v", len(sets), err)
		}
	}
}
