package warehouse

// Policy says when a heap snapshot is due. It is private: it changes what a
// page-in costs, and no outcome.
type Policy struct {
	// Initial is how many deliveries of an incarnation come before its first
	// snapshot; 0 means 2, Never means none is ever taken.
	Initial int
	// Interval is how many deliveries come between snapshots; 0 means 200.
	Interval int
}

// Never as a Policy's Initial turns snapshots off.
const Never = -1

// The defaults of [Policy].
const (
	DefaultInitial  = 2
	DefaultInterval = 200
)

func (p Policy) withDefaults() Policy {
	if p.Initial == 0 {
		p.Initial = DefaultInitial
	}
	if p.Interval == 0 {
		p.Interval = DefaultInterval
	}
	return p
}

// Due reports whether a vat at position end wants a snapshot, given where its
// incarnation began and how far its latest snapshot of it reaches; start itself
// stands for none.
func (p Policy) Due(start, snapshot, end uint64) bool {
	switch {
	case p.Initial == Never:
		return false
	case snapshot == start:
		return end-start >= uint64(p.Initial)
	}
	return end-snapshot >= uint64(p.Interval)
}
