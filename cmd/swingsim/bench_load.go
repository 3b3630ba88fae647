package main

import (
	"context"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/bench"
)

// loadFlags are those of bench that have it measure a trace's load.
type loadFlags struct {
	trace   string
	maxVats int
}

func (l *loadFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&l.trace, "trace", "", "measure the load of the trace `FILE`: see policy")
	c.Flags().IntVar(&l.maxVats, "max-vats", 0, "with --trace: `N` vats in memory (default 50)")
}

// load returns the case that measures the trace's load.
func (l *loadFlags) load(args []string) ([]bench.Case, error) {
	switch {
	case l.trace == "":
		return nil, usagef("--max-vats is for --trace, which is not given")
	case len(args) > 0:
		return nil, usagef("--trace measures the load of a trace: name no case")
	case l.maxVats < 0:
		return nil, usagef("--max-vats %d: want a number from 1", l.maxVats)
	}
	t, err := readTrace(l.trace)
	if err != nil {
		return nil, err
	}
	return []bench.Case{{
		Name: "load", About: plain(t.About) + ", as load",
		Run: func(ctx context.Context, r *bench.Run) error {
			return bench.Load(ctx, r, t, l.maxVats)
		},
	}}, nil
}
