package model

import "slices"

// shrinkTries bounds how often a failing run is played again, smaller.
const shrinkTries = 3000

// replay plays steps in the world of a seed, comparing everything after every
// step, and returns the failure and what happened.
func replay(seed uint64, steps []step, planted string) (f failure, played int, log []string) {
	r, w, _ := newRun(seed, 0)
	r.planted = planted
	x := newWorld(r, w)
	x.every, x.log = 1, &log
	played, _, f = x.play(steps)
	return f, played, log
}

// shrink drops steps, and syscalls of steps, while the run still fails the same way.
func shrink(seed uint64, steps []step, f failure, planted string) ([]step, failure, []string) {
	best := steps
	bestF, n, log := replay(seed, best, planted)
	if bestF.where == "" {
		return steps, f, []string{"not to be repeated when everything is compared after each step"}
	}
	best = best[:n]
	tries := 0
	try := func(smaller []step) bool {
		tries++
		got, n, l := replay(seed, smaller, planted)
		if tries > shrinkTries || got.where != bestF.where {
			return false
		}
		best, bestF, log = smaller[:n], got, l
		return true
	}
	for before := -1; before != len(best)+countCalls(best) && tries < shrinkTries; {
		before = len(best) + countCalls(best)
		dropSteps(&best, try)
		dropCalls(&best, try)
	}
	return best, bestF, log
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
