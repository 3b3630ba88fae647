package guest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"vatwarehouse/swing"
)

// anySyscaller lets a vat ask for whatever it likes, and answers nothing.
type anySyscaller struct{}

func (anySyscaller) Syscall(op swing.Op, _ []byte) ([]byte, bool) {
	if op == swing.OpVatstoreGet || op == swing.OpVatstoreNextKey {
		return swing.AppendAnswer(nil, nil, false), true
	}
	return nil, true
}

// decoder is a program that is handed deliveries no kernel would make.
type decoder struct {
	t        testing.TB
	language string
	*resident
}

func newDecoder(t testing.TB, language, name string) decoder {
	t.Helper()
	w := newWorld(t, style{language: language})
	id, _ := w.vat(name)
	return decoder{t, language, w.vats[id]}
}

// decoders are the kits' two readers of deliveries.
func decoders(t testing.TB, name string) []decoder {
	t.Helper()
	ds := []decoder{newDecoder(t, "c", name)}
	if testing.Short() {
		t.Log("-short: the program in Go is neither built nor run")
		return ds
	}
	return append(ds, newDecoder(t, "go", name))
}

// accepts reports whether the program took a delivery for well formed. It may fail
// on others, but not trap.
func (d decoder) accepts(b []byte) bool {
	d.t.Helper()
	out, err := d.worker.Deliver(context.Background(), b, swing.Unbounded, anySyscaller{}, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	switch {
	case out.OK():
		return true
	case out.Status == swing.StatusFailed && out.Problem == "malformed delivery":
		return false
	}
	d.t.Fatalf("%s: %x: %v", d.language, b, out)
	return false
}

// wrong says how the program's verdict on a delivery is not swing's, or "". The kits
// know no virtual objects, and the one in C does not look for UTF-8.
func (d decoder) wrong(b []byte) string {
	d.t.Helper()
	if _, err := swing.DeliveryTime(b); err != nil {
		return "" // the worker itself refuses it
	}
	parsed, err := swing.DecodeDelivery[vref](b)
	want, got := err == nil, d.accepts(b)
	virtual := want && strings.ContainsRune(fmt.Sprint(parsed), '/')
	notUTF8 := got && d.language == "c" && !utf8.Valid(b)
	if want == got || virtual || notUTF8 {
		return ""
	}
	return fmt.Sprintf("%s: %x: accepted %v, by swing %v", d.language, b, got, err)
}

func (d decoder) check(b []byte) {
	d.t.Helper()
	if wrong := d.wrong(b); wrong != "" {
		d.t.Error(wrong)
	}
}

// TestPlantedDecoderIsCaught: a program that takes everything for well formed is found
// out by the comparison below, at nearly every length.
func TestPlantedDecoderIsCaught(t *testing.T) {
	t.Parallel()
	w := newWorld(t, reference)
	p := stands[false].program(t, "gullible", assemble(nil, constant(0)))
	d := decoder{t, "gullible", w.newResident(p, swing.Sum("seed"))}
	w.vats["v1"] = d.resident
	b, caught := examples()["delivery notify"].bytes, 0
	for n := range len(b) {
		if d.wrong(b[:n]) != "" {
			caught++
		}
	}
	const head = 12 // before which the worker refuses it
	if caught != len(b)-head {
		t.Fatalf("%d of %d cuts were caught", caught, len(b)-head)
	}
}

// originals are well-formed deliveries.
func originals() (all [][]byte) {
	for name, e := range examples() {
		if strings.HasPrefix(name, "delivery") {
			all = append(all, e.bytes)
		}
	}
	plain := func(d swing.Delivery[vref]) { all = append(all, swing.AppendDelivery(nil, d)) }
	plain(swing.Delivery[vref]{Kind: swing.DeliverStartVat})
	plain(swing.Delivery[vref]{Kind: swing.DeliverNotify, Time: 1})
	long := vmessage{Method: strings.Repeat("m", 30), Args: list[vref](1, 300, 70_000, 1<<40, true)}
	plain(swing.Delivery[vref]{
		Kind: swing.DeliverMessage, Target: "o+1", Time: 1 << 40, Message: long,
	})
	return all
}

// TestDamagedDeliveriesAreSeen: of a delivery cut at every length, and with every bit
// turned, the kits in C and in Go say exactly what swing says: well formed or not.
func TestDamagedDeliveriesAreSeen(t *testing.T) {
	t.Parallel()
	for _, d := range decoders(t, "counter") {
		for _, b := range originals() {
			d.check(b)
			for n := range len(b) {
				d.check(b[:n])
			}
			d.check(append(append([]byte{}, b...), 0))
			for bit := range 8 * len(b) {
				flipped := append([]byte{}, b...)
				flipped[bit/8] ^= 1 << (bit % 8)
				d.check(flipped)
			}
		}
	}
}

// TestGarbledDeliveriesAreSeen: the same of pieces of deliveries put together at
// random.
func TestGarbledDeliveriesAreSeen(t *testing.T) {
	t.Parallel()
	const seed = 5
	rng := rand.New(rand.NewPCG(seed, 1))
	whole := originals()
	slicesOf := func() []byte {
		b := whole[rng.IntN(len(whole))]
		from := rng.IntN(len(b))
		return b[from : from+rng.IntN(len(b)-from+1)]
	}
	for _, d := range decoders(t, "counter") {
		for range 5000 {
			first := whole[rng.IntN(len(whole))]
			b := slices.Clone(first[:min(2+rng.IntN(20), len(first))])
			for range rng.IntN(4) {
				b = append(b, slicesOf()...)
			}
			if len(b) < 1000 {
				d.check(b)
			}
		}
	}
}

// TestLongHeadsAreRefused: the README's strictness, in the kits: a length spelt in more
// bytes than it need be, by each number of bytes, is refused.
func TestLongHeadsAreRefused(t *testing.T) {
	t.Parallel()
	const bytesKind, arrayKind = 0x40, 0x80
	start := []byte{0x85, 0x01, 0x01, 0x00}
	for _, d := range decoders(t, "counter") {
		if b := append(slices.Clone(start), bytesKind, arrayKind); !d.accepts(b) {
			t.Fatalf("%s: refused %x", d.language, b)
		}
		for width := range 4 {
			zeros := make([]byte, 1<<width)
			body := append(append(slices.Clone(start), bytesKind|byte(24+width)), zeros...)
			slots := append(append(slices.Clone(start), bytesKind, arrayKind|byte(24+width)), zeros...)
			for _, b := range [][]byte{append(body, arrayKind), slots} {
				if d.accepts(b) {
					t.Errorf("%s: accepted %x", d.language, b)
				}
			}
		}
	}
}

// FuzzDelivery: no bytes make a program trap, or take for well formed what is not.
// Overlong ones are only to be survived.
func FuzzDelivery(f *testing.F) {
	for _, b := range originals() {
		f.Add(b)
	}
	f.Add(append(append([]byte{}, originals()[0]...), make([]byte, 2000)...))
	f.Add([]byte{0x88, 0x01, 0x02, 0x00, 0x60, 0x60, 0x5b, 255, 255, 255, 255, 255, 255, 255, 255})
	d := newDecoder(f, "c", "counter")
	f.Fuzz(func(t *testing.T, b []byte) {
		d := decoder{t, d.language, d.resident}
		if len(b) <= 1024 {
			d.check(b)
		} else if _, err := swing.DeliveryTime(b); err == nil {
			d.accepts(b)
		}
	})
}

// TestOverlongWalkEnds: the walk over a delivery longer than the buffer ends, however
// its heads lie about lengths.
func TestOverlongWalkEnds(t *testing.T) {
	t.Parallel()
	const seed = 6
	rng := rand.New(rand.NewPCG(seed, 1))
	d := newDecoder(t, "c", "counter")
	for range 3000 {
		b := make([]byte, 1025+rng.IntN(500))
		for i := range b {
			b[i] = byte(rng.UintN(256)) & []byte{0xff, 0x9f, 0x1f}[rng.IntN(3)]
		}
		copy(b, []byte{0x88, 0x01, 0x02, 0x00})
		d.accepts(b)
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
