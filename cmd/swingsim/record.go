package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"vatwarehouse/host"
	"vatwarehouse/internal/trace"
)

// recordTrace has a host's Observer write a trace to a file. What it returns ends the trace.
func recordTrace(path, about string, o *host.Observer) (done func() error, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("record a trace: %w", err)
	}
	out := bufio.NewWriter(f)
	w := trace.NewWriter(out, trace.Head{About: about, Footprints: true})
	o.Work = func(one host.Work) { w.Add(string(one.Vat), eventOf(one)) }
	block := o.Block
	o.Block = func(b host.Block) {
		w.Add("", trace.Event{Kind: trace.Block})
		block(b)
	}
	return func() error {
		err := errors.Join(w.Close(), out.Flush(), f.Close())
		if err != nil {
			return fmt.Errorf("record a trace: %w", err)
		}
		return nil
	}, nil
}

func eventOf(w host.Work) trace.Event {
	switch {
	case w.Idle:
		return trace.Event{Kind: trace.Idle}
	case w.Discard:
		return trace.Event{Kind: trace.Discard}
	}
	return trace.Event{
		Kind: trace.Deliver, Position: w.Position, Delivery: w.Delivery, Time: w.Time,
		OK: w.OK, PagedIn: w.PagedIn, Fuel: w.Fuel, Syscalls: uint64(w.Syscalls),
		Bytes: w.Bytes, Devices: uint64(w.Devices), Waiting: w.Waiting,
		Nanoseconds: uint64(w.Took), Memory: w.Memory, Written: w.Written,
	}
}
