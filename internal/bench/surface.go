package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"vatwarehouse/worker"
)

// Point is one point of the surface of trade-offs: a vat, how long its suffix is, and
// by which way it is kept.
type Point struct {
	HeapMiB    uint64 `json:"heap_mib"`
	DirtyPages uint64 `json:"dirty_pages"` // written by a delivery
	Suffix     int    `json:"suffix"`      // deliveries since the latest snapshot
	Way        string `json:"way"`
	// The warehouse's options; "" is the default, and what a way has no use for.
	Detector    worker.Detector `json:"detector,omitempty"`
	Memory      worker.Memory   `json:"memory,omitempty"`
	Compression string          `json:"compression,omitempty"` // or CompressionNone
	Prefetch    string          `json:"prefetch,omitempty"`    // or PrefetchOn
}

// The ways of compression and of prefetching: the default, as [Sweep] takes it, first.
const (
	CompressionLZ4  = "lz4"
	CompressionNone = "none"
	PrefetchOff     = "off"
	PrefetchOn      = "prefetch"
)

// Vat returns the point without what says how the vat is kept. Points of one vat are
// measured turn by turn.
func (p Point) Vat() Point {
	return Point{HeapMiB: p.HeapMiB, DirtyPages: p.DirtyPages, Suffix: p.Suffix}
}

// Keeping says how the vat is kept: the way, and each option that is not the default.
func (p Point) Keeping() string {
	name := p.Way
	options := []string{string(p.Memory), string(p.Detector), p.Compression, p.Prefetch}
	for _, option := range options {
		if option != "" {
			name += ", " + option
		}
	}
	return name
}

// String names the point.
func (p Point) String() string {
	return fmt.Sprintf("%s: %d MiB, %s a delivery, a suffix of %d",
		p.Keeping(), p.HeapMiB, pages(p.DirtyPages), p.Suffix)
}

// Measured is what was measured at a point. Times are in µs; what a way does not have
// is 0.
type Measured struct {
	Point
	Rounds int `json:"rounds"`
	// A page-in is from when the vat is wanted to the end of its delivery.
	PageInP50 float64 `json:"page_in_p50_us"`
	PageInP99 float64 `json:"page_in_p99_us"`
	// Replayed is how many deliveries a page-in replays, the median, and ReplayRate how
	// many a second that is, all else that a page-in does included.
	Replayed   int     `json:"replayed"`
	ReplayRate float64 `json:"replay_per_s"`
	// EvictP50 is what it takes to evict the vat after a suffix.
	EvictP50 float64 `json:"evict_p50_us"`
	// A snapshot is of what one more delivery than the suffix has written. It is not
	// synced.
	SnapshotP50   float64 `json:"snapshot_p50_us"`
	SnapshotP99   float64 `json:"snapshot_p99_us"`
	SnapshotBytes float64 `json:"snapshot_bytes"` // median
	// ImageP50 is what it takes to make the vat's image of its latest snapshot, which
	// its first page-in after a crash does before all else.
	ImageP50 float64 `json:"image_p50_us"`
	// Resident is how much more anonymous memory the process has when the vat has been
	// paged in and has run its delivery than before that, in bytes.
	Resident float64 `json:"resident_bytes"`
	Seconds  float64 `json:"seconds"` // that measuring took
}

// way is one way of keeping a vat.
type way struct {
	name, about string
	open        func(ctx context.Context, r *Run, p Point) (keeper, error)
	detects     bool // it has a use for detectors and ways of memory
	keeps       bool // it has one for compression and prefetching
	cost        costs
}

// keeper keeps one vat.
type keeper interface {
	// once measures, once, all that the way has.
	once(ctx context.Context, k *kept) error
	// close measures what there is at the end, and closes.
	close(ctx context.Context, k *kept) error
}

// kept is what was measured of one way.
type kept struct {
	pageIns, evictions, snapshots, bytes, images, replayed, resident sample
}

func ways() []way {
	return []way{
		{
			"snapshot", "the warehouse: the latest snapshot, and the suffix replayed",
			bySnapshot, true, true, costs{0, 40, 24},
		},
		{
			"pause", "the warehouse, memory saved on eviction: nothing to replay",
			byPause, true, false, costs{0, 20, 10},
		},
		{
			"on-evict", "the warehouse, a snapshot of what is evicted: nothing to replay",
			byEvictionSnapshots, false, false, costs{0, 20, 16},
		},
		{
			"by-cost", "the warehouse, a snapshot when it saves more than it costs",
			byCost, false, false, costs{0, 20, 16},
		},
		{
			"full-copy", "peer: snapshots are whole memories, copied and hashed",
			byFullCopy, false, false, costs{2000, 20, 16},
		},
		{
			"naive", "peer: replay from the start; the heap's hash by a copy of all",
			byNaive, false, false, costs{1600, 10, 0},
		},
		{
			"wazero", "peer: the engine alone: nothing is kept, nothing metered",
			byEngine, false, false, costs{400, 0, 0},
		},
	}
}

// wayOf returns the way of that name.
func wayOf(name string) (way, error) {
	all := ways()
	n := slices.IndexFunc(all, func(w way) bool { return w.name == name })
	if n < 0 {
		return way{}, fmt.Errorf("no way %q of keeping a vat", name)
	}
	return all[n], nil
}

// Ways returns the names of the ways in which a point can be measured, and what they are.
func Ways() (names, about []string) {
	for _, w := range ways() {
		names, about = append(names, w.name), append(about, w.about)
	}
	return names, about
}

// surfaceVat is one vat kept by one way, and what was measured of that.
type surfaceVat struct {
	keeper
	kept
	spent time.Duration
}

// timed does something and counts the time.
func (v *surfaceVat) timed(do func() error) error {
	started := time.Now()
	err := do()
	v.spent += time.Since(started)
	return err
}

// Surface measures points, which must be of one vat, so many times each, turn by turn.
// It says after each turn of each point that it is done.
func Surface(
	ctx context.Context, r *Run, points []Point, rounds int, done func(),
) (all []Measured, err error) {
	vats := make([]surfaceVat, len(points))
	for i, p := range points {
		if err = vats[i].open(ctx, r, p); err != nil {
			break
		}
	}
	for range rounds {
		for i := range vats {
			v := &vats[i]
			if err != nil {
				break
			}
			if err = v.timed(func() error { return v.once(ctx, &v.kept) }); err != nil {
				err = fmt.Errorf("measure %s: %w", points[i], err)
			}
			done()
		}
	}
	for i := range vats {
		if v := &vats[i]; v.keeper != nil {
			err = errors.Join(err, v.timed(func() error { return v.close(ctx, &v.kept) }))
			all = append(all, v.measured(points[i], rounds))
		}
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (v *surfaceVat) open(ctx context.Context, r *Run, p Point) error {
	w, err := wayOf(p.Way)
	if err != nil {
		return err
	}
	return v.timed(func() error {
		k, err := w.open(ctx, r, p)
		if err != nil {
			return fmt.Errorf("measure %s: %w", p, err)
		}
		v.keeper = k
		return nil
	})
}

// measured sums up.
func (v *surfaceVat) measured(p Point, rounds int) Measured {
	m := Measured{
		Point: p, Rounds: rounds,
		PageInP50: v.pageIns.median(), PageInP99: v.pageIns.percentile(99),
		EvictP50:    v.evictions.median(),
		SnapshotP50: v.snapshots.median(), SnapshotP99: v.snapshots.percentile(99),
		SnapshotBytes: v.bytes.median(), ImageP50: v.images.median(),
		Replayed: int(v.replayed.median()), Resident: v.resident.median(),
		Seconds: v.spent.Seconds(),
	}
	if m.PageInP50 > 0 {
		m.ReplayRate = float64(m.Replayed) / m.PageInP50 * 1e6
	}
	return m
}

// weighings is in how many page-ins memory is measured. It takes a while.
const weighings = 3

// weigh measures how much anonymous memory something takes, if that was not measured
// often enough. weighed is to be called when it has all.
func (k *kept) weigh(do func(weighed func()) error) error {
	if len(k.resident) >= weighings {
		return do(func() {})
	}
	debug.FreeOSMemory()
	before := resident()
	return do(func() { k.resident = append(k.resident, max(0, resident()-before)) })
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
	value := strings.TrimSpace(fieldOf("/proc/self/status", "RssAnon"))
	if _, err := fmt.Sscanf(value, "%f kB", &kib); err != nil {
		return 0
	}
	return kib * 1024
}
