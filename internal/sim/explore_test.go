package sim

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// worlds are small enough for all their orders. In those that are special there is more
// than plain deliveries.
var worlds = []struct {
	name, text string
	special    bool
}{
	{name: "three counters", text: `
vats:
  - {name: c, program: counter, count: 3}
workload:
  - {to: c, method: incr, args: [1], messages: 3}
audit:
  ask: [{to: c, method: read, answers: [count]}]
  check: [{about: all, equal: [c.count, $messages]}]`},
	{name: "rounds", text: `
vats:
  - {name: c, program: counter, count: 2}
workload:
  - {to: c, method: incr, args: [{between: [1, 9]}], messages: 6, burst: 4}
audit:
  ask: [{to: c, method: read, answers: [count]}]`},
	{name: "volleys to one", text: `
vats:
  - {name: hub, program: pingpong}
  - {name: p, program: pingpong, count: 2}
setup: [{to: p, method: peer, args: [{ref: hub}]}]
workload:
  - {to: p, method: volley, args: [{cycle: [1, 2]}], messages: 2}
audit:
  assert: [{ask: hub, method: read, equals: [0, 2]}]`},
	{name: "pings", text: `
vats:
  - {name: p, program: pingpong, count: 2}
setup: [{to: p, method: peer, args: [{ref: p.$i+1}]}]
workload:
  - {to: p, method: ping, args: [1], messages: 2}
audit:
  assert: [{ask: p.0, method: read, equals: [2, 0]}]`},
	{name: "notes", text: `
vats:
  - {name: c, program: counter, count: 2}
  - {name: clerk, program: clerk}
workload:
  - {to: clerk, method: ask, args: [{ref: c.$n}, {cycle: [a, b]}], messages: 2, burst: 2}
audit:
  assert: [{ask: clerk, method: read, equals: ["noted a fulfilled", "noted b fulfilled"]}]`},
	{name: "three notes", text: `
vats:
  - {name: c, program: counter, count: 3}
  - {name: clerk, program: clerk}
workload:
  - {to: clerk, method: ask, args: [{ref: c.$n}, {cycle: [a, b, c]}], messages: 3, burst: 3}
audit:
  assert: [{ask: clerk, method: read, equals: []}]`},
	{name: "one against two", text: `
vats:
  - {name: c, program: counter}
  - {name: p, program: puppet, count: 2}
setup: [{to: p, method: meet, args: [{ref: c}]}]
workload:
  - {to: p.0, method: do, args: [` + incr(1) + `], messages: 1}
  - {to: p.1, method: do, args: [` + incr(2) + `, ` + incr(3) + `], messages: 1}
audit:
  assert: [{ask: c, method: read, equals: [6]}]`},
	{name: "an end", special: true, text: `
vats:
  - {name: c, program: counter}
  - {name: mortal, program: puppet}
  - {name: clerk, program: clerk}
workload:
  - {to: clerk, method: ask, args: [{ref: c}, a], messages: 1}
  - {to: mortal, method: do, args: [[trap]], messages: 1}
  - {to: clerk, method: ask, args: [{ref: mortal}, b], messages: 1}
audit:
  assert: [{ask: clerk, method: read, equals: []}]`},
	{name: "a timer", special: true, text: `
devices: [timer]
time: {step: 1_000}
vats:
  - {name: c, program: counter}
  - {name: locker, program: locker, args: [{ref: timer}]}
workload:
  - {to: locker, method: keep, args: [{ref: c}, 500], messages: 1}
  - {to: c, method: incr, args: [1], messages: 2, burst: 1}
  - {to: locker, method: look, args: [{ref: c}], messages: 2, burst: 1}
audit:
  ask: [{to: locker, method: read, answers: [entries, expired, returned]}]`},
	{name: "a meter", special: true, text: `
meters: [{name: few, remaining: 150_000}]
vats:
  - {name: c, program: counter, count: 3, meter: few}
workload:
  - {to: c, method: incr, args: [1], messages: 3}
audit:
  ask: [{to: c, method: read, answers: [count]}]`},
}

// incr is a step of a puppet's: it sends incr(n) to the object that it met first.
func incr(n uint64) string {
	body := swing.AppendUint(swing.AppendArray(nil, 1), n)
	return fmt.Sprintf("[%d, {hex: %x}]", swing.OpSend, swing.AppendRequest(nil, swing.Syscall[swing.VRef]{
		Op: swing.OpSend, Target: "o-50", Message: swing.Message[swing.VRef]{
			Method: "incr", Args: swing.CapData[swing.VRef]{Body: body},
		},
	}))
}

func world(t *testing.T, name, text string) *Scenario {
	t.Helper()
	s, err := Parse(name+".yaml", []byte("about: small\nseed: small"+text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ends are how a scenario ends, and how often: by what vats can tell, and by the audit.
type ends struct {
	histories, audits map[string]int
	least             map[string]int // deviations, by histories
}

func newEnds() ends { return ends{map[string]int{}, map[string]int{}, map[string]int{}} }

func (e ends) add(t *testing.T, histories swing.Hash, a *Audit) string {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	e.histories[histories.String()]++
	e.audits[string(text)]++
	return string(text)
}

func (e ends) equal(f ends) bool {
	return maps.Equal(e.histories, f.histories) && maps.Equal(e.audits, f.audits)
}

// alike reports whether the same ends were reached, however often.
func (e ends) alike(f ends) bool {
	keys := func(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }
	return slices.Equal(keys(e.histories), keys(f.histories)) &&
		slices.Equal(keys(e.audits), keys(f.audits))
}

// brute runs a scenario in every order, one after the other like the numbers of an
// odometer, but no more than most. What may go next it works out by itself.
func brute(t *testing.T, s *Scenario, most int) (all ends, orders int) {
	t.Helper()
	all = newEnds()
	on, err := newMachine(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	digits, widths := []int{}, []int{}
	for {
		at, over := 0, false
		widths = widths[:0]
		order := func(queue []kernel.Event, ready []int) int {
			free := dumbReady(queue)
			if over {
				return 0
			}
			if at == len(digits) {
				digits = append(digits, 0)
			}
			widths = append(widths, len(free))
			at++
			return slices.Index(ready, free[digits[at-1]])
		}
		o := &host.Options{
			Seed: s.Seed, Devices: devices.All(), Order: order, Engine: on, NoSync: true,
			SegmentBytes: walkSegmentBytes,
		}
		h, err := host.Open(t.Context(), "", o)
		if err != nil {
			t.Fatal(err)
		}
		r := &run{h: h, s: s, drain: 1000, over: func() { over = true }}
		result, err := r.run(t.Context(), RunOptions{})
		_, histories, livesErr := lives(h)
		if err = errors.Join(err, livesErr, h.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
		all.add(t, histories, result.Audit)
		orders++
		for at--; at >= 0 && digits[at]+1 == widths[at]; at-- {
			digits = digits[:at]
		}
		if at < 0 || orders == most {
			if err := on.Close(t.Context()); err != nil {
				t.Error(err)
			}
			return all, orders
		}
		digits = digits[:at+1]
		digits[at]++
	}
}

// dumbReady returns which events none ahead of them is related to, as pairs. It knows of
// messages to objects, notifies and starts.
func dumbReady(queue []kernel.Event) (free []int) {
	for i, b := range queue {
		related := func(a kernel.Event) bool {
			starts := (a.Kind == "startVat") != (b.Kind == "startVat") && a.Vat == b.Vat ||
				a.Kind == "startVat" && b.Kind == "startVat"
			lane := a.Kind == "send" && b.Kind == "send" && a.Sender == b.Sender && a.Target == b.Target
			return starts || lane
		}
		if !slices.ContainsFunc(queue[:i], related) {
			free = append(free, i)
		}
	}
	return free
}

// explored explores all of a scenario, and returns its ends and how many deviations each
// audit takes at least.
func explored(
	t *testing.T, s *Scenario, every bool, exact int,
) (out Explored, all ends, least map[string]int) {
	t.Helper()
	all, least = newEnds(), map[string]int{}
	seen := map[string]bool{}
	o := ExploreOptions{Deviations: -1, Every: every, Holds: func(o *OrderRun) bool {
		if key := fmt.Sprint(o.Order); seen[key] {
			t.Errorf("%s: %v was run twice", s.Name, o.Order)
		} else {
			seen[key] = true
		}
		end := all.add(t, o.Histories, o.Audit)
		for key, of := range map[string]map[string]int{end: least, o.Histories.String(): all.least} {
			if n, ok := of[key]; !ok || len(o.Deviations) < n {
				of[key] = len(o.Deviations)
			}
		}
		return true
	}}
	out, err := s.exploreExactly(t.Context(), o, exact)
	if err != nil || !out.All || out.Failed != nil || out.Orders != len(seen) {
		t.Errorf("%s: %+v, %v", s.Name, out, err)
	}
	return out, all, least
}

// held explores a scenario and holds it against brute force. With every order run, as many
// are as an odometer counts, no two the same, and the vats are told the same, as often. Where
// orders that come to the same are left out, they are told the same still, with as few
// deviations; and if all such are, and all messages differ, none is told the same twice: but in
// special worlds. It returns how many deviations each audit takes at least.
func held(t *testing.T, s *Scenario, want ends, orders int, special bool) (least map[string]int) {
	t.Helper()
	whole, all, least := explored(t, s, true, 0)
	if whole.Orders != orders || whole.Alike != 0 || !all.equal(want) {
		t.Errorf("%s: %+v, %v; there are %d, %v", s.Name, whole, all, orders, want)
	}
	some, reduced, _ := explored(t, s, false, exactDeviations)
	if !reduced.alike(want) || some.Orders > orders {
		t.Errorf("%s: %d of %d orders end as %v, want %v", s.Name, some.Orders, orders, reduced, want)
	}
	for h, n := range all.least {
		if n <= exactDeviations && reduced.least[h] != n {
			t.Errorf("%s: %d deviations to what %d are enough for", s.Name, reduced.least[h], n)
		}
	}
	few, fewest, _ := explored(t, s, false, 0)
	if !fewest.alike(want) || few.Orders > some.Orders || !special && few.Orders != len(want.histories) {
		t.Errorf("%s: %d orders end as %v, want %v", s.Name, few.Orders, fewest, want)
	}
	t.Logf("%s: %d orders, %d histories, audits by %v deviations; %d run, or %d", s.Name, orders,
		len(want.histories), slices.Sorted(maps.Values(least)), some.Orders, few.Orders)
	return least
}

// TestExploreIsBruteForce: of worlds made by hand.
func TestExploreIsBruteForce(t *testing.T) {
	t.Parallel()
	ways := 0
	for _, w := range worlds {
		s := world(t, w.name, w.text)
		want, orders := brute(t, s, ordersMax)
		least := held(t, s, want, orders, w.special)
		ways = max(ways, len(want.audits))
		leastFails(t, s, least)
	}
	if ways < 6 {
		t.Errorf("there are at most %d ends of a world", ways)
	}
}

// ordersMax bounds the orders of a world.
const ordersMax = 300

var randomWorlds = flag.Int("worlds", 2, "explore so many random worlds")

// TestExploreRandomWorlds: of worlds that are drawn, those with few orders. Run with -args
// -worlds N for more.
func TestExploreRandomWorlds(t *testing.T) {
	t.Parallel()
	const least, most = 6, 60
	made := 0
	for seed := uint64(0); made < *randomWorlds; seed++ {
		s := world(t, fmt.Sprint("seed ", seed), randomWorld(rand.New(rand.NewPCG(seed, 1))))
		want, orders := brute(t, s, most)
		if orders >= least && orders < most {
			held(t, s, want, orders, true) // two may ask one counter the same
			made++
		}
	}
}

// randomWorld draws vats that ask, count and play, and a few messages.
func randomWorld(rng *rand.Rand) string {
	text := `
vats:
  - {name: c, program: counter, count: 2}
  - {name: clerk, program: clerk, count: 2}
  - {name: p, program: pingpong, count: 2}
setup: [{to: p, method: peer, args: [{ref: p.$i+1}]}]
workload:
`
	for n := range 2 + rng.IntN(2) {
		to, with := rng.IntN(2), rng.IntN(2)
		text += []string{
			fmt.Sprintf("  - {to: c.%d, method: incr, args: [%d], messages: 1}\n", to, 1+n),
			fmt.Sprintf("  - {to: clerk.%d, method: ask, args: [{ref: c.%d}, n%d], messages: 1}\n", to, with, n),
			fmt.Sprintf("  - {to: clerk.%d, method: tell, args: [{ref: c.%d}, n%d, {ref: c.%d}], messages: 1}\n",
				to, with, n, 1-with),
			fmt.Sprintf("  - {to: p.%d, method: volley, args: [%d], messages: 1}\n", to, 2*n+with),
			fmt.Sprintf("  - {to: p.%d, method: ping, args: [%d], messages: 1}\n", to, with),
		}[rng.IntN(5)]
	}
	return text + `audit:
  ask: [{to: c, method: read, answers: [count]}]
  assert: [{ask: clerk.0, method: read, equals: []}, {ask: clerk.1, method: read, equals: []}]`
}

// leastFails sees, of each end that a scenario can have, that an exploration which must not
// end so names an order with the fewest deviations, and that it is repeated.
func leastFails(t *testing.T, s *Scenario, least map[string]int) {
	t.Helper()
	for end, deviations := range least {
		o := ExploreOptions{Deviations: -1, Holds: func(o *OrderRun) bool {
			return newEnds().add(t, o.Histories, o.Audit) != end
		}}
		found, err := s.Explore(t.Context(), o)
		if err != nil || found.Failed == nil || !found.Least || len(found.Failed.Deviations) != deviations {
			t.Errorf("%s: %+v, %v; want %d deviations to %s", s.Name, found, err, deviations, end)
			continue
		}
		again, err := s.RunOrder(t.Context(), found.Failed.Order)
		if err != nil || !reflect.DeepEqual(&again, found.Failed) {
			t.Errorf("%s: again %+v, %v, want %+v", s.Name, again, err, found.Failed)
		}
	}
}

// TestExploreStops: an exploration that is interrupted says so, and what was run; one of a
// scenario in which a vat never comes to rest names the order; one without an audit is
// refused, as is an order that there is not.
func TestExploreStops(t *testing.T) {
	t.Parallel()
	s := world(t, "counters", worlds[0].text)
	ctx, cancel := context.WithCancel(t.Context())
	out, err := s.Explore(ctx, ExploreOptions{Deviations: -1, Every: true, Holds: func(o *OrderRun) bool {
		if len(o.Deviations) > 0 {
			cancel()
		}
		return true
	}})
	if !errors.Is(err, context.Canceled) || out.Orders != 2 || out.All || out.Failed != nil {
		t.Errorf("interrupted: %+v, %v", out, err)
	}
	const critical = `
vats:
  - {name: p, program: puppet, options: [critical]}
workload: [{to: p, method: do, args: [[trap]], messages: 1}]
audit: {ask: [{to: p, method: report, answers: [missed]}]}`
	_, err = world(t, "critical", critical).Explore(t.Context(), ExploreOptions{Deviations: -1})
	if !errors.As(err, new(*kernel.CriticalError)) || !strings.Contains(err.Error(), "in the order []: ") {
		t.Errorf("a critical vat: %v", err)
	}
	bare := world(t, "bare", "\nvats: [{name: c, program: counter}]")
	_, err = bare.Explore(t.Context(), ExploreOptions{})
	_, orderErr := bare.RunOrder(t.Context(), nil)
	if !errors.Is(err, ErrNoAudit) || !errors.Is(orderErr, ErrNoAudit) {
		t.Errorf("without an audit: %v, %v", err, orderErr)
	}
	for _, c := range []struct {
		order []int
		want  OrderError
	}{{[]int{3}, OrderError{0, 3, 3}}, {[]int{2, 1, 0}, OrderError{Choice: 2}}} {
		var fault *OrderError
		if _, err := s.RunOrder(t.Context(), c.order); !errors.As(err, &fault) || *fault != c.want {
			t.Errorf("%v: %v, want %v", c.order, err, &c.want)
		}
	}
}
