package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"vatwarehouse/internal/trace"
	"vatwarehouse/warehouse"
)

// weighed is what is said of a trace.
type weighed struct {
	About      string        `json:"about"`
	Vats       int           `json:"vats"`
	Deliveries uint64        `json:"deliveries"`
	Cold       uint64        `json:"cold_page_ins"`
	Footprints bool          `json:"footprints"`
	Curve      []curvePoint  `json:"curve"`
	Costs      trace.Costs   `json:"costs"`
	Policies   []trace.Cost  `json:"policies"`
	Budget     *trace.Budget `json:"budget"`
	Best       *trace.Cost   `json:"best"` // within the budget; null is none
	Checks     []trialRun    `json:"checks,omitempty"`
	CheckCosts *trace.Costs  `json:"check_costs,omitempty"` // of the times in Checks

	sizes []int // the numbers of vats in memory of Policies
}

// curvePoint are the page-ins with so many vats in memory.
type curvePoint struct {
	Vats    int     `json:"vats"`
	LRU     uint64  `json:"lru"`
	TwoQ    *uint64 `json:"2q"` // these are null where they were not computed
	ARC     *uint64 `json:"arc"`
	Cost    *uint64 `json:"cost"`
	Queue   *uint64 `json:"queue"`
	Optimum *uint64 `json:"optimum"`
	// Ratio is the share of deliveries that page in.
	Ratio float64 `json:"miss_ratio"`
}

// The rules of snapshots that are considered, beside counts.
var rules = []string{
	"never", "cost", "evict", "idle", "fuel:100e3", "fuel:1e6", "bytes:10e3", "bytes:100e3",
}

// The counts that are considered.
var (
	initials  = []int{2, 5, 20}
	intervals = []int{5, 20, 50, 200}
)

// weigh computes all that is said of a trace.
func weigh(t *trace.Trace, costs trace.Costs, p *policyFlags, say func(string)) *weighed {
	c := t.Curve()
	most := c.Most()
	if p.vats > 0 {
		most = min(most, p.vats)
	}
	w := &weighed{
		About: t.About, Vats: len(t.Vats), Deliveries: c.Accesses, Cold: c.Cold,
		Footprints: t.Footprints, Costs: costs,
		Budget: &trace.Budget{Memory: p.memory, Bytes: p.stored, Suffix: p.suffix},
		sizes:  steps(most),
	}
	for n := 1; n <= most; n++ {
		at := curvePoint{Vats: n, LRU: c.PageIns(n)}
		at.Ratio = float64(at.LRU) / float64(c.Accesses)
		if slices.Contains(w.sizes, n) {
			say(fmt.Sprintf("%d vats in memory", n))
			at.compute(t)
		}
		w.Curve = append(w.Curve, at)
	}
	for _, n := range w.sizes {
		say(fmt.Sprintf("%d vats in memory", n))
		w.price(t, n)
	}
	if best := trace.Best(w.Policies, *w.Budget); best >= 0 {
		chosen := w.Policies[best]
		w.Best = &chosen
	}
	return w
}

// compute simulates the other ways of eviction. Which vats are in memory depends on the
// snapshots only where they are evicted by what they cost to replay: there, those of the
// default are taken.
func (at *curvePoint) compute(t *trace.Trace) {
	for way, n := range map[warehouse.Eviction]**uint64{
		warehouse.Evict2Q: &at.TwoQ, warehouse.EvictARC: &at.ARC, warehouse.EvictCost: &at.Cost,
		warehouse.EvictQueue: &at.Queue,
	} {
		pageIns := t.Simulate(trace.Policy{Vats: at.Vats, Evict: way}).PageIns
		*n = &pageIns
	}
	optimum := t.Optimum(at.Vats)
	at.Optimum = &optimum
}

// price simulates every rule with so many vats in memory, the least recently used being
// evicted; and the other ways of eviction with the cheapest of them.
func (w *weighed) price(t *trace.Trace, vats int) {
	for _, rule := range consideredRules() {
		w.Policies = append(w.Policies, t.Price(trace.Policy{Vats: vats, Rule: rule}, w.Costs))
	}
	best := w.cheapest(vats)
	if best == nil {
		return
	}
	for _, way := range warehouse.Evictions[1:] {
		p := trace.Policy{Vats: vats, Rule: best.Rule, Evict: way}
		w.Policies = append(w.Policies, t.Price(p, w.Costs))
	}
}

// consideredRules returns the rules that are considered.
func consideredRules() (all []warehouse.Policy) {
	for _, text := range rules {
		var p warehouse.Policy
		if err := p.UnmarshalText([]byte(text)); err != nil {
			panic(fmt.Sprintf("policy: %v", err))
		}
		all = append(all, p)
	}
	for _, initial := range initials {
		for _, interval := range intervals {
			all = append(all, warehouse.Policy{
				Rule: warehouse.ByCount, Initial: initial, Interval: interval,
			})
		}
	}
	return all
}

// sizesMax is how many numbers of vats are considered.
const sizesMax = 6

// steps returns the last of the numbers up to the most, each about twice the one before.
func steps(most int) (list []int) {
	for n := 1; n < most; n *= 2 {
		list = append(list, n)
	}
	list = append(list, most)
	return list[max(0, len(list)-sizesMax):]
}

// printWeighed prints it for people.
func (a *app) printWeighed(w *weighed) {
	fmt.Fprintf(a.out, "%s: %s to %s\n\n", plain(w.About),
		count(w.Deliveries, "delivery", "deliveries"), count(w.Vats, "vat", "vats"))
	var rows [][]string
	for _, at := range w.Curve {
		if at.Optimum != nil {
			rows = append(rows, []string{grouped(at.Vats), grouped(at.LRU),
				strconv.FormatFloat(100*at.Ratio, 'f', 1, 64) + " %", grouped(*at.TwoQ),
				grouped(*at.ARC), grouped(*at.Cost), grouped(*at.Queue), grouped(*at.Optimum)})
		}
	}
	a.grid([]string{">vats in memory", ">lru", ">of deliveries", ">2q", ">arc", ">cost",
		">queue", ">fewest"}, rows)
	fmt.Fprintf(a.out, "%s can be saved by no number of vats in memory.\n\n",
		count(w.Cold, "page-in", "page-ins"))
	if !w.Footprints {
		fmt.Fprintf(a.out, "The trace does not say what deliveries wrote: "+
			"snapshots are priced without their pages.\n\n")
	}
	if w.Best == nil {
		fmt.Fprintf(a.out, "No policy is within the budget.\n")
		return
	}
	rows = nil
	for _, n := range w.sizes {
		if c := w.cheapest(n); c != nil {
			rows = append(rows, costRow(c))
		}
	}
	a.grid([]string{">vats in memory", "snapshots", "evict", ">page-ins", ">replayed",
		">snapshots", ">now", ">later", ">restart", ">total", ">pages kept", ">suffix",
		">memory"}, rows)
	fmt.Fprintf(a.out, "\nThe cheapest: swingsim run … %s\n", runFlagsOf(w.Best.Policy))
}

// runFlagsOf returns the flags of run that ask for a policy.
func runFlagsOf(p trace.Policy) string {
	return fmt.Sprintf("--max-vats %d --snapshots %s --evict %s", p.Vats, p.Rule, wayText(p.Evict))
}

func wayText(e warehouse.Eviction) string {
	if e == "" {
		return string(warehouse.EvictLRU)
	}
	return string(e)
}

// cheapest returns the cheapest policy with so many vats that is within the budget, or nil.
func (w *weighed) cheapest(vats int) *trace.Cost {
	var of []trace.Cost
	for _, c := range w.Policies {
		if c.Vats == vats {
			of = append(of, c)
		}
	}
	if best := trace.Best(of, *w.Budget); best >= 0 {
		return &of[best]
	}
	return nil
}

func costRow(c *trace.Cost) []string {
	return []string{
		grouped(c.Vats), c.Rule.String(), wayText(c.Evict), grouped(c.PageIns),
		grouped(c.Replayed), grouped(c.Snapshots), took(c.Now), took(c.Later), took(c.Restart),
		took(c.Total()), grouped(c.SnapshotPages), grouped(c.Suffix), brief(c.PeakMemory),
	}
}

// took writes nanoseconds for people.
func took(ns float64) string { return time.Duration(ns).Round(10 * time.Microsecond).String() }

// brief writes a number of bytes in MiB.
func brief(n uint64) string {
	return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB"
}
