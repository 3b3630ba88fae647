package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"vatwarehouse/host"
)

// disk measures the bytes written for a delivery, checkpoints and archive
// included, and for a snapshot, against the records' own bytes.
func disk(ctx context.Context, r *Run) error {
	if err := deliveryBytes(ctx, r); err != nil {
		return err
	}
	for _, k := range []uint64{1, 16, 256} {
		r.say("disk: a snapshot of %s", pages(k))
		_, _, bytes, err := measureSnapshots(ctx, r, k, 20)
		if err != nil {
			return err
		}
		own := sample{1}
		variant := "snapshot of " + pages(k)
		r.Emit(result("disk", variant, "bytes per byte of compressed page", bytes, own, false))
	}
	return nil
}

const diskDeliveries = 200_000

func deliveryBytes(ctx context.Context, r *Run) error {
	r.say("disk: %d deliveries", diskDeliveries)
	g, root, err := newCounter(ctx, r, host.Options{BlockCranks: 2000, NoSync: true})
	if err != nil {
		return err
	}
	before, beforeErr := written()
	for range diskDeliveries / 10_000 {
		if _, _, err = g.burst(ctx, root, 10_000); err != nil {
			return errors.Join(err, g.close(ctx))
		}
	}
	stats, err := g.Stats()
	if err = errors.Join(err, g.close(ctx)); err != nil {
		return err
	}
	after, afterErr := written()
	if err := errors.Join(beforeErr, afterErr); err != nil {
		return err
	}
	own := sample{float64(stats.EntryBytes+stats.ChangeBytes) / diskDeliveries}
	all := sample{float64(after-before) / diskDeliveries}
	r.Emit(result("disk", "delivery", "bytes", all, own, false))
	return nil
}

// written returns how many bytes the process has written to files, whatever
// became of them.
func written() (uint64, error) {
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, fmt.Errorf("count written bytes: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		var n uint64
		if got, _ := fmt.Sscanf(line, "wchar: %d", &n); got == 1 {
			return n, nil
		}
	}
	return 0, errors.New("count written bytes: /proc/self/io does not tell")
}
