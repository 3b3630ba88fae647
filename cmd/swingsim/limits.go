package main

import (
	"context"
	"fmt"

	"vatwarehouse/host"
)

// limitList is what vats --limits prints.
type limitList struct {
	Limits []limitLine `json:"limits"`
	Vats   []vatUsage  `json:"vats"`
	More   int         `json:"more"`
}

// limitLine is one limit.
type limitLine struct {
	What   string `json:"what"`
	Limit  uint64 `json:"limit"`
	Unit   string `json:"unit"`
	Beyond string `json:"beyond"` // what comes of it
}

// vatUsage is what a vat that lives has used of the limits.
type vatUsage struct {
	Vat     string  `json:"vat"`
	Name    string  `json:"name"`
	Memory  *uint64 `json:"memory_bytes"` // null: it cannot be paged in
	Why     string  `json:"memory_unknown,omitempty"`
	Store   uint64  `json:"vatstore_bytes"`
	Running uint64  `json:"run_queue"` // events that it has caused there
	Waiting uint64  `json:"waiting"`   // all events that it has caused
	// Of its latest delivery; null: there is none that is kept.
	Syscalls     *int    `json:"syscalls"`
	SyscallBytes *int    `json:"syscall_bytes"`
	Fuel         *uint64 `json:"fuel"`
}

// limits lists the limits and what is used of them.
func (a *app) limits(ctx context.Context, most int) error {
	if err := checkLimit(most); err != nil {
		return err
	}
	list := limitList{Limits: []limitLine{}, Vats: []vatUsage{}}
	var o host.Options
	err := a.with(ctx, &host.Options{}, func(h *host.Host) error {
		o = h.Options()
		vats, err := h.Vats()
		living := 0
		for _, v := range vats {
			if err != nil || !v.Alive {
				continue
			}
			if living++; living > most {
				continue
			}
			var u host.Usage
			if u, err = h.Usage(ctx, v.ID); err == nil {
				list.Vats = append(list.Vats, usageOf(v, u))
			}
		}
		list.More = max(0, living-most)
		list.fill(&o, living)
		return err
	})
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(list)
	}
	a.printLimits(&list, &o)
	return nil
}

func usageOf(v host.Vat, u host.Usage) vatUsage {
	line := vatUsage{
		Vat: string(v.ID), Name: v.Name, Store: u.StoreBytes, Running: u.Running,
		Waiting: u.Waiting,
	}
	if u.MemoryUnknown == nil {
		line.Memory = &u.MemoryBytes
	} else {
		line.Why = u.MemoryUnknown.Error()
	}
	if d := u.Latest; d != nil {
		line.Syscalls, line.SyscallBytes, line.Fuel = &d.Syscalls, &d.SyscallBytes, &d.Fuel
	}
	return line
}

// fill lists the limits, those of a vat first, then those of a delivery.
func (l *limitList) fill(o *host.Options, living int) {
	const illegal = "illegal syscall: the delivery is undone, and the vat ends"
	add := func(what string, limit uint64, unit, beyond string) {
		l.Limits = append(l.Limits, limitLine{what, limit, unit, beyond})
	}
	n := &o.Limits
	add("vats that live", uint64(n.Vats), fmt.Sprintf("vats, %s now", grouped(living)),
		"another is refused")
	add("memory of a vat", uint64(n.MemoryBytes), "bytes",
		"memory.grow fails; out of memory, if it traps then")
	add("vatstore of a vat", uint64(n.StoreBytes), "bytes", illegal)
	add("share of the run-queue", o.QueueShare, "events", "they wait in the vat's outbox")
	add("events waiting of a vat", o.QueueMax, "events", "send answers that there is no room")
	add("fuel", uint64(n.Fuel), "units a delivery", "out of fuel: as with a trap")
	add("calls within calls", uint64(n.Depth), "frames", "too deep: as with a trap")
	add("syscalls", uint64(n.Syscalls), "a delivery", illegal)
	add("bytes of syscalls", uint64(n.SyscallBytes), "bytes a delivery", illegal)
	add("body of a message", uint64(n.BodyBytes), "bytes", illegal)
	add("slots of a message", uint64(n.Slots), "slots", illegal)
	add("name of a method", uint64(n.MethodBytes), "bytes", illegal)
	add("promises resolved at once", uint64(n.Resolutions), "promises", illegal)
	add("key of a vatstore", uint64(n.KeyBytes), "bytes", illegal)
	add("value in a vatstore", uint64(n.ValueBytes), "bytes", illegal)
	add("log", uint64(n.LogBytes), "bytes a delivery", "the rest is cut off")
}

// printLimits prints them for people.
func (a *app) printLimits(l *limitList, o *host.Options) {
	var rows [][]string
	for _, one := range l.Limits {
		limit := grouped(one.Limit)
		if one.Limit >= host.Never {
			limit = "none"
		}
		rows = append(rows, []string{one.What, limit, one.Unit, one.Beyond})
	}
	a.grid([]string{"limit", ">of", "what", "beyond it"}, rows)
	fmt.Fprintln(a.out)
	rows = nil
	for _, v := range l.Vats {
		n := &o.Limits
		rows = append(rows, []string{
			v.Vat, v.Name, used(v.Memory, n.MemoryBytes), used(&v.Store, n.StoreBytes),
			used(&v.Running, o.QueueShare), used(&v.Waiting, o.QueueMax), used(v.Fuel, n.Fuel),
			used(v.Syscalls, n.Syscalls), used(v.SyscallBytes, n.SyscallBytes),
		})
	}
	a.grid([]string{
		"vat", "name", ">memory", ">vatstore", ">run-queue", ">waiting", ">fuel", ">syscalls",
		">their bytes",
	}, rows)
	a.printMore(l.More, "vat", "vats")
}

// used says how much of a limit is used.
func used[U, L ~int | ~uint64](n *U, limit L) string {
	if n == nil {
		return "-"
	}
	share := "-"
	if limit > 0 {
		share = fmt.Sprintf("%.1f %%", 100*float64(*n)/float64(limit))
	}
	return grouped(*n) + "  " + share
}
