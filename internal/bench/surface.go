package bench

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"time"
)

// Point is one point of the surface of trade-offs: a vat, how long its suffix is, and
// by which way it is kept.
type Point struct {
	HeapMiB    uint64 `json:"heap_mib"`
	DirtyPages uint64 `json:"dirty_pages"` // written by a delivery
	Suffix     int    `json:"suffix"`      // deliveries since the latest snapshot
	Way        string `json:"way"`
}

// String names the point.
func (p Point) String() string {
	return fmt.Sprintf("%s: %d MiB, %s a delivery, a suffix of %d",
		p.Way, p.HeapMiB, pages(p.DirtyPages), p.Suffix)
}

// Measured is what was measured at a point. Times are in µs; what a way does not have
// is 0.
type Measured struct {
	Point
	Rounds int `json:"rounds"`
	// A page-in is from when the vat is wanted to the end of its delivery.
	PageInP50 float64 `json:"page_in_p50_us"`
	PageInP99 float64 `json:"page_in_p99_us"`
	// Replayed is how many deliveries a page-in replays, and ReplayRate how many a
	// second that is, all else that a page-in does included.
	Replayed   int     `json:"replayed"`
	ReplayRate float64 `json:"replay_per_s"`
	// A snapshot is of what one more delivery than the suffix has written. It is not
	// synced.
	SnapshotP50   float64 `json:"snapshot_p50_us"`
	SnapshotP99   float64 `json:"snapshot_p99_us"`
	SnapshotBytes float64 `json:"snapshot_bytes"` // median
	// Resident is how much anonymous memory the process has more of, in bytes, when the
	// vat is in memory: about.
	Resident float64 `json:"resident_bytes"`
	Seconds  float64 `json:"seconds"` // that measuring took
}

// way is one way of keeping a vat.
type way struct {
	name, about string
	measure     func(ctx context.Context, r *Run, p Point, rounds int) (kept, error)
}

// kept is what was measured of one way.
type kept struct {
	pageIns, snapshots, bytes sample
	replayed                  int
	resident                  float64 // as the process has it, with all else
}

func ways() []way {
	return []way{
		{"snapshot", "the warehouse: the latest snapshot, and the suffix replayed", bySnapshot},
		{"pause", "the warehouse, memory saved on eviction: nothing to replay", byPause},
		{"full-copy", "peer: snapshots are whole memories, copied and hashed", byFullCopy},
		{"naive", "peer: replay from the start; the heap's hash by a copy of all", byNaive},
		{"wazero", "peer: the engine alone: nothing is kept, nothing metered", byEngine},
	}
}

// Ways returns the names of the ways in which a point can be measured, and what they are.
func Ways() (names, about []string) {
	for _, w := range ways() {
		names, about = append(names, w.name), append(about, w.about)
	}
	return names, about
}

// Grid returns the points of all combinations, cheapest first as they are listed.
func Grid(heapsMiB, dirtyPages, suffixes []int, wayNames []string) (points []Point) {
	for _, heap := range heapsMiB {
		for _, dirty := range dirtyPages {
			for _, suffix := range suffixes {
				for _, name := range wayNames {
					points = append(points, Point{uint64(heap), uint64(dirty), suffix, name})
				}
			}
		}
	}
	return points
}

// Surface measures a point, so many times.
func Surface(ctx context.Context, r *Run, p Point, rounds int) (Measured, error) {
	all := ways()
	n := slices.IndexFunc(all, func(w way) bool { return w.name == p.Way })
	if n < 0 {
		return Measured{}, fmt.Errorf("no way %q of keeping a vat", p.Way)
	}
	debug.FreeOSMemory()
	before := resident()
	started := time.Now()
	k, err := all[n].measure(ctx, r, p, rounds)
	if err != nil {
		return Measured{}, fmt.Errorf("measure %s: %w", p, err)
	}
	m := Measured{
		Point: p, Rounds: rounds,
		PageInP50: k.pageIns.median(), PageInP99: k.pageIns.percentile(99),
		SnapshotP50: k.snapshots.median(), SnapshotP99: k.snapshots.percentile(99),
		SnapshotBytes: k.bytes.median(), Replayed: k.replayed,
		Resident: max(0, k.resident-before), Seconds: time.Since(started).Seconds(),
	}
	if m.PageInP50 > 0 {
		m.ReplayRate = float64(k.replayed) / m.PageInP50 * 1e6
	}
	return m, nil
}

// percentile returns the least measurement that so many in a hundred do not exceed.
func (s sample) percentile(n int) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(math.Ceil(float64(len(s)*n)/100))-1]
}

// resident returns the bytes of anonymous memory that the process has, 0 where the
// system does not tell.
func resident() float64 {
	var kib float64
	if _, err := fmt.Sscanf(fieldOf("/proc/self/status", "RssAnon"), "%f kB", &kib); err != nil {
		return 0
	}
	return kib * 1024
}

// Left estimates how long what is left will take, from what was measured and how long
// each took: the average of the same way and heap, else of the same heap, else of all;
// 0 while nothing was measured.
func Left(done []Measured, todo []Point) time.Duration {
	var total float64
	for _, p := range todo {
		var like [3]sample
		for _, m := range done {
			like[2] = append(like[2], m.Seconds)
			if m.HeapMiB == p.HeapMiB {
				like[1] = append(like[1], m.Seconds)
				if m.Way == p.Way {
					like[0] = append(like[0], m.Seconds)
				}
			}
		}
		for _, s := range like {
			if len(s) > 0 {
				total += s.mean()
				break
			}
		}
	}
	return time.Duration(total * float64(time.Second))
}

func (s sample) mean() float64 {
	sum := 0.0
	for _, v := range s {
		sum += v
	}
	return sum / float64(len(s))
}
