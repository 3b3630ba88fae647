package host_test

import (
	"strings"
	"testing"

	"vatwarehouse/host"
)

// TestRepairDropsWhatCheckCallsRepairable: of records that name no heap, another
// transcript, or a position that is not reached yet, and of none else.
func TestRepairDropsWhatCheckCallsRepairable(t *testing.T) {
	t.Parallel()
	for says, spoil := range map[string]func(s *host.Snapshot){
		"":                       func(*host.Snapshot) {},
		"not stored":             func(s *host.Snapshot) { s.ID[0] ^= 1 },
		"it is of transcript":    func(s *host.Snapshot) { s.Transcript[0] ^= 1 },
		"the transcript ends at": func(s *host.Snapshot) { s.Position += 1 << 20 },
	} {
		dir, root, v := snapped(t)
		h := reopen(t, dir, host.Options{})
		before := activityhash(t, h)
		bad := v.Snapshots[0]
		spoil(&bad)
		host.SetSnapshot(h, bad)
		var faults []host.Fault
		if _, err := h.Check(ctx, func(f host.Fault) { faults = append(faults, f) }); err != nil {
			t.Fatal(err)
		}
		list, err := h.Repair(ctx)
		if err != nil || len(list) != len(faults) || (len(list) == 0) != (says == "") {
			t.Fatalf("%q: %v, %+v dropped of faults %v", says, err, list, faults)
		}
		for i, f := range faults {
			if !f.Repairable || !strings.Contains(f.What, says) || list[i].Why != f.What ||
				list[i].Snapshot.Position != bad.Position {
				t.Errorf("%q: %+v, %+v", says, f, list[i])
			}
		}
		check(t, h)
		if activityhash(t, h) != before {
			t.Errorf("%q: repairing is observable", says)
		}
		if got := ask(t, h, root, "incr", 1); got != 41 {
			t.Errorf("%q: counted %d", says, got)
		}
		closeHost(t, h)
	}
}
