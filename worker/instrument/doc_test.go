package instrument

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docRows returns the rows of the table in the package comment that begins with
// a header, up to the next empty line, without comment marks.
func docRows(t *testing.T, header string) (rows []string) {
	t.Helper()
	b, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(b), "//\t"+header+"\n")
	if !found {
		t.Fatalf("no table %q in doc.go", header)
	}
	for line := range strings.Lines(rest) {
		row, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "//\t")
		if !ok {
			return rows
		}
		rows = append(rows, row)
	}
	return rows
}

// documented is a module whose normal form has everything that is ever added.
func documented() *build {
	m := opcodeBuild(0xfc, 9, 0)
	m.globals = append(m.globals, glob{V128, true, cat([]byte{0xfd, 12}, make([]byte, 16))})
	m.start = 0
	return m
}

// TestDocumentedBytesAreAdded finds the bytes of every row of the table in the
// normal form of a module that has them all.
func TestDocumentedBytesAreAdded(t *testing.T) {
	t.Parallel()
	n, err := Rewrite(documented().encode(), nil, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rows := docRows(t, "what             bytes")
	if len(rows) != 5 {
		t.Fatalf("%d rows", len(rows))
	}
	indexes := map[string]string{
		"get a v128 lane": "01", "set a v128": "01", "drop again": "", "flag": "", "set the flag": "02",
	}
	for _, row := range rows {
		what, text := strings.TrimSpace(row[:17]), row[17:]
		text = strings.NewReplacer("<I>", indexes[what], "<S>", "00", "L", "01").Replace(text)
		var want []byte
		for _, b := range strings.Fields(text) {
			var v byte
			if _, err := fmt.Sscanf(b, "%x", &v); err != nil {
				t.Fatalf("%q: %v", row, err)
			}
			want = append(want, v)
		}
		if !bytes.Contains(n.Code, want) {
			t.Errorf("%s: no %x in %x", what, want, n.Code)
		}
	}
}

// TestDocumentedExports compares the reserved exports of the same module with the
// table of their names.
func TestDocumentedExports(t *testing.T) {
	t.Parallel()
	n, err := rewriteAs(documented().encode(), nil, Limits{}, Yielding)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, row := range docRows(t, "name         what                                 type") {
		name := strings.Fields(row)[0]
		for _, index := range []string{"0", "1", "2"} {
			full := strings.NewReplacer(`\x00`, "\x00", "I", index, "S", "0").Replace(name)
			scalar := !strings.Contains(name, ".")
			if strings.Contains(name, "I") && scalar == (index == "1") {
				continue // global 1 is the v128
			}
			want = append(want, full)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	var got []string
	for _, m := range regexp.MustCompile("\x00(memory|start|drop0|g[0-9](\\.[a-z]+)?|meter|re[a-z]+)").FindAllString(string(n.Code), -1) {
		got = append(got, m)
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("exports %q, want %q", got, want)
	}
}

// TestDocumentedWork computes the estimate of the package comment for functions
// of known shape, and compares it with what is counted.
func TestDocumentedWork(t *testing.T) {
	t.Parallel()
	text := "(locals + widest block + 8) × (branches² + 64 × Σ loops² + 512 × targets)"
	if rows := docRows(t, text); !slices.Equal(rows, []string{"+ weight + (weight / 4,096)²"}) {
		t.Fatalf("rows %q after the formula", rows)
	}
	m := newBuild()
	m.types = []sig{{[]ValType{I64}, nil}, {[]ValType{I32, I32}, []ValType{I32}}}
	// Three blocks of which two are loops, one in the other, that count for three each;
	// an else; a branch and a table of two targets and one more. Eleven instructions.
	code := []byte{
		0x00, 0x03, 0x40, 0x03, 0x40, 0x04, 1, 0x05, 0x0b, 0x0b, 0x0b, 0x0c, 0, 0x0e, 2, 0, 0, 0,
	}
	m.funcs = []fun{{locals: []ValType{I32}, code: code}}
	want := uint64((2+3+8)*(9*9+64*(1+4)+512*2) + 200*11)
	d := decoded(m.encode(), nil)
	if d.refusals != nil || d.work != want {
		t.Fatalf("%d units, want %d, %v", d.work, want, d.refusals)
	}
}
