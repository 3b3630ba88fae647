package host

import (
	"context"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// Repaired is a snapshot record that Repair dropped.
type Repaired struct {
	Snapshot Snapshot
	Why      string
}

// Repair drops the records of snapshots that name heaps that are gone or damaged, or
// that don't fit their vat's transcript, and returns them: what Check calls repairable,
// and records of vats that there are not. What a record was of is lost already: without
// it the vat is no worse off, and nobody tries it again.
func (h *Host) Repair(ctx context.Context) ([]Repaired, error) {
	return read(h, func() (list []Repaired, err error) {
		if err := h.settle(ctx); err != nil {
			return nil, err
		}
		look := check{h: h, tell: func(Fault) {}}
		chains := map[swing.VatID]chainHashes{}
		for key, value := range h.kv.Scan(snapshotPrefix) {
			s := decodeSnapshot(key, value)
			if _, known := chains[s.Vat]; !known {
				chains[s.Vat] = look.chain(s.Vat)
			}
			why, err := h.amiss(s, chains[s.Vat])
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return nil, fmt.Errorf("repair: %w", err)
			}
			if why != "" {
				list = append(list, Repaired{s, why})
			}
		}
		for _, r := range list {
			h.kv.Delete(snapshotKey(r.Snapshot.Vat, r.Snapshot.Position))
		}
		return list, h.commit(ctx)
	})
}

// chainHashes are those of a vat's transcript at the positions of its snapshots. They
// are nil if the transcript is not whole: then it is no measure of them.
type chainHashes map[uint64]swing.Hash

// chain returns the hashes of a vat, if there is one of that id.
func (c *check) chain(vat swing.VatID) chainHashes {
	v, err := c.h.vatState(vat)
	if err != nil {
		return nil
	}
	return c.transcript(v, v.Span)
}

// amiss says what is wrong with a snapshot's record, or "". The error is of the world.
func (h *Host) amiss(s Snapshot, chain chainHashes) (why string, err error) {
	vk := vatkeeper.New(s.Vat, h.kv)
	if _, ok := vk.Options(); !ok {
		return "there is no such vat", nil
	}
	span := vk.Span()
	if s.Position > span.End {
		return fmt.Sprintf("the transcript ends at %d", span.End), nil
	}
	current := s.Incarnation == span.Incarnation
	if at := chain[s.Position]; current && chain != nil && at != s.Transcript {
		return fmt.Sprintf("it is of transcript %s, the vat's is %s there",
			s.Transcript.Short(), at.Short()), nil
	}
	if err := h.heaps.VerifyHeap(s.ID); spoilt(err) {
		return err.Error(), nil
	} else if err != nil {
		return "", err
	}
	return "", nil
}
