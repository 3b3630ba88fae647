package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"vatwarehouse/worker"
)

// Sweep says which points are measured. The first value of each axis is the base, from
// which the axes go.
type Sweep struct {
	HeapsMiB, DirtyPages, Suffixes    []int
	Ways                              []string
	Detectors, Memories, Compressions []string
	Prefetches                        []string
	Axes                              []string // such as "heap" or "dirty+suffix"; see Points
}

// sweepAxis is one axis of a sweep: how many values it has, what they are, and how a point
// gets one.
type sweepAxis struct {
	name string
	n    int
	at   func(i int) string
	set  func(p *Point, i int)
}

// onAxis returns the axis of those values.
func onAxis[T any](name string, values []T, set func(p *Point, v T)) sweepAxis {
	return sweepAxis{
		name: name, n: len(values),
		at:  func(i int) string { return fmt.Sprint(values[i]) },
		set: func(p *Point, i int) { set(p, values[i]) },
	}
}

func (s *Sweep) axes() []sweepAxis {
	return []sweepAxis{
		onAxis("heap", s.HeapsMiB, func(p *Point, v int) { p.HeapMiB = uint64(v) }),
		onAxis("dirty", s.DirtyPages, func(p *Point, v int) { p.DirtyPages = uint64(v) }),
		onAxis("suffix", s.Suffixes, func(p *Point, v int) { p.Suffix = v }),
		onAxis(
			"detector",
			s.Detectors,
			func(p *Point, v string) { p.Detector = worker.Detector(v) },
		),
		onAxis("memory", s.Memories, func(p *Point, v string) { p.Memory = worker.Memory(v) }),
		onAxis("compression", s.Compressions, func(p *Point, v string) { p.Compression = v }),
		onAxis("prefetch", s.Prefetches, func(p *Point, v string) { p.Prefetch = v }),
	}
}

// AxisNames are the names of the axes.
func AxisNames() (names []string) {
	for _, a := range new(Sweep).axes() {
		names = append(names, a.name)
	}
	return names
}

// Points returns the points of the sweep: for each of Axes those on it through the base
// point, and for one such as "dirty+suffix" all combinations; by each of the ways. None
// comes twice. Points of one vat are next to each other.
func (s *Sweep) Points() (points []Point, err error) {
	for _, group := range append([]string{""}, s.Axes...) {
		vats, err := s.along(group)
		if err != nil {
			return nil, err
		}
		for _, p := range vats {
			for _, name := range s.Ways {
				p.Way = name
				if p, err = p.plain(); err != nil {
					return nil, err
				}
				if !slices.Contains(points, p) {
					points = append(points, p)
				}
			}
		}
	}
	first := map[Point]int{}
	for i, p := range slices.Backward(points) {
		first[p.Vat()] = i
	}
	slices.SortStableFunc(points, func(p, q Point) int { return first[p.Vat()] - first[q.Vat()] })
	return points, nil
}

// along returns the points of one group of axes, without ways.
func (s *Sweep) along(group string) ([]Point, error) {
	base := Point{}
	axes := s.axes()
	for _, a := range axes {
		a.set(&base, 0)
	}
	points := []Point{base}
	if group == "" {
		return points, nil
	}
	for name := range strings.SplitSeq(group, "+") {
		n := slices.IndexFunc(axes, func(a sweepAxis) bool { return a.name == name })
		if n < 0 {
			return nil, fmt.Errorf(
				"no axis %q: there are %s",
				name,
				strings.Join(AxisNames(), ", "),
			)
		}
		var longer []Point
		for _, p := range points {
			for i := range axes[n].n {
				axes[n].set(&p, i)
				longer = append(longer, p)
			}
		}
		points = longer
	}
	return points, nil
}

// plain returns the point without the options that are the default, or that its way has
// no use for.
func (p Point) plain() (Point, error) {
	w, err := wayOf(p.Way)
	if err != nil {
		return p, err
	}
	if !w.detects || p.Memory == worker.MemoryMapped {
		p.Memory = ""
	}
	if !w.detects || p.Detector == worker.DetectScan || p.Memory == worker.MemoryCopied {
		p.Detector = "" // copied memory is compared, whatever the detector
	}
	if !w.keeps || p.Compression == CompressionLZ4 {
		p.Compression = ""
	}
	if !w.keeps || p.Prefetch == PrefetchOff {
		p.Prefetch = ""
	}
	return p, nil
}

// costs are about what a round of a way costs, in µs: for each MiB of the heap, for each
// delivery between snapshots, and for each page that those write.
type costs struct{ mib, delivery, page float64 }

// keptOpening is about what it takes to begin with a vat and to end, in µs.
const keptOpening = 300e3

// expected returns about how many seconds a point takes.
func expected(p Point, rounds int) float64 {
	w, err := wayOf(p.Way)
	if err != nil {
		return 0
	}
	heap := float64(p.HeapMiB << 20 / 4096)
	deliveries := float64(p.Suffix + 1)
	// Written pages are drawn: some are drawn again.
	written := heap * (1 - math.Exp(-deliveries*float64(p.DirtyPages)/heap))
	c := w.cost
	round := float64(p.HeapMiB)*c.mib + deliveries*c.delivery + written*c.page +
		deliveries*float64(p.DirtyPages)*0.5
	return (keptOpening + float64(rounds)*round) / 1e6
}

// Left estimates how long points will take: by what the ways cost, about, on a machine
// of 2026, corrected by what was measured of the same way, or else of all.
func Left(done []Measured, todo []Point, rounds int) time.Duration {
	var total float64
	for _, p := range todo {
		total += expected(p, rounds) * correction(done, p.Way)
	}
	return time.Duration(total * float64(time.Second))
}

// correction returns how many times longer than expected a way took, or else all.
func correction(done []Measured, way string) float64 {
	var took, thought [2]float64
	for _, m := range done {
		seconds := expected(m.Point, m.Rounds)
		took[1], thought[1] = took[1]+m.Seconds, thought[1]+seconds
		if m.Way == way {
			took[0], thought[0] = took[0]+m.Seconds, thought[0]+seconds
		}
	}
	for i := range took {
		if thought[i] > 0 {
			return took[i] / thought[i]
		}
	}
	return 1
}
