package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/test/trial"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// runs is a scenario that is run in steps of a few blocks.
type runs struct {
	s     *sim.Scenario
	files vfs.FS
	o     host.Options
	h     *host.Host
	// onBlock is called for every block.
	onBlock func()
}

// stepOptions make short blocks and many snapshots.
func stepOptions() host.Options {
	return host.Options{
		BlockCranks: 10, MaxVats: 3, Inline: true, KeepBlocks: 1 << 20,
		Snapshots: warehouse.Policy{Initial: 2, Interval: 7}, CheckpointBytes: 8 << 10,
		SegmentBytes: 16 << 10,
	}
}

func newRuns(t *testing.T, files vfs.FS, o host.Options) *runs {
	t.Helper()
	r := &runs{s: trial.Parse(t, trial.Mixed), files: files, o: o}
	r.open(t)
	t.Cleanup(func() { closeHost(t, r.h) })
	return r
}

func (r *runs) open(t *testing.T) {
	t.Helper()
	o := r.o
	o.FS, o.Seed = r.files, r.s.Seed
	o.Observer.Block = func(host.Block) {
		if r.onBlock != nil {
			r.onBlock()
		}
	}
	var err error
	if r.h, err = host.Open(ctx, "", &o); err != nil {
		t.Fatal(err)
	}
}

// step runs some blocks, and reports whether the scenario is over.
func (r *runs) step(t *testing.T, blocks int) (over bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.onBlock = func() {
		if blocks--; blocks == 0 {
			cancel()
		}
	}
	_, err := sim.Run(ctx, r.h, r.s, sim.RunOptions{})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return err == nil
}

func export(t *testing.T, h *host.Host, mode host.Mode) ([]byte, host.Exported) {
	t.Helper()
	var b bytes.Buffer
	done, err := h.Export(ctx, mode, &b)
	if err != nil {
		t.Fatal(err)
	}
	if done.Bytes != uint64(b.Len()) {
		t.Fatalf("%d bytes, counted %d", b.Len(), done.Bytes)
	}
	return b.Bytes(), done
}

func importInto(t *testing.T, b []byte, files vfs.FS, o host.Options) host.Imported {
	t.Helper()
	o.FS = files
	done, err := host.Import(ctx, bytes.NewReader(b), "", &host.ImportOptions{Host: o})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// tail is a Host's trace from what another one keeps on.
func tail(t *testing.T, h, keeps *host.Host) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintln(&text, activityhash(t, h))
	vats, err := h.Vats()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vats {
		fmt.Fprintln(&text, v.ID, v.Name, v.Alive, v.End, v.Span)
		from := v.Span.End
		for from > 0 { // the first position that the other keeps
			if _, err := keeps.Transcript(v.ID, from-1, from); errors.Is(err, host.ErrPruned) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			from--
		}
		entries, err := h.Transcript(v.ID, from, v.Span.End)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			fmt.Fprintf(&text, "%s@%d %x\n", v.ID, e.Position, e.Append(nil))
		}
	}
	outputs, err := h.Outputs(0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&text, "%+v", outputs)
	return text.String()
}

// TestImportGoesOn: a scenario is exported at random points in every mode; what is
// imported exports to the same bytes, checks without a fault, and goes on to the
// same end as a run that never stopped.
func TestImportGoesOn(t *testing.T) {
	t.Parallel()
	seeds := 6
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(uint64(seed), 7))
			want := newRuns(t, vfs.NewMem(), stepOptions())
			for !want.step(t, 100) {
			}
			r := newRuns(t, vfs.NewMem(), stepOptions())
			points := 0
			defer func() { t.Logf("%d points", points) }()
			for over := false; !over; points++ {
				over = r.step(t, 1+rng.IntN(12))
				mode := host.Modes()[rng.IntN(4)]
				b, done := export(t, r.h, mode)
				o := stepOptions()
				o.MaxVats, o.BlockCranks = 1+rng.IntN(5), 1+rng.IntN(20)
				c := &runs{s: r.s, files: vfs.NewMem(), o: o}
				if rng.IntN(2) == 0 {
					c.files, _ = vfs.Open(t.TempDir())
				}
				in := importInto(t, b, c.files, o)
				if in.Root != done.Root || in.Entries != done.Entries || in.Snapshots != done.Snapshots ||
					in.Outputs != done.Outputs || in.Rows != done.Rows || in.Vats != done.Vats {
					t.Fatalf("imported %+v, exported %+v", in, done)
				}
				c.open(t)
				again, other := export(t, c.h, mode)
				if other.Root != done.Root || !bytes.Equal(again, b) {
					t.Fatalf("%s at block %d: the import exports to %+v, not %+v", mode, done.Block, other, done)
				}
				check(t, c.h)
				for !c.step(t, 1+rng.IntN(50)) {
				}
				if rng.IntN(2) == 0 { // the table and the log of an import open again
					closeHost(t, c.h)
					c.open(t)
				}
				if a, b := tail(t, want.h, c.h), tail(t, c.h, c.h); a != b {
					t.Fatalf("%s at block %d: it went on to\n%.300s\nnot\n%.300s", mode, done.Block, b, a)
				}
				check(t, c.h)
				closeHost(t, c.h)
			}
		})
	}
}
