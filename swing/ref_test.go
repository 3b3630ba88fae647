package swing_test

import (
	"errors"
	"testing"

	"vatwarehouse/swing"
)

// TestRefGrammar: each accepted and each refused spelling, row by row.
func TestRefGrammar(t *testing.T) {
	digits18 := "999999999999999999"
	good := []swing.VRef{
		"o+0", "o+1", "o-50", "p+0", "p+1", "p-60", "o+v3/7", "o+d3/7", "o+d3/7:1",
		"o+d0/0:0", swing.VRef("o+" + digits18),
	}
	for _, v := range good {
		if err := v.Validate(); err != nil {
			t.Errorf("%q refused: %v", v, err)
		}
	}
	bad := []swing.VRef{
		"", "o", "o+", "o-0", "p-0", "o+01", "o-050", "o++1", "o+-1", "x+1", "O+1", "o+1 ", " o+1",
		"o+1a", "p+v1/2", "p+d1/2", "o-v1/2", "o+v1", "o+v/2", "o+v1/", "o+d1/2:", "o+d1/2:3:4",
		"o+d1/02", "o+d01/2", "o+1/2", "o+1:2", "ko20", "d+1", "d-70", swing.VRef("o+" + digits18 + "0"),
	}
	for _, v := range bad {
		if err := v.Validate(); !errors.Is(err, swing.ErrEncoding) {
			t.Errorf("%q: got %v, want ErrEncoding", v, err)
		}
	}
	for _, k := range []swing.KRef{"", "k", "ko", "ko0", "kp", "kp01", "kx1", "ko1a", "o+1", "ko-1"} {
		if k.Validate() == nil {
			t.Errorf("kref %q accepted", k)
		}
	}
	for _, id := range []swing.VatID{"", "v", "v0", "v01", "w1", "v-1", "v1 "} {
		if id.Validate() == nil {
			t.Errorf("vat id %q accepted", id)
		}
	}
}

// TestRefParts: makers and accessors are inverse.
func TestRefParts(t *testing.T) {
	for _, n := range []uint64{1, 20, 40, 123456789} {
		for _, kind := range []swing.RefKind{swing.Object, swing.Promise} {
			k, v := swing.KRefOf(kind, n), swing.ImportVRef(kind, n)
			if k.Validate() != nil || k.Kind() != kind || k.Number() != n {
				t.Errorf("kref %q: kind %c, number %d", k, k.Kind(), k.Number())
			}
			if v.Validate() != nil || v.Kind() != kind || v.Exported() {
				t.Errorf("vref %q: kind %c, exported %v", v, v.Kind(), v.Exported())
			}
		}
		if id := swing.VatIDOf(n); id.Validate() != nil || id.Number() != n {
			t.Errorf("vat id %q: number %d", id, id.Number())
		}
	}
	if !swing.RootVRef.Exported() {
		t.Error("the root is not exported by its vat")
	}
}

// TestReferenceIsCapDataWithoutBody: the one form of capdata the kernel reads.
func TestReferenceIsCapDataWithoutBody(t *testing.T) {
	if ref, ok := swing.ReferenceTo(swing.KRef("ko20")).Reference(); !ok || ref != "ko20" {
		t.Errorf("got %q, %v", ref, ok)
	}
	for _, c := range []swing.CapData[swing.KRef]{
		{}, {Body: []byte{0}, Slots: []swing.KRef{"ko20"}}, {Slots: []swing.KRef{"ko20", "ko21"}},
	} {
		if _, ok := c.Reference(); ok {
			t.Errorf("%v taken for a reference", c)
		}
	}
}

func FuzzVRef(f *testing.F) {
	f.Add("o+d3/7:1")
	f.Add("p-60")
	f.Fuzz(func(t *testing.T, s string) {
		v := swing.VRef(s)
		if v.Validate() != nil {
			return
		}
		if k := v.Kind(); k != swing.Object && k != swing.Promise {
			t.Fatalf("%q: kind %q", s, k)
		}
		if v.Exported() != (s[1] == '+') {
			t.Fatalf("%q: exported %v", s, v.Exported())
		}
	})
}
