package streamstore_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// faultPlan fails one file operation of a script after the other.
type faultPlan struct {
	seed  uint64
	steps int
	fault vfs.Fault
}

func (p faultPlan) everywhere() (points int, err error) {
	for k := 1; ; k++ {
		m := vfs.NewMem()
		f := vfs.NewFaulty(m)
		p.fault.At = k
		f.Arm(p.fault)
		c := newScript(p.seed, scriptOptions(f))
		wrong := c.run(p.steps)
		fired := f.Fired()
		if wrong == nil && c.fails != nil {
			wrong = p.afterFailure(c, f)
		}
		if p.fault.Reads && errors.Is(wrong, p.fault.Err) {
			wrong = nil // the script's own check met it
		}
		if wrong == nil {
			if _, _, err := c.w.survive(scriptOptions(m)); err != nil {
				wrong = fmt.Errorf("opened again: %w", err)
			}
		}
		if wrong != nil {
			return points, fmt.Errorf("seed %d, fault %+v at %s: %w", p.seed, p.fault, fired, wrong)
		}
		if fired == "" {
			return points, nil
		}
		points++
	}
}

// afterFailure checks what a Store says and can do once something has failed.
func (p faultPlan) afterFailure(c *script, f *vfs.Faulty) error {
	if !errors.Is(c.fails, p.fault.Err) {
		return fmt.Errorf("failed with %w", c.fails)
	}
	if c.s == nil {
		return nil // it was Open that failed
	}
	f.Arm(vfs.Fault{}) // the disk is well again; the log must not believe it
	c.fails = nil
	if err := c.commit(); err != nil {
		return err
	}
	switch {
	case errors.Is(c.fails, streamstore.ErrClosed): // it was Close that failed
		return nil
	case errors.Is(c.fails, streamstore.ErrBroken):
		return p.broken(c)
	case c.fails != nil:
		return fmt.Errorf("commit afterwards: %w", c.fails)
	}
	// Archive failed, or a read did: the log goes on.
	if _, err := c.s.Archive(); !p.fault.Reads && !errors.Is(err, streamstore.ErrBroken) {
		return fmt.Errorf("archive afterwards: %w", err)
	}
	return c.w.check(c.s, c.w.acked)
}

// broken checks a log whose Commit has failed: it stays so, and what was
// committed can be read.
func (p faultPlan) broken(c *script) error {
	if !errors.Is(c.fails, p.fault.Err) {
		return fmt.Errorf("the first cause is gone: %w", c.fails)
	}
	c.s.Append("more", 0, []byte("ignored"))
	if _, err := c.s.Commit(); !errors.Is(err, streamstore.ErrBroken) {
		return fmt.Errorf("committed though broken: %w", err)
	}
	if _, err := c.s.Archive(); !errors.Is(err, streamstore.ErrBroken) {
		return fmt.Errorf("archived though broken: %w", err)
	}
	if err := c.w.check(c.s, c.w.acked); err != nil {
		return fmt.Errorf("reading though broken: %w", err)
	}
	if err := c.s.Close(); err != nil {
		return fmt.Errorf("closing though broken: %w", err)
	}
	return nil
}

// TestFailureOfEveryOperation: an I/O error at every operation that changes
// something, once and from then on. The failure sticks, nothing panics, what was
// committed stays readable, and opened again the log has a whole block's state.
func TestFailureOfEveryOperation(t *testing.T) {
	t.Parallel()
	runFaults(t, []vfs.Fault{
		{Err: syscall.EIO},
		{Err: syscall.EIO, Sticky: true},
		{Err: syscall.ENOSPC, Short: true},
		{Err: syscall.ENOSPC, Short: true, Sticky: true},
	}, 120)
}

// TestFailureOfEveryRead: an I/O error at every operation that only reads is
// reported, is not taken for damage, and harms nothing.
func TestFailureOfEveryRead(t *testing.T) {
	t.Parallel()
	runFaults(t, []vfs.Fault{
		{Err: syscall.EIO, Reads: true},
		{Err: syscall.EIO, Reads: true, Sticky: true},
	}, 60)
}

func runFaults(t *testing.T, faults []vfs.Fault, steps int) {
	total := 0
	for _, fault := range faults {
		for seed := range scaled(8) {
			n, err := faultPlan{seed, steps, fault}.everywhere()
			total += n
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d points", total)
}
