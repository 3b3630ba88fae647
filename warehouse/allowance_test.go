package warehouse

import (
	"testing"

	"vatwarehouse/swing"
)

// TestPutByStays: what is put by for a vat is not given back with a snapshot of an image from
// before the vat came back; and a vat that cannot be left without what it has done since is
// saved as it is then.
func TestPutByStays(t *testing.T) {
	t.Parallel()
	w, err := New(nil, nil, Options{Snapshots: Policy{Rule: ByCost}})
	if err != nil {
		t.Fatal(err)
	}
	const id = swing.VatID("v1")
	v := &vat{
		id: id, account: w.account(id), at: 9, saved: 3, snapshot: 3, paused: true,
		unsaved: work{6, 5000, 0},
	}
	w.vats.Add(id, v)
	w.due = []dueVat{{id: id, paused: 3}}
	v.account.shadow.putBy = 700
	before := w.allowance.left
	due, err := w.TakeDue(t.Context())
	if err != nil || len(due) != 1 || v.snapshot != 3 {
		t.Fatalf("%v fell due, the snapshot reaches to %d: %v", due, v.snapshot, err)
	}
	if s := &v.account.shadow; s.putBy != 700 || w.allowance.left != before-snapshotFuel {
		t.Errorf("%d is put by, %d was spent", s.putBy, before-w.allowance.left)
	}
	w.due = []dueVat{{id: id, paused: 3}}
	w.allowance.left = -1e9
	v.account.shadow.due = true
	if w.snapShadows(); len(w.due) != 1 || w.due[0].paused != 0 {
		t.Errorf("the vat is left as it was saved: %+v", w.due)
	}
}
