package sim

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// thing is what a scenario makes beside vats: a device, or a meter. Arguments refer to it
// by name, as they do to a vat.
type thing struct {
	name                 string
	meter, unlimited     bool
	remaining, threshold uint64
}

// thingsMax bounds devices and meters.
const thingsMax = 1_000

// thingSlot stands for the k-th thing where the number of a vat may stand.
func thingSlot(k int) int { return -1 - k }

// clock is how the block time goes.
type clock struct{ start, step uint64 }

// firstTime is the block time of a new directory: the year 2000, in nanoseconds.
const firstTime = 946_684_800_000_000_000

// at returns the time of the k-th step. It stands still at the last there is.
func (t clock) at(k uint64) uint64 {
	if t.step > 0 && k > (math.MaxUint64-t.start)/t.step {
		return math.MaxUint64
	}
	return t.start + k*t.step
}

// devices reads which devices there are.
func (c *compiler) devices(n ast.Node) {
	known := slices.Sorted(maps.Keys(devices.All()))
	for _, item := range c.r.list(n, "names of devices") {
		name := c.r.text(item, "the name of a device")
		if c.r.err == nil && !slices.Contains(known, name) {
			c.r.fault(item, "there is no device %q: there are %s", name, strings.Join(known, ", "))
		}
		c.thing(item, thing{name: name})
	}
}

// meters reads what vats can be metered by.
func (c *compiler) meters(n ast.Node) {
	for _, item := range c.r.list(n, "meters") {
		f := c.r.mapping(item, "a meter", "name!", "remaining", "threshold")
		if c.r.err != nil {
			return
		}
		t := thing{name: c.r.text(f.known["name"], "a name"), meter: true}
		if why := badName(t.name); c.r.err == nil && why != "" {
			c.r.fault(f.known["name"], "name %q: %s", t.name, why)
		}
		t.remaining = c.r.number(f.known["remaining"], "remaining", 0, math.MaxUint64, 0)
		t.threshold = c.r.number(f.known["threshold"], "threshold", 0, math.MaxUint64, 0)
		if t.unlimited = f.known["remaining"] == nil; t.unlimited && f.known["threshold"] != nil {
			c.r.fault(f.known["threshold"], "a meter without remaining is unlimited: no threshold")
		}
		c.thing(item, t)
	}
}

func (c *compiler) thing(n ast.Node, t thing) {
	if c.r.err != nil {
		return
	}
	if _, taken := c.things[t.name]; taken {
		c.r.fault(n, "there is a device or meter %q already", t.name)
	}
	if len(c.s.things) == thingsMax {
		c.r.fault(n, "more than %d devices and meters", thingsMax)
	}
	c.things[t.name] = len(c.s.things)
	c.s.things = append(c.s.things, t)
}

// time reads how the block time goes.
func (c *compiler) time(n ast.Node) {
	if n == nil {
		return
	}
	f := c.r.mapping(n, "time", "start", "step!")
	c.s.clock = clock{
		start: c.r.number(f.known["start"], "start", firstTime, math.MaxInt64, firstTime),
		step:  c.r.number(f.known["step"], "step", 1, math.MaxInt64, 1),
	}
}

// vatOptions reads what is different about the vats of a group.
func (c *compiler) vatOptions(f fields, g *group) {
	g.meter = -1
	if n := f.known["meter"]; n != nil {
		k, ok := c.things[c.r.text(n, "the name of a meter")]
		if c.r.err == nil && (!ok || !c.s.things[k].meter) {
			c.r.fault(n, "there is no such meter: name one of those under meters")
		}
		g.meter = k
	}
	for _, item := range c.r.list(f.known["options"], "options of vats") {
		switch option := c.r.text(item, "an option"); {
		case c.r.err != nil:
		case option == "pipelining":
			g.pipelining = true
		case option == "critical":
			g.critical = true
		case option == "quarantine":
			g.quarantine = true
		default:
			c.r.fault(item, "there is no option %q: there are pipelining, critical, quarantine",
				option)
		}
	}
}

// makeThings makes devices and meters, which are noted behind the roots of the vats.
func (r *run) makeThings(ctx context.Context) (refs []swing.KRef, err error) {
	for _, t := range r.s.things {
		var ref swing.KRef
		if t.meter {
			ref, err = r.h.CreateMeter(ctx, t.remaining, t.threshold, t.unlimited)
		} else {
			ref, err = r.h.AddDevice(ctx, t.name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// vatSpec is what the i-th vat is made of, but for its program and parameters.
func (r *run) vatSpec(vat member) host.VatSpec {
	g := vat.group
	s := host.VatSpec{
		Name: g.vatName(vat.index), Pipelining: g.pipelining, Critical: g.critical,
		Quarantine: g.quarantine,
	}
	if g.meter >= 0 {
		s.Meter = r.things[g.meter]
	}
	return s
}
