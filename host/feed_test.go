package host_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// TestExportAndFeedAreAnExport: at random points a directory that was imported in
// each mode is brought up to date by a feed, now and then closed and opened between;
// it then exports to the same bytes as the one that it follows, and in the end goes
// on to the same end.
func TestExportAndFeedAreAnExport(t *testing.T) {
	t.Parallel()
	seeds := 3
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		for _, mode := range host.Modes() {
			t.Run(fmt.Sprint(seed, mode), func(t *testing.T) {
				t.Parallel()
				follow(t, mode, rand.New(rand.NewPCG(uint64(seed), 8)))
			})
		}
	}
}

func follow(t *testing.T, mode host.Mode, rng *rand.Rand) {
	leader := newRuns(t, vfs.NewMem(), stepOptions())
	over := leader.step(t, 1+rng.IntN(10))
	b, done := export(t, leader.h, mode)
	base := done.Base
	o := stepOptions()
	o.CheckpointBytes = 1 << rng.IntN(16)
	f := &runs{s: leader.s, files: vfs.NewMem(), o: o}
	if rng.IntN(2) == 0 {
		f.files, _ = vfs.Open(t.TempDir())
	}
	importInto(t, b, f.files, o)
	f.open(t)
	feeds := 0
	defer func() { t.Logf("%d feeds", feeds) }()
	for ; !over || feeds < 3; feeds++ {
		over = over || leader.step(t, 1+rng.IntN(6))
		var feed bytes.Buffer
		fed, err := leader.h.Feed(ctx, base, &feed)
		if err != nil {
			t.Fatal(err)
		}
		text := feed.Bytes()
		got, err := f.h.Apply(ctx, bytes.NewReader(text), swing.Hash{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Root != fed.Root || got.Entries != fed.Entries || got.Outputs != fed.Outputs ||
			got.Rows != fed.Rows || got.Programs != fed.Programs || got.Snapshots != fed.Snapshots {
			t.Fatalf("applied %+v, fed %+v", got, fed)
		}
		if base = fed.Base; rng.IntN(2) == 0 {
			if base, err = host.ReadBase(bytes.NewReader(text)); err != nil {
				t.Fatal(err)
			}
		}
		if rng.IntN(2) == 0 {
			closeHost(t, f.h)
			f.open(t)
		}
		want, _ := export(t, leader.h, mode)
		have, _ := export(t, f.h, mode)
		if !bytes.Equal(want, have) {
			t.Fatalf("feed %d to block %d: the export differs", feeds, fed.Block)
		}
		check(t, f.h)
		if _, err := f.h.Apply(ctx, bytes.NewReader(text), swing.Hash{}); fed.Rows > 0 &&
			(err == nil || !strings.Contains(err.Error(), "goes on from block")) {
			t.Fatalf("applied twice: %v", err)
		}
	}
	for !f.step(t, 1+rng.IntN(50)) {
	}
	if a, b := tail(t, leader.h, f.h), tail(t, f.h, f.h); a != b {
		t.Fatalf("it went on to\n%.300s\nnot\n%.300s", b, a)
	}
	check(t, f.h)
	closeHost(t, f.h)
}
