package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// Result is one variant of one case.
type Result struct {
	Case    string  `json:"case"`
	Variant string  `json:"variant"`
	Unit    string  `json:"unit"`
	Median  float64 `json:"median"`
	Min     float64 `json:"min"` // the best: for a rate, the largest
	N       int     `json:"n"`
	Floor   float64 `json:"floor"` // median of the floor; 0 where there is none
	Ratio   float64 `json:"ratio"` // 0 where there is no floor
	Note    string  `json:"note,omitempty"`
	// Rate says that larger is better.
	Rate bool `json:"rate,omitempty"`
	// Values are the measurements, and Floors those of the floor, in the order in
	// which they were made.
	Values []float64 `json:"values,omitempty"`
	Floors []float64 `json:"floors,omitempty"`
}

// Run is one run of a case.
type Run struct {
	// Dir is where temporary directories are made; "" is the system's.
	Dir string
	// Scale multiplies how often things are measured, and the sizes of those of which
	// the growth is. 1 is the default.
	Scale float64
	// Emit gets each result as it is ready.
	Emit func(Result)
	// Progress is told what is being done; nil is nobody.
	Progress func(string)
}

func (r *Run) say(format string, args ...any) {
	if r.Progress != nil {
		r.Progress(fmt.Sprintf(format, args...))
	}
}

// times returns how often to measure something that is usually measured n times,
// or how large to make something that is usually of size n.
func (r *Run) times(n int) int {
	if r.Scale > 0 {
		n = int(float64(n) * r.Scale)
	}
	return max(n, 3)
}

// tempDir makes a directory that done removes.
func (r *Run) tempDir() (dir string, done func(), err error) {
	dir, err = os.MkdirTemp(r.Dir, "swingsim-bench-")
	if err != nil {
		return "", nil, fmt.Errorf("make a directory to measure in: %w", err)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// Case is one thing that is measured.
type Case struct {
	Name  string
	About string
	Run   func(ctx context.Context, r *Run) error
}

// Cases returns all cases, in the order in which they are best read.
func Cases() []Case {
	return []Case{
		{"page-in", "an evicted vat's first delivery, by heap size", pageIn},
		{"snapshot", "a heap snapshot, by pages written", snapshot},
		{"evict", "giving up a worker that has written nothing", evict},
		{"deliver", "deliveries to a trivial vat, on disk, blocks of 1,000", deliver},
		{"deliver-sync", "the same, every crank durable by itself", deliverSync},
		{"replay", "replaying a trivial vat's history", replay},
		{"thrash", "100 vats in a ring, 10 in memory", thrash},
		{"ahead", "vats paged in ahead of their turn, against none", ahead},
		{"policy", "scenarios under each way of eviction and of snapshots", policy},
		{"isolate", "vats in a process of their own, against the same without", isolate},
		{"many", "100,000 vats registered, 50 in memory", many},
		{"meter", "programs that compute: what counting fuel costs", meter},
		{"disk", "bytes on disk for a delivery, and for a snapshot", disk},
		{"gc", "references dropped at once, until all are gone: growth", gc},
		{"terminate", "the rows of a vat that has ended, cleaned away: growth", terminate},
		{"importers", "vats that hold an object that is abandoned: growth", importers},
		{"promise-chain", "messages each sent to the answer before: growth", promiseChain},
		{"subscribers", "vats that ask about one promise, and are told: growth", subscribers},
	}
}

// sample is a series of measurements.
type sample []float64

func (s sample) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)/2]
}

// result puts a measured series beside its floor's. A rate is better when larger.
func result(name, variant, unit string, measured, floor sample, rate bool) Result {
	out := Result{
		Case: name, Variant: variant, Unit: unit, N: len(measured),
		Median: measured.median(), Floor: floor.median(),
		Rate: rate, Values: measured, Floors: floor,
	}
	if rate {
		out.Min = slices.Max(measured)
	} else {
		out.Min = slices.Min(measured)
	}
	switch {
	case out.Floor == 0 || out.Median == 0:
	case rate:
		out.Ratio = out.Floor / out.Median
	default:
		out.Ratio = out.Median / out.Floor
	}
	return out
}

// microseconds is the unit of short times.
func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// perSecond is n over d.
func perSecond(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }
