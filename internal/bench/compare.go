package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"golang.org/x/perf/benchmath"
)

// fileFormat is what a file of results begins by saying that it is.
const fileFormat = "swingsim bench 1"

// File is what was measured in one run, and where.
type File struct {
	Format  string   `json:"format"`
	Machine Machine  `json:"machine"`
	Scale   float64  `json:"scale"`
	Results []Result `json:"results"`
}

// Encode returns the file's bytes: JSON, a line for each result.
func (f *File) Encode() ([]byte, error) {
	machine, err := json.Marshal(f.Machine)
	if err != nil {
		return nil, fmt.Errorf("encode the machine: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"format\":%q,\n \"machine\":%s,\n \"scale\":%v,\n \"results\":[",
		fileFormat, machine, f.Scale)
	for i, r := range f.Results {
		line, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("encode %s, %s: %w", r.Case, r.Variant, err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n  %s", line)
	}
	b.WriteString("\n]}\n")
	return b.Bytes(), nil
}

// DecodeFile reads what Encode wrote.
func DecodeFile(b []byte) (*File, error) {
	f := &File{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("no file of results: %w", err)
	}
	if f.Format != fileFormat {
		return nil, fmt.Errorf("its format is %q, not %q", f.Format, fileFormat)
	}
	if len(f.Results) == 0 {
		return nil, errors.New("it has no results")
	}
	seen := map[[2]string]bool{}
	for _, r := range f.Results {
		if seen[r.key()] {
			return nil, fmt.Errorf("it has %s, %s twice", r.Case, r.Variant)
		}
		seen[r.key()] = true
	}
	return f, nil
}

func (r Result) key() [2]string { return [2]string{r.Case, r.Variant} }

// Center is the middle of some measurements.
type Center struct {
	Median float64 `json:"median"`
	// Range is how far the ends of the 95 % confidence interval are from the median:
	// as benchstat writes it, "3%", or "∞" where there are too few measurements.
	Range string `json:"range"`
	N     int    `json:"n"`
}

// Contrast puts measurements of two runs side by side.
type Contrast struct {
	Old Center `json:"old"`
	New Center `json:"new"`
	// Times is the new median over the old one.
	Times float64 `json:"times"`
	// P is how likely two samples that differ so much are if nothing has changed
	// (Mann-Whitney's U). Changed says that it is less than 0.05.
	P       float64 `json:"p"`
	Changed bool    `json:"changed"`
}

// Difference is what two runs say of one variant of a case.
type Difference struct {
	Case     string   `json:"case"`
	Variant  string   `json:"variant"`
	Unit     string   `json:"unit"`
	Measured Contrast `json:"measured"`
	// Ratio compares what was measured to the median of the same run's floor, which
	// has the machine's speed in it: larger is worse, for rates too. Nil without floor.
	Ratio *Contrast `json:"ratio,omitempty"`
}

// Compared is what two files of results say together.
type Compared struct {
	// SameMachine says that measurements can be compared at all, not only ratios.
	SameMachine bool         `json:"same_machine"`
	Differences []Difference `json:"differences"`
	// Gone are variants in the old file only, New those in the new file only.
	Gone []string `json:"gone,omitempty"`
	New  []string `json:"new,omitempty"`
}

// Compare compares two runs, in the order of the new one's results.
func Compare(before, after *File) Compared {
	out := Compared{SameMachine: before.Machine.Same(after.Machine)}
	olds := map[[2]string]Result{}
	for _, r := range before.Results {
		olds[r.key()] = r
	}
	for _, r := range after.Results {
		was, ok := olds[r.key()]
		if !ok || was.Unit != r.Unit {
			out.New = append(out.New, r.Case+", "+r.Variant)
			continue
		}
		delete(olds, r.key())
		d := Difference{Case: r.Case, Variant: r.Variant, Unit: r.Unit}
		d.Measured = contrast(was.values(), r.values())
		if was.Floor != 0 && r.Floor != 0 {
			c := contrast(was.ratios(), r.ratios())
			d.Ratio = &c
		}
		out.Differences = append(out.Differences, d)
	}
	for _, r := range before.Results {
		if _, left := olds[r.key()]; left {
			out.Gone = append(out.Gone, r.Case+", "+r.Variant)
		}
	}
	return out
}

// values are the measurements, or what stands for them where none were kept.
func (r Result) values() []float64 {
	if len(r.Values) == 0 {
		return []float64{r.Median}
	}
	return append([]float64(nil), r.Values...)
}

// ratios are the measurements against the floor's median.
func (r Result) ratios() []float64 {
	out := r.values()
	for i, v := range out {
		if r.Rate {
			out[i] = r.Floor / v
		} else {
			out[i] = v / r.Floor
		}
	}
	return out
}

// confidence is that of the intervals around medians.
const confidence = 0.95

// contrast compares two samples, which it sorts.
func contrast(before, after []float64) Contrast {
	thresholds := benchmath.DefaultThresholds
	a := benchmath.NewSample(before, &thresholds)
	b := benchmath.NewSample(after, &thresholds)
	was := benchmath.AssumeNothing.Summary(a, confidence)
	is := benchmath.AssumeNothing.Summary(b, confidence)
	test := benchmath.AssumeNothing.Compare(a, b)
	out := Contrast{
		Old: Center{was.Center, was.PctRangeString(), len(before)},
		New: Center{is.Center, is.PctRangeString(), len(after)},
		P:   test.P, Changed: test.P < test.Alpha,
	}
	if out.Times = is.Center / was.Center; math.IsNaN(out.Times) || math.IsInf(out.Times, 0) {
		out.Times = 0 // the old one is 0: there is no ratio
	}
	return out
}
