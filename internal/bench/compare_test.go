package bench

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// fileOf is a file of one variant, with a floor of 1.
func fileOf(rate bool, values ...float64) *File {
	r := result("case", "variant", "unit", values, sample{1}, rate)
	return &File{Format: fileFormat, Machine: Machine{CPU: "x"}, Scale: 1, Results: []Result{r}}
}

// TestFileRoundTrip: a file reads as it was written; cut anywhere it is refused.
func TestFileRoundTrip(t *testing.T) {
	f := fileOf(true, 3, 1, 2)
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeFile(b)
	if err != nil || !reflect.DeepEqual(got, f) {
		t.Fatalf("%v, %v, want %v", got, err, f)
	}
	for n := range len(b) - len("\n") {
		if _, err := DecodeFile(b[:n]); err == nil {
			t.Errorf("cut at %d: accepted", n)
		}
	}
	f.Results = append(f.Results, f.Results[0])
	if b, err = f.Encode(); err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeFile(b); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("one variant twice: %v", err)
	}
}

// TestCompareFindsPlantedChange: a change larger than the noise is found, whichever way
// it goes, and says of a rate and of a time alike what is worse; noise alone is not
// taken for one more often than p says.
func TestCompareFindsPlantedChange(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	draw := func(middle float64) (s sample) {
		for range 20 {
			s = append(s, middle*(1+random.Float64()/10))
		}
		return s
	}
	for _, rate := range []bool{false, true} {
		d := Compare(fileOf(rate, draw(10)...), fileOf(rate, draw(15)...)).Differences[0]
		worse := d.Ratio.Times > 1
		if !d.Measured.Changed || math.Abs(d.Measured.Times-1.5) > 0.1 || worse == rate {
			t.Errorf("rate %v: %+v", rate, d)
		}
	}
	found := 0
	for range 400 {
		if Compare(fileOf(false, draw(10)...), fileOf(false, draw(10)...)).Differences[0].
			Measured.Changed {
			found++
		}
	}
	if found == 0 || found > 40 { // 20 are expected
		t.Errorf("%d of 400 pairs of equal samples differ", found)
	}
}

// TestCompareIsExact: for small samples p is what counting all ways to deal the values
// into two hands says.
func TestCompareIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	for range 50 {
		a, b := make([]float64, 4), make([]float64, 5)
		for i, v := range random.Perm(9) {
			if i < len(a) {
				a[i] = float64(v)
			} else {
				b[i-len(a)] = float64(v)
			}
		}
		got := Compare(fileOf(false, a...), fileOf(false, b...)).Differences[0].Measured.P
		if want := dealt(a, b); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v %v: p %v, want %v", a, b, got, want)
		}
	}
}

// dealt is the two-sided p of the U test of the numbers from 0, by counting.
func dealt(a, b []float64) float64 {
	wins := func(in func(v int) bool) (u int) {
		for v := range len(a) + len(b) {
			for w := range v {
				if in(v) && !in(w) {
					u++
				}
			}
		}
		return u
	}
	holds := map[int]bool{}
	for _, v := range a {
		holds[int(v)] = true
	}
	is := wins(func(v int) bool { return holds[v] })
	is = min(is, len(a)*len(b)-is)
	all, extreme := 0, 0
	for hand := range 1 << (len(a) + len(b)) {
		n := 0
		for bit := hand; bit > 0; bit &= bit - 1 {
			n++
		}
		if n != len(a) {
			continue
		}
		all++
		if u := wins(func(v int) bool { return hand>>v&1 == 1 }); min(u, len(a)*len(b)-u) <= is {
			extreme++
		}
	}
	return min(1, float64(extreme)/float64(all))
}

// TestMachine: the fingerprint says something, and is the same twice; another program's
// revision does not make it another machine, other memory does.
func TestMachine(t *testing.T) {
	m := ThisMachine(t.TempDir())
	n := ThisMachine(t.TempDir())
	if m != n || m.CPUs < 1 || m.Go == "" || m.Arch == "" || m.System == "" {
		t.Errorf("%+v, %+v", m, n)
	}
	if n.Revision = "other"; !m.Same(n) {
		t.Error("another revision is another machine")
	}
	if n.Memory += "0"; m.Same(n) {
		t.Error("another memory is the same machine")
	}
}
