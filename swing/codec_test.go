package swing_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vatwarehouse/swing"
)

// sameValue compares values, a nil slice being equal to an empty one: the
// encoding does not tell them apart.
func sameValue(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("changed on the way (-want +got):\n%s", d)
	}
}

const draws = 5000

// TestRoundTrip: what is encoded decodes to the same value, for every record.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(draws) {
		s := newSource(seed)
		kd := delivery(s, s.kref)
		gotK, err := swing.DecodeDelivery[swing.KRef](swing.AppendDelivery(nil, kd))
		check(t, seed, err)
		sameValue(t, kd, gotK)
		vd := delivery(s, s.vref)
		gotV, err := swing.DecodeDelivery[swing.VRef](swing.AppendDelivery(nil, vd))
		check(t, seed, err)
		sameValue(t, vd, gotV)
		r := request(s, s.vref)
		gotR, err := swing.DecodeRequest[swing.VRef](r.Op, swing.AppendRequest(nil, r))
		check(t, seed, err)
		sameValue(t, r, gotR)
		h := heap(s)
		gotH, err := swing.DecodeHeap(swing.AppendHeap(nil, h))
		check(t, seed, err)
		sameValue(t, h, gotH)
	}
}

func check(t *testing.T, seed uint64, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
}

// twin encodes a record's fields with the library that defines the form:
// fxamacker's core deterministic encoder.
func twin(t *testing.T, fields ...any) []byte {
	t.Helper()
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := mode.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func twinSlots[R swing.Ref](slots []R) []any {
	out := []any{}
	for _, s := range slots {
		out = append(out, string(s))
	}
	return out
}

func twinBytes(b []byte) []byte { return append([]byte{}, b...) }

func twinRef[R swing.Ref](ref R) any {
	if ref == "" {
		return nil
	}
	return string(ref)
}

func twinResolutions[R swing.Ref](rs []swing.Resolution[R]) []any {
	out := []any{}
	for _, r := range rs {
		out = append(out, []any{
			string(r.Promise), r.Rejected, twinBytes(r.Data.Body), twinSlots(r.Data.Slots),
		})
	}
	return out
}

func twinDelivery(t *testing.T, d swing.Delivery[swing.VRef]) []byte {
	head := []any{1, uint64(d.Kind), d.Time}
	switch d.Kind {
	case swing.DeliverStartVat:
		head = append(head, twinBytes(d.Params.Body), twinSlots(d.Params.Slots))
	case swing.DeliverMessage:
		m := d.Message
		head = append(head, string(d.Target), m.Method, twinBytes(m.Args.Body),
			twinSlots(m.Args.Slots), twinRef(m.Result))
	case swing.DeliverNotify:
		head = append(head, twinResolutions(d.Resolutions))
	case swing.DeliverReap:
	default:
		head = append(head, twinSlots(d.Refs))
	}
	return twin(t, head...)
}

func twinRequest(t *testing.T, s swing.Syscall[swing.VRef]) []byte {
	switch s.Op {
	case swing.OpSend:
		m := s.Message
		return twin(t, string(s.Target), m.Method, twinBytes(m.Args.Body),
			twinSlots(m.Args.Slots), twinRef(m.Result))
	case swing.OpCall:
		m := s.Message
		return twin(t, string(s.Target), m.Method, twinBytes(m.Args.Body), twinSlots(m.Args.Slots))
	case swing.OpSubscribe:
		return twin(t, string(s.Target))
	case swing.OpResolve:
		return twin(t, twinResolutions(s.Resolutions)...)
	case swing.OpExit:
		return twin(t, s.Failure, twinBytes(s.Info.Body), twinSlots(s.Info.Slots))
	case swing.OpVatstoreSet:
		return twin(t, twinBytes(s.Key), twinBytes(s.Value))
	}
	if s.Op.GC() {
		return twin(t, twinSlots(s.Refs)...)
	}
	return twin(t, twinBytes(s.Key))
}

// TestEncodingIsCoreDeterministicCBOR: our bytes are those of a CBOR library
// in RFC 8949 core deterministic mode.
func TestEncodingIsCoreDeterministicCBOR(t *testing.T) {
	for seed := range uint64(draws) {
		s := newSource(seed)
		d := delivery(s, s.vref)
		if want, got := twinDelivery(t, d), swing.AppendDelivery(nil, d); !bytes.Equal(want, got) {
			t.Fatalf("seed %d: delivery\nwant %x\ngot  %x", seed, want, got)
		}
		r := request(s, s.vref)
		if want, got := twinRequest(t, r), swing.AppendRequest(nil, r); !bytes.Equal(want, got) {
			t.Fatalf("seed %d: %v\nwant %x\ngot  %x", seed, r.Op, want, got)
		}
	}
}

// canonical fails unless b is refused or is exactly what its value encodes to.
func canonical(t *testing.T, b []byte) {
	t.Helper()
	again := func(name string, got []byte) {
		if !bytes.Equal(b, got) {
			t.Fatalf("%s: two byte strings for one value:\n%x\n%x", name, b, got)
		}
	}
	if d, err := swing.DecodeDelivery[swing.VRef](b); err == nil {
		again("delivery", swing.AppendDelivery(nil, d))
	} else if !errors.Is(err, swing.ErrEncoding) {
		t.Fatalf("error without its mark: %v", err)
	}
	for _, op := range ops {
		if r, err := swing.DecodeRequest[swing.VRef](op, b); err == nil {
			again(op.String(), swing.AppendRequest(nil, r))
		}
	}
	if h, err := swing.DecodeHeap(b); err == nil {
		again("heap", swing.AppendHeap(nil, h))
	}
	if v, found, err := swing.DecodeAnswer(b); err == nil {
		again("answer", swing.AppendAnswer(nil, v, found))
	}
	r := swing.NewReader(b)
	if raw := r.Raw(); r.Done() == nil {
		again("raw", raw)
	}
}

// TestOneValueOneByteString: every truncation and every flipped bit of an
// encoding is refused or is itself the canonical form of another value.
func TestOneValueOneByteString(t *testing.T) {
	for seed := range uint64(25) {
		s := newSource(seed)
		for _, b := range [][]byte{
			swing.AppendDelivery(nil, delivery(s, s.vref)),
			swing.AppendRequest(nil, request(s, s.vref)),
			swing.AppendHeap(nil, heap(s)),
			swing.AppendAnswer(nil, s.bytes(), s.IntN(2) == 0),
		} {
			for n := range b {
				canonical(t, b[:n])
			}
			for bit := range 8 * len(b) {
				flipped := bytes.Clone(b)
				flipped[bit/8] ^= 1 << (bit % 8)
				canonical(t, flipped)
			}
			canonical(t, append(bytes.Clone(b), 0))
		}
	}
}

// TestNonCanonicalIsRefused: each rule of the form has bytes that break it
// alone. A decoder without the rule would accept the row.
func TestNonCanonicalIsRefused(t *testing.T) {
	rows := []struct{ name, hex, says string }{
		{"long head", "81" + "5801" + "61", "fewer do"},
		{"two-byte head", "81" + "590001" + "61", "fewer do"},
		{"indefinite bytes", "81" + "5f4161ff", "indefinite"},
		{"indefinite array", "9f4161ff", "indefinite"},
		{"text for bytes", "81" + "6161", "byte string"},
		{"left over", "81" + "4161" + "00", "left over"},
		{"cut head", "81" + "58", "cut head"},
		{"cut string", "81" + "42" + "61", "with 1 left"},
		{"array beyond input", "9bffffffffffffffff", "items"},
		{"too many fields", "82" + "4161" + "4161", "2 items"},
	}
	for _, r := range rows {
		_, err := swing.DecodeRequest[swing.VRef](swing.OpVatstoreGet, unhex(t, r.hex))
		if err == nil || !errors.Is(err, swing.ErrEncoding) || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%s: got %v, want an error that says %q", r.name, err, r.says)
		}
	}
	if _, err := swing.DecodeRequest[swing.VRef](swing.OpSubscribe, unhex(t, "8162c328")); err == nil {
		t.Error("text that is not UTF-8 was accepted")
	}
	if _, err := swing.DecodeRequest[swing.VRef](99, unhex(t, "80")); err == nil {
		t.Error("an unknown syscall was accepted")
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	var b []byte
	if _, err := fmt.Sscanf(s, "%x", &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzCanonical(f *testing.F) {
	for seed := range uint64(20) {
		s := newSource(seed)
		f.Add(swing.AppendDelivery(nil, delivery(s, s.vref)))
		f.Add(swing.AppendRequest(nil, request(s, s.vref)))
		f.Add(swing.AppendHeap(nil, heap(s)))
	}
	f.Fuzz(canonical)
}

func BenchmarkDeliveryDecode(b *testing.B) {
	enc := swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{
		Kind: swing.DeliverMessage, Target: "o+0", Message: swing.Message[swing.VRef]{
			Method: "transfer", Result: "p-60",
			Args: swing.CapData[swing.VRef]{Body: make([]byte, 100), Slots: []swing.VRef{"o-51"}},
		},
	})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := swing.DecodeDelivery[swing.VRef](enc); err != nil {
			b.Fatal(err)
		}
	}
}
