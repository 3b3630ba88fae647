package bench

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"vatwarehouse/swing"
)

// growthRounds is how often each size is measured.
const growthRounds = 3

// growth measures something at three sizes, each four times the one before, and emits
// what it takes for each of its n parts. The floor is what it takes at the least size,
// so that the ratio is how much more it takes for each when there are more.
func growth(
	r *Run, name, parts string, most int, measure func(n int) (time.Duration, error),
) error {
	var floor sample
	one := parts[:len(parts)-1]
	for _, n := range []int{r.times(most / 16), r.times(most / 4), r.times(most)} {
		variant := fmt.Sprintf("%d %s", n, parts)
		r.say("%s: %s", name, variant)
		var s sample
		for range growthRounds {
			d, err := measure(n)
			if err != nil {
				return err
			}
			s = append(s, microseconds(d)/float64(n))
		}
		if floor == nil {
			floor = s
		}
		r.Emit(result(name, variant, "µs per "+one, s, floor, false))
	}
	return nil
}

// partMax is how many references one syscall, or message, has.
const partMax = 1000

// parts cuts references into pieces that one syscall, or message, can have.
func parts[R swing.Ref](refs []R) iter.Seq[[]R] { return slices.Chunk(refs, partMax) }

// sendTo is a message from an actor.
func sendTo(target vref, method string, slots ...vref) syscall {
	m := swing.Message[vref]{Method: method}
	m.Args.Slots = slots
	return syscall{Op: swing.OpSend, Target: target, Message: m}
}

// forwardTo fulfils a promise with a reference.
func forwardTo(promise, ref vref) syscall {
	return syscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[vref]{
		{Promise: promise, Data: swing.ReferenceTo(ref)},
	}}
}

// exported names an actor's own object or promise.
func exported(kind swing.RefKind, n int) vref {
	return vref(fmt.Sprintf("%c+%d", kind, n))
}
