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

	sizes []int // the numbers of vats in memory of Policies
}

// curvePoint are the page-ins with so many vats in memory.
type curvePoint struct {
	Vats    int     `json:"vats"`
	LRU     uint64  `json:"lru"`
	Optimum *uint64 `json:"optimum"` // null where it was not computed
	// Ratio is the share of deliveries that page in.
	Ratio float64 `json:"miss_ratio"`
}

// The policies of snapshots that are considered.
var (
	initials  = []int{1, 2, 5, 20}
	intervals = []int{5, 20, 50, 100, 200, 1000}
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
			optimum := t.Optimum(n)
			at.Optimum = &optimum
		}
		w.Curve = append(w.Curve, at)
	}
	for _, n := range w.sizes {
		say(fmt.Sprintf("%d vats in memory", n))
		price := func(initial, interval int) {
			of := trace.Policy{Vats: n, Initial: initial, Interval: interval}
			w.Policies = append(w.Policies, t.Price(of, costs))
		}
		price(trace.Never, 1)
		for _, initial := range initials {
			for _, interval := range intervals {
				price(initial, interval)
			}
		}
	}
	if best := trace.Best(w.Policies, *w.Budget); best >= 0 {
		chosen := w.Policies[best]
		w.Best = &chosen
	}
	return w
}

// steps returns numbers up to the most, each about twice the one before.
func steps(most int) (list []int) {
	for n := 1; n < most; n *= 2 {
		list = append(list, n)
	}
	return append(list, most)
}

// printWeighed prints it for people.
func (a *app) printWeighed(w *weighed) {
	fmt.Fprintf(a.out, "%s: %s to %s\n\n", plain(w.About),
		count(w.Deliveries, "delivery", "deliveries"), count(w.Vats, "vat", "vats"))
	var rows [][]string
	for _, at := range w.Curve {
		if at.Optimum != nil {
			rows = append(rows, []string{grouped(at.Vats), grouped(at.LRU),
				strconv.FormatFloat(100*at.Ratio, 'f', 1, 64) + " %", grouped(*at.Optimum)})
		}
	}
	a.grid([]string{">vats in memory", ">page-ins", ">of deliveries", ">fewest"}, rows)
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
	a.grid([]string{">vats in memory", ">first", ">every", ">page-ins", ">replayed", ">snapshots",
		">now", ">later", ">total", ">pages kept", ">suffix", ">memory"}, rows)
	fmt.Fprintf(a.out, "\nThe cheapest: swingsim run … --max-vats %d --snapshots %s\n",
		w.Best.Vats, snapshotsText(w.Best.Policy))
}

// snapshotsText returns what --snapshots is for a policy.
func snapshotsText(p trace.Policy) string {
	rule := warehouse.Policy{Initial: p.Initial, Interval: p.Interval}
	if p.Initial == trace.Never {
		rule = warehouse.Policy{Initial: warehouse.Never}
	}
	return rule.String()
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

func initialText(n int) string {
	if n == trace.Never {
		return "never"
	}
	return strconv.Itoa(n)
}

func costRow(c *trace.Cost) []string {
	every := grouped(c.Interval)
	if c.Initial == trace.Never {
		every = ""
	}
	return []string{
		grouped(c.Vats), initialText(c.Initial), every, grouped(c.PageIns), grouped(c.Replayed),
		grouped(c.Snapshots), took(c.Now), took(c.Later), took(c.Total()),
		grouped(c.SnapshotPages), grouped(c.Suffix), brief(c.PeakMemory),
	}
}

// took writes nanoseconds for people.
func took(ns float64) string { return time.Duration(ns).Round(10 * time.Microsecond).String() }

// brief writes a number of bytes in MiB.
func brief(n uint64) string {
	return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB"
}
