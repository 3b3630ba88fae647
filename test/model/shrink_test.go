package model

import "slices"

// Bounds on the search for a short run that fails: how many fresh short runs are
// looked at, of how many steps, and how many steps are played to find a smaller one.
const (
	shortRuns   = 400
	shortSteps  = 150
	shrinkSteps = 400_000
)

// replay plays steps in the world of a seed, comparing everything after every
// step, and returns the failure and what happened.
func replay(
	seed uint64, steps []step, planted string, recount bool,
) (f failure, n int, log []string) {
	r, w, _ := newRun(seed, 0)
	r.planted = planted
	x := newWorld(r, w)
	x.every, x.log, x.recount = 1, &log, recount
	n, _, f = x.play(steps)
	return f, n, log
}

// shrunk is a short run that fails, and what happens in it.
type shrunk struct {
	seed  uint64
	steps []step
	f     failure
	log   []string
}

// shrink looks for a run that fails the same way and is short to begin with, and
// drops steps, and syscalls of steps, while it still does.
func shrink(seed uint64, steps []step, f failure, planted string) shrunk {
	recount := f.where == "recount"
	best := shrunk{seed: seed, f: f, steps: steps}
	got, n, log := replay(seed, steps, planted, recount)
	if got.where == "" {
		best.log = []string{"passes when everything is compared after each step"}
		return best
	}
	best = shrunk{seed, steps[:n], got, log}
	for s := uint64(1); s <= shortRuns; s++ {
		_, _, steps := newRun(seed+1000*s, shortSteps)
		f, n, log := replay(seed+1000*s, steps, planted, recount)
		if f.where == best.f.where && n < len(best.steps) {
			best = shrunk{seed + 1000*s, steps[:n], f, log}
		}
	}
	left := shrinkSteps
	try := func(smaller []step) bool {
		if left -= len(smaller); left < 0 {
			return false
		}
		f, n, log := replay(best.seed, smaller, planted, recount)
		if f.where != best.f.where {
			return false
		}
		best = shrunk{best.seed, smaller[:n], f, log}
		return true
	}
	for before := -1; before != len(best.steps)+countCalls(best.steps) && left > 0; {
		before = len(best.steps) + countCalls(best.steps)
		dropSteps(&best.steps, try)
		dropCalls(&best.steps, try)
	}
	return best
}

func countCalls(steps []step) (n int) {
	for _, s := range steps {
		n += len(s.calls)
	}
	return n
}

// dropSteps tries without halves, quarters, and so on down to single steps.
func dropSteps(best *[]step, try func([]step) bool) {
	for size := len(*best) / 2; size > 0; size /= 2 {
		for end := len(*best); end > 0; end -= size {
			end = min(end, len(*best))
			start := max(0, end-size)
			try(slices.Concat((*best)[:start], (*best)[end:]))
		}
	}
}

// dropCalls tries each step without its syscalls, then without each of them.
func dropCalls(best *[]step, try func([]step) bool) {
	for i := len(*best) - 1; i >= 0; i-- {
		if i >= len(*best) || len((*best)[i].calls) == 0 {
			continue
		}
		with := func(calls []uint64) []step {
			smaller := slices.Clone(*best)
			smaller[i].calls = calls
			return smaller
		}
		if try(with(nil)) {
			continue
		}
		for j := len((*best)[i].calls) - 1; i < len(*best) && j >= 0; j-- {
			if j < len((*best)[i].calls) {
				try(with(slices.Delete(slices.Clone((*best)[i].calls), j, j+1)))
			}
		}
	}
}
