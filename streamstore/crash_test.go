package streamstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// crashPlan says what a crash test does and how much of it.
type crashPlan struct {
	seed   uint64
	steps  int
	noSync bool
	draws  uint64 // states drawn per crash with a part of the unsynced kept
	nested bool   // crash during the recovery too
	wrap   func(vfs.FS) vfs.FS
}

// states calls visit with what a crash of m may leave.
func (p crashPlan) states(m *vfs.Mem, visit func(after *vfs.Mem, how string) error) error {
	for draw := range p.draws + 2 {
		keep, seed := 100*int(draw), uint64(0)
		if draw >= 2 {
			keep, seed = 10+int(draw*37)%80, draw
		}
		if err := visit(m.Crash(seed, keep), fmt.Sprintf("draw %d, keep %d %%", seed, keep)); err != nil {
			return err
		}
	}
	return nil
}

// options are those of a script; what wrap plants lies between log and disk.
func (p crashPlan) options(f vfs.FS) streamstore.Options {
	if p.wrap != nil {
		f = p.wrap(f)
	}
	o := scriptOptions(f)
	o.NoSync = p.noSync
	return o
}

// everywhere crashes after every file operation of the script, opens what may be
// left and compares it with the twin. It returns the number of states tried.
func (p crashPlan) everywhere() (states int, err error) {
	for k := 1; ; k++ {
		m := vfs.NewMem()
		f := vfs.NewFaulty(m)
		f.Arm(vfs.Fault{At: k, Crash: true})
		c := newScript(p.seed, p.options(f))
		if err := c.run(p.steps); err != nil {
			return states, fmt.Errorf("seed %d, before the crash: %w", p.seed, err)
		}
		err := p.states(m, func(after *vfs.Mem, how string) error {
			states++
			err := p.recovers(c.w, after)
			if err != nil {
				err = fmt.Errorf("seed %d, crash at %s, %s: %w", p.seed, f.Fired(), how, err)
			}
			return err
		})
		if err != nil || f.Fired() == "" {
			return states, err
		}
	}
}

// recovers opens the log after a crash; goes on with it; and, nested, crashes
// after every operation of that and opens it again.
func (p crashPlan) recovers(w *twin, after *vfs.Mem) error {
	if p.nested {
		for k := 1; ; k++ {
			m := after.Crash(0, 100)
			f := vfs.NewFaulty(m)
			f.Arm(vfs.Fault{At: k, Crash: true})
			s, _, err := streamstore.Open(p.options(f))
			if err == nil {
				err = s.Close()
			}
			if f.Fired() == "" {
				break
			}
			if !errors.Is(err, vfs.ErrCrashed) {
				return fmt.Errorf("recovery, at %s: %w", f.Fired(), err)
			}
			err = p.states(m, func(again *vfs.Mem, how string) error {
				_, _, err := w.survive(p.options(again))
				return err
			})
			if err != nil {
				return fmt.Errorf("crash in recovery, at %s: %w", f.Fired(), err)
			}
		}
	}
	s, block, err := w.survive(p.options(after))
	if err != nil {
		return err
	}
	return p.goesOn(s, w, block, after)
}

// goesOn commits two blocks after a recovery, with a new opening after each.
func (p crashPlan) goesOn(s *streamstore.Store, w *twin, block uint64, m *vfs.Mem) error {
	items := map[string]uint64{"after": 0}
	if _, end, ok := s.Bounds("after"); ok {
		items["after"] = end
	}
	for i := range uint64(2) {
		s.Append("after", items["after"]+i, []byte(strings.Repeat("x", 700)))
		if got, err := s.Commit(); err != nil || got != block+1+i {
			return fmt.Errorf("going on: block %d, %w", got, err)
		}
		if i == 0 {
			if err := s.Close(); err != nil {
				return fmt.Errorf("going on: %w", err)
			}
		}
		var rec streamstore.Recovery
		var err error
		s, rec, err = streamstore.Open(p.options(m))
		if err != nil || rec.Block != block+1+i || rec.CutFile != "" {
			return fmt.Errorf("going on: recovery %+v, %w", rec, err)
		}
	}
	return nil
}

// TestCrashAfterEveryOperation: whatever a crash keeps, the log opens with the
// state after some whole block, not before the last acknowledged one.
func TestCrashAfterEveryOperation(t *testing.T) {
	t.Parallel()
	plan := crashPlan{steps: 150, draws: 6}
	runPlans(t, plan, 12)
}

// TestCrashWithoutSync: with NoSync a crash loses any number of blocks at the
// end, but what is found is still a whole block's state.
func TestCrashWithoutSync(t *testing.T) {
	t.Parallel()
	plan := crashPlan{steps: 150, draws: 8, noSync: true}
	runPlans(t, plan, 12)
}

// TestCrashInRecovery: a crash after every operation of the opening that follows
// a crash.
func TestCrashInRecovery(t *testing.T) {
	t.Parallel()
	plan := crashPlan{steps: 60, draws: 1, nested: true}
	runPlans(t, plan, 3)
}

func runPlans(t *testing.T, plan crashPlan, seeds uint64) {
	total := 0
	for plan.seed = range scaled(seeds) {
		n, err := plan.everywhere()
		total += n
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d states", total)
}
