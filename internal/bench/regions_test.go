package bench

import (
	"math/rand/v2"
	"slices"
	"testing"

	"vatwarehouse/swing"
)

// someChange is a change of some memory, which also grows by a WASM page now and then.
func someChange(random *rand.Rand, before []byte) *change {
	after := slices.Clone(before)
	if random.IntN(3) == 0 {
		after = append(after, make([]byte, 64<<10)...)
	}
	c := &change{before: before, after: after}
	for page := range uint32(len(after) / swing.PageBytes) {
		if random.IntN(4) > 0 {
			continue
		}
		c.written = append(c.written, page)
		for range random.IntN(20) { // of none, nothing but its being written is known
			at := int(page)*swing.PageBytes + random.IntN(swing.PageBytes)
			after[at] = byte(random.IntN(3))
		}
	}
	return c
}

// TestFormatsKeepEveryChange: memory comes back from each format as it was, which keep
// itself checks; all detectors find the same regions where they look at the same bytes;
// smaller regions take no more bytes when nothing is packed, but for the heads of runs.
func TestFormatsKeepEveryChange(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	p, err := newPackers()
	if err != nil {
		t.Fatal(err)
	}
	defer p.unzstd.Close()
	memory := make([]byte, 128<<10)
	list := formats()
	for range 20 {
		c := someChange(random, memory)
		memory = c.after
		kept := map[[3]any]int{}
		for _, f := range list {
			n, _, _, err := f.keep(c, p)
			if err != nil {
				t.Fatal(err)
			}
			kept[[3]any{f.region, f.codec, f.detector}] = n
		}
		for _, f := range list {
			n := kept[[3]any{f.region, f.codec, f.detector}]
			compared := kept[[3]any{f.region, f.codec, RegionsCompare}]
			same := n == compared || f.detector == RegionsKnown && f.region >= swing.PageBytes
			if !same {
				t.Errorf("%d, %s: %d bytes by %s, %d by comparing",
					f.region, f.codec, n, f.detector, compared)
			}
			larger, ok := kept[[3]any{2 * f.region, f.codec, f.detector}]
			if ok && f.codec == "none" && n > larger+runHeadBytes*len(c.after)/f.region {
				t.Errorf("%d bytes in regions of %d, %d in larger ones", n, f.region, larger)
			}
		}
	}
}

// TestFormatsSeeAPlantedFault: a page that was written and is not said to be does not come
// back, and keep says so.
func TestFormatsSeeAPlantedFault(t *testing.T) {
	p, err := newPackers()
	if err != nil {
		t.Fatal(err)
	}
	defer p.unzstd.Close()
	after := make([]byte, 64<<10)
	after[5*swing.PageBytes] = 1
	c := &change{before: make([]byte, 64<<10), after: after, written: []uint32{4}}
	for _, f := range formats() {
		_, _, _, err := f.keep(c, p)
		hidden := f.detector == RegionsKnown && f.region <= swing.PageBytes
		if (err != nil) != hidden {
			t.Errorf("%d, %s, %s: %v", f.region, f.codec, f.detector, err)
		}
	}
}

// TestOursKeepsEveryChange: the store keeps the same changes, of several vats.
func TestOursKeepsEveryChange(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	ours, err := newOurs(t.TempDir() + "/heaps")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		memory := make([]byte, 128<<10)
		for i := range 5 {
			c := someChange(random, memory)
			c.first = i == 0
			n, _, err := ours.keep(c)
			if err != nil || n == 0 {
				t.Fatalf("%d bytes, %v", n, err)
			}
			memory = c.after
			if got, err := wholeOf(ours.img); err != nil || !slices.Equal(got, memory) {
				t.Fatalf("the image is another: %v", err)
			}
		}
	}
	if err := ours.close(); err != nil {
		t.Fatal(err)
	}
}

// TestReadRegions: what is no line of measured regions is refused.
func TestReadRegions(t *testing.T) {
	if all, err := ReadRegions([]byte(`{"workload":"a","bytes":5}` + "\n")); err != nil ||
		len(all) != 1 || all[0].Bytes != 5 {
		t.Errorf("%v, %v", all, err)
	}
	for _, text := range []string{"{}\n", "a\n", `{"format":"swingsim surface 2"}`} {
		if _, err := ReadRegions([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}
